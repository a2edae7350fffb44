// The metrics of single shards that a stream's owner asks for (enhanced monitoring): a set, as bits.
//
// The set is kept and told. The broker's own metrics (docs/metrics.md) do not depend on it. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "broker/api/kinesis/context.h"
#include "protocol/aws/shape.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& ShardMetricsInputShape();

/// The set that the call's ShardLevelMetrics name; ALL is every one.
std::uint32_t ReadShardMetrics(const aws::Call& call);

/// The list of a set's names.
void WriteShardMetrics(protocol::aws::Writer& writer, std::uint32_t metrics);

/// What EnableEnhancedMonitoring and DisableEnhancedMonitoring share: sets the stream's metrics to what `desired` makes
/// of those it has and those the call names, and answers with both.
using DesiredMetrics = std::uint32_t (*)(std::uint32_t current, std::uint32_t named);
ApiResult<std::string> ChangeShardMetrics(const Context& context, const aws::Call& call, DesiredMetrics desired);

}  // namespace sluice::broker::kinesis
