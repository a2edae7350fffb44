// Consumers that are registered for enhanced fan-out: which one a request is about, and how answers tell of it. They
// are kept with their stream (broker/stream_catalog.h). Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::kinesis {

inline constexpr std::size_t kConsumersMax = 20;          // of one stream
inline constexpr std::int64_t kCreatingConsumersMax = 5;  // of those

/// A consumer and its stream, as they were when it was looked for.
struct Consumer {
  StreamPtr stream;
  std::string name;
  StreamConsumer info;
  StreamState state = StreamState::kActive;
};

/// "arn:aws:kinesis:us-east-1:123456789012:stream/orders/consumer/billing:1700000000".
std::string ConsumerArn(const Consumer& consumer, const aws::Caller& caller);

/// A consumer as a call names it; views into the call's input.
struct NamedConsumer {
  NamedStream stream;  // its account is the ARN's
  std::string_view name;
  std::optional<std::string_view> created_s;  // of an ARN: one that was registered at another time is another consumer
};
/// What a call's ConsumerARN names, or its StreamARN and ConsumerName.
ApiResult<NamedConsumer> ConsumerInCall(const aws::Call& call);
/// Whatever the account. Where consumers pass states it may be one that is DELETING.
ApiResult<Consumer> FindConsumer(const Context& context, const aws::Caller& caller, const NamedConsumer& named);
/// What the call names, which is of the caller's account.
ApiResult<Consumer> FindConsumer(const Context& context, const aws::Call& call);

/// What a call's ResourceARN names: a stream, or one of its consumers, which is not DELETING.
struct Resource {
  StreamPtr stream;
  std::string consumer;  // empty: the stream itself
};
ApiResult<Resource> FindStreamOrConsumer(const Context& context, const aws::Call& call);

protocol::aws::ApiError ConsumerNotFound(std::string_view consumer, std::string_view stream, const aws::Caller& caller);
/// Of one that is not there, and of one that is DELETING.
protocol::aws::ApiError ConsumerNotFound(const Consumer& consumer, const aws::Caller& caller);
protocol::aws::ApiError ConsumerNotActive(const Consumer& consumer, const aws::Caller& caller);

/// The members of a consumer.
void WriteConsumer(protocol::aws::Writer& writer, const Consumer& consumer, std::string_view status,
                   const aws::Caller& caller);

}  // namespace sluice::broker::kinesis
