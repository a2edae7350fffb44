// Taking consumers' ARNs apart.
#include "broker/api/kinesis/consumers.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

constexpr std::string_view kBetween = "/consumer/";

/// What stands behind "stream/" in an ARN of the caller's account: "orders/consumer/billing:1700000000".
ApiResult<std::string_view> PathInArn(std::string_view arn, const aws::Caller& caller) {
  const ApiResult<NamedStream> named = StreamInArn(arn, caller);
  if (!named) return std::unexpected(named.error());
  if (named->account != caller.account) return std::unexpected(UnknownAccount());
  return named->name;
}

ApiResult<Consumer> FindByName(const StreamPtr& stream, std::string_view name, const aws::Caller& caller) {
  const auto found = stream->kinesis.consumers.find(std::string(name));
  if (found == stream->kinesis.consumers.end()) return std::unexpected(ConsumerNotFound(name, stream->name, caller));
  return Consumer{stream, found->first, found->second};
}

ApiResult<Consumer> FindByPath(const Context& context, const aws::Caller& caller, std::string_view path) {
  const std::size_t end_of_stream = path.find(kBetween);
  const std::string_view named = path.substr(std::min(end_of_stream + kBetween.size(), path.size()));
  const std::string_view name = named.substr(0, named.rfind(':'));
  const std::string_view created = named.substr(std::min(name.size() + 1, named.size()));
  auto stream = FindStream(context, caller, path.substr(0, end_of_stream));
  if (!stream) return std::unexpected(stream.error());
  auto consumer = FindByName(*stream, name, caller);
  if (consumer && created != std::to_string(consumer->info.created_ms / 1000)) {
    return std::unexpected(ConsumerNotFound(name, (*stream)->name, caller));
  }
  return consumer;
}

}  // namespace

std::string ConsumerArn(const Consumer& consumer, const aws::Caller& caller) {
  return fmt::format("{}{}{}:{}", StreamArn(consumer.stream->name, caller), kBetween, consumer.name,
                     consumer.info.created_ms / 1000);
}

ApiResult<Consumer> FindConsumer(const Context& context, const aws::Caller& caller, std::string_view arn) {
  const ApiResult<std::string_view> path = PathInArn(arn, caller);
  if (!path) return std::unexpected(path.error());
  return FindByPath(context, caller, *path);
}

ApiResult<Consumer> FindConsumer(const Context& context, const aws::Call& call) {
  const std::string_view arn = TextOf(call, "ConsumerARN");
  const std::string_view name = TextOf(call, "ConsumerName");
  if (!arn.empty()) {
    auto consumer = FindConsumer(context, call.caller(), arn);
    if (consumer && !name.empty() && name != consumer->name) {
      return std::unexpected(InvalidArgument(fmt::format(
          "Input consumer name {} doesn't match the inferred name in consumer arn {}", name, consumer->name)));
    }
    return consumer;
  }
  if (name.empty() || TextOf(call, "StreamARN").empty()) {
    return std::unexpected(InvalidArgument("Either ConsumerARN, or both StreamARN and ConsumerName must be provided."));
  }
  const auto stream = FindStream(context, call);
  if (!stream) return std::unexpected(stream.error());
  return FindByName(*stream, name, call.caller());
}

ApiResult<Resource> FindStreamOrConsumer(const Context& context, const aws::Call& call) {
  const ApiResult<std::string_view> path = PathInArn(TextOf(call, "ResourceARN"), call.caller());
  if (!path) return std::unexpected(path.error());
  if (path->find(kBetween) != std::string_view::npos) {
    auto consumer = FindByPath(context, call.caller(), *path);
    if (!consumer) return std::unexpected(consumer.error());
    return Resource{consumer->stream, consumer->name};
  }
  const auto stream = FindStream(context, call.caller(), *path);
  if (!stream) return std::unexpected(stream.error());
  return Resource{*stream, ""};
}

ApiError ConsumerNotFound(std::string_view consumer, std::string_view stream, const aws::Caller& caller) {
  return {"ResourceNotFoundException",
          fmt::format("Consumer {} under stream {} not found for account {}.", consumer, stream, caller.account)};
}

void WriteConsumer(protocol::aws::Writer& writer, const Consumer& consumer, std::string_view status,
                   const aws::Caller& caller) {
  writer.Name("ConsumerName").Text(consumer.name);
  writer.Name("ConsumerARN").Text(ConsumerArn(consumer, caller));
  writer.Name("ConsumerStatus").Text(status);
  writer.Name("ConsumerCreationTimestamp").Timestamp(consumer.info.created_ms / 1000 * 1000);
}

}  // namespace sluice::broker::kinesis
