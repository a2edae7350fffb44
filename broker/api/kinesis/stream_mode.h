// Modes of streams, and what streams in on-demand mode have besides (warm throughput, a record distribution strategy):
// what several operations share. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/shape.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& StreamModeShape();
const protocol::aws::Shape& WarmThroughputShape();
const protocol::aws::Shape& DistributionShape();

/// Whether the call's StreamModeDetails say ON_DEMAND; without any it is PROVISIONED.
bool IsOnDemand(const aws::Call& call);
/// Streams in on-demand mode. Looks at all streams: on the blocking pool.
std::int64_t OnDemandStreams(const Context& context);
inline constexpr std::int64_t kOnDemandStreamsMax = 50;  // of an account, where calls are limited
/// An error where one more would be too many. The accounts of the broker share the limit, as they share the streams.
std::optional<protocol::aws::ApiError> CheckOnDemandLimit(const Context& context, const aws::Caller& caller);

/// Sets what the call's WarmThroughputMiBps say, if anything. An error for streams that are not on demand and for
/// accounts without a billing commitment. Blocks.
std::optional<protocol::aws::ApiError> SetWarmThroughput(const Context& context, const aws::Call& call,
                                                         KinesisSettings& settings);
/// The member WarmThroughput of an answer.
void WriteWarmThroughput(protocol::aws::Writer& writer, const KinesisSettings& settings);

/// Sets what the call's RecordDistributionStrategy says, if anything. An error for AUTO and streams that are not on
/// demand.
std::optional<protocol::aws::ApiError> SetDistribution(const aws::Call& call, std::string_view stream,
                                                       KinesisSettings& settings);
/// The strategy's name.
std::string_view DistributionOf(const KinesisSettings& settings);

}  // namespace sluice::broker::kinesis
