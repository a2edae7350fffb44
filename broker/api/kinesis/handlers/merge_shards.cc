// MergeShards: two shards whose hash keys touch become one, in force with the answer.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/reshard_errors.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape shape = StreamInputShape()
                                 .Member("ShardToMerge", ShardIdShape(), Required::kYes)
                                 .Member("AdjacentShardToMerge", ShardIdShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = FindReshardable(context, call);
  if (!stream) return std::unexpected(stream.error());
  const auto shard = FindOpenShard(call, "ShardToMerge", **stream);
  if (!shard) return std::unexpected(shard.error());
  const auto adjacent = FindOpenShard(call, "AdjacentShardToMerge", **stream);
  if (!adjacent) return std::unexpected(adjacent.error());
  const auto merged = (*shard)->first < (*adjacent)->first
                          ? context.parts.resharder.Merge((*stream)->name, (*shard)->shard, (*adjacent)->shard)
                          : Error(Code::kInvalidArgument, "the lower one comes first");
  if (merged) {
    context.lifecycle->Changed(*stream);
    return std::string();
  }
  if (merged.error().code() != Code::kInvalidArgument) {
    return std::unexpected(ReshardError(merged.error(), (*stream)->name, call.caller()));
  }
  return std::unexpected(InvalidArgument(
      fmt::format("Shards {} and {} in stream {} under account {} are not an adjacent pair of shards eligible for "
                  "merging",
                  ShardName((*shard)->shard), ShardName((*adjacent)->shard), (*stream)->name, call.caller().account)));
}

}  // namespace

aws::Operation MergeShards(const Context& context) {
  return {"MergeShards", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
