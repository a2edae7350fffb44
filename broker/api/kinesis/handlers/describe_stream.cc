// DescribeStream: a stream with a page of its shards. SDKs' waiters poll this.
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kPageDefault = 100;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape =
      StreamInputShape().Member("Limit", PageSizeShape()).Member("ExclusiveStartShardId", ShardIdShape());
  return shape;
}

std::string Answer(const aws::Call& call, const StreamInfo& stream, StreamState state,
                   std::span<const ShardInfo> shards) {
  const auto page = static_cast<std::size_t>(IntegerOf(call, "Limit").value_or(kPageDefault));
  const bool more = shards.size() > page;
  if (more) shards = shards.first(page);
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamDescription").BeginMap();
  WriteIdentity(*writer, stream, state, OwnerOf(call));
  WriteSettings(*writer, stream);
  writer->Name("Shards").BeginList();
  for (const ShardInfo& shard : shards) WriteShard(*writer, shard);
  writer->EndList();
  writer->Name("HasMoreShards").Boolean(more);
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = AccessStream(context, call, "DescribeStream");
  if (!stream) return std::unexpected(stream.error());
  std::optional<ShardIndex> after;
  if (const std::string_view named = TextOf(call, "ExclusiveStartShardId"); !named.empty()) {
    after = ParseShardName(named);
    if (!after) return std::unexpected(ShardNotFound(named, (*stream)->name, call.caller()));
  }
  const StreamState state = context.lifecycle->StateOf(**stream);
  const StreamPtr told = context.lifecycle->Told(*stream);
  const bool no_shards = state == StreamState::kCreating;
  return Answer(call, *told, state, no_shards ? std::span<const ShardInfo>() : ShardsAfter(**stream, after));
}

}  // namespace

// On the blocking pool, as a page may have ten thousand shards.
aws::Operation DescribeStream(const Context& context) {
  return {"DescribeStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
