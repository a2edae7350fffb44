// What SplitShard, MergeShards and UpdateShardCount share: which streams they take, and their errors in AWS's words.
// Thread-safe.
#pragma once

#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"

namespace sluice::broker::kinesis {

/// The call's stream. It must be ACTIVE, and of provisioned mode: others choose their shards themselves.
ApiResult<StreamPtr> FindReshardable(const Context& context, const aws::Call& call);

/// A shard of the call's stream by its name in `member`, which must be open.
ApiResult<const ShardInfo*> FindOpenShard(const aws::Call& call, std::string_view member, const StreamInfo& stream);

/// Why the core has not resharded.
protocol::aws::ApiError ReshardError(const Status& why, std::string_view stream, const aws::Caller& caller);

}  // namespace sluice::broker::kinesis
