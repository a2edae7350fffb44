// The errors that SplitShard, MergeShards and UpdateShardCount share, in AWS's words. Thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"

namespace sluice::broker::kinesis {

/// Streams that choose their shards themselves are not resharded by calls.
std::optional<protocol::aws::ApiError> CheckProvisioned(const StreamInfo& stream, const aws::Caller& caller);

/// A shard of the call's stream by its name in `member`, which must be open.
ApiResult<const ShardInfo*> FindOpenShard(const aws::Call& call, std::string_view member, const StreamInfo& stream);

/// Why the core has not resharded.
protocol::aws::ApiError ReshardError(const Status& why, std::string_view stream, const aws::Caller& caller);

}  // namespace sluice::broker::kinesis
