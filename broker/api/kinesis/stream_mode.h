// Modes of streams: what CreateStream and UpdateStreamMode share. Thread-safe.
#pragma once

#include <optional>

#include "broker/api/kinesis/context.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& StreamModeShape();
const protocol::aws::Shape& WarmThroughputShape();

/// Whether the call's StreamModeDetails say ON_DEMAND; without any it is PROVISIONED.
bool IsOnDemand(const aws::Call& call);
/// An error where the call asks for warm throughput, which no account here has paid for.
std::optional<protocol::aws::ApiError> CheckWarmThroughput(const aws::Call& call, bool on_demand);

}  // namespace sluice::broker::kinesis
