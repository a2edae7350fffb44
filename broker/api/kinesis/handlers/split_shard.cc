// SplitShard: one shard becomes two, in force with the answer.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/reshard_errors.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_limit.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape shape = StreamInputShape()
                                 .Member("ShardToSplit", ShardIdShape(), Required::kYes)
                                 .Member("NewStartingHashKey", HashKeyShape(), Required::kYes);
  return shape;
}

/// Both children get two hash keys at least, as AWS has it.
ApiResult<protocol::HashKey> StartingKey(const aws::Call& call, const StreamInfo& stream, const ShardInfo& shard) {
  const std::string_view text = TextOf(call, "NewStartingHashKey");
  const auto key = protocol::ParseHashKey(text);
  const protocol::HashKey lowest{shard.first.high + (shard.first.low == UINT64_MAX ? 1 : 0), shard.first.low + 1};
  if (key && *key > lowest && lowest > shard.first && *key < shard.last) return *key;
  return std::unexpected(InvalidArgument(fmt::format(
      "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {} is not both greater than "
      "one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
      text, ShardName(shard.shard), stream.name, call.caller().account, protocol::ToDecimal(shard.first),
      protocol::ToDecimal(shard.last))));
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = FindReshardable(context, call);
  if (!stream) return std::unexpected(stream.error());
  const auto shard = FindOpenShard(call, "ShardToSplit", **stream);
  if (!shard) return std::unexpected(shard.error());
  const auto key = StartingKey(call, **stream, **shard);
  if (!key) return std::unexpected(key.error());
  if (auto limit = CheckShardLimit(context, call.caller(), 1)) return std::unexpected(std::move(*limit));
  const auto split = context.parts.resharder.Split((*stream)->name, (*shard)->shard, *key);
  if (!split) return std::unexpected(ReshardError(split.error(), (*stream)->name, call.caller()));
  context.lifecycle->Changed(*stream);
  return std::string();
}

}  // namespace

aws::Operation SplitShard(const Context& context) {
  return {"SplitShard", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
