// Modes of streams and their warm throughput: what several operations share. Thread-safe.
#pragma once

#include <optional>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/shape.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& StreamModeShape();
const protocol::aws::Shape& WarmThroughputShape();

/// Whether the call's StreamModeDetails say ON_DEMAND; without any it is PROVISIONED.
bool IsOnDemand(const aws::Call& call);
/// Sets what the call's WarmThroughputMiBps say, if anything. An error for streams that are not on demand and for
/// accounts without a billing commitment. Blocks.
std::optional<protocol::aws::ApiError> SetWarmThroughput(const Context& context, const aws::Call& call,
                                                         KinesisSettings& settings);
/// The member WarmThroughput of an answer.
void WriteWarmThroughput(protocol::aws::Writer& writer, const KinesisSettings& settings);

}  // namespace sluice::broker::kinesis
