// ListShards: the shards of a stream, open and closed, a page at a time.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/next_token.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_filter.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;
using protocol::aws::Value;

namespace {

constexpr std::int64_t kPageDefault = 1'000;

const Shape& Input() {
  static const Shape type = Shape::Text().OneOf(
      {"AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP"});
  static const Shape filter = Shape::Structure()
                                  .Member("Type", type, Required::kYes)
                                  .Member("ShardId", ShardIdShape())
                                  .Member("Timestamp", TimestampShape());
  static const Shape shape = StreamInputShape()
                                 .Member("NextToken", NextTokenShape())
                                 .Member("ExclusiveStartShardId", ShardIdShape())
                                 .Member("MaxResults", PageSizeShape())
                                 .Member("StreamCreationTimestamp", TimestampShape())
                                 .Member("ShardFilter", filter);
  return shape;
}

/// Where the page begins.
struct Start {
  StreamPtr stream;
  std::optional<ShardIndex> after;
  ShardFilter filter;
};

ApiResult<Start> FromToken(const Context& context, const aws::Call& call, std::string_view text) {
  if (call.input().Find("ShardFilter")) {
    return std::unexpected(InvalidArgument("NextToken and ShardFilter cannot be provided together."));
  }
  const auto token = DecodeNextToken(text, NextToken::Of::kShards, context.token_key);
  if (!token) return std::unexpected(InvalidArgument("Invalid NextToken."));
  if (context.parts.clock.WallMs() - token->issued_ms > kTokenAgeMaxMs) return std::unexpected(ExpiredNextToken());
  auto stream = AccessStream(context, call.caller(), {token->stream, call.caller().account}, "ListShards");
  if (!stream) return std::unexpected(stream.error());
  return Start{std::move(*stream), ShardIndex(token->last_shard), token->filter};
}

/// The shard that the page begins behind, if one is named.
ApiResult<std::optional<ShardIndex>> StartShard(const aws::Call& call, const StreamInfo& stream) {
  std::string_view named = TextOf(call, "ExclusiveStartShardId");
  if (const auto filter = call.input().Find("ShardFilter")) {
    const std::string_view type = filter->Find("Type")->text();
    const auto shard = filter->Find("ShardId");
    if (shard && (type == "AFTER_SHARD_ID" || type == "AT_LATEST")) named = shard->text();
  }
  if (named.empty()) return std::nullopt;
  const auto shard = ParseShardName(named);
  if (!shard) return std::unexpected(ShardNotFound(named, stream.name, call.caller()));
  return shard;
}

ApiResult<Start> FindStart(const Context& context, const aws::Call& call) {
  if (const std::string_view token = TextOf(call, "NextToken"); !token.empty()) return FromToken(context, call, token);
  if (TextOf(call, "StreamName").empty() && TextOf(call, "StreamARN").empty()) {
    return std::unexpected(InvalidArgument("Either NextToken or StreamName should be provided."));
  }
  auto stream = AccessStream(context, call, "ListShards");
  if (!stream) return std::unexpected(stream.error());
  const auto created = call.input().Find("StreamCreationTimestamp");
  if (created && protocol::aws::ToTimestampMs(*created) / 1000 != CreatedSeconds(**stream)) {
    return std::unexpected(StreamNotFound((*stream)->name, call.caller()));  // an older one of this name
  }
  Start start{std::move(*stream), std::nullopt, {}};
  if (const auto named = call.input().Find("ShardFilter")) {
    const auto filter = ReadShardFilter(context, *named, *start.stream);
    if (!filter) return std::unexpected(filter.error());
    start.filter = *filter;
  }
  const auto after = StartShard(call, *start.stream);
  if (!after) return std::unexpected(after.error());
  start.after = *after;
  return start;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const ApiResult<Start> start = FindStart(context, call);
  if (!start) return std::unexpected(start.error());
  const auto page = static_cast<std::size_t>(IntegerOf(call, "MaxResults").value_or(kPageDefault));
  std::vector<const ShardInfo*> shards;
  for (const ShardInfo& shard : ShardsAfter(*start->stream, start->after)) {
    if (shards.size() <= page && Passes(shard, start->filter)) shards.push_back(&shard);
  }
  const bool more = shards.size() > page;
  if (more) shards.pop_back();
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("Shards").BeginList();
  for (const ShardInfo* const shard : shards) WriteShard(*writer, *shard);
  writer->EndList();
  if (more) {
    const NextToken next{.of = NextToken::Of::kShards,
                         .issued_ms = context.parts.clock.WallMs(),
                         .last_shard = shards.back()->shard.value,
                         .stream = start->stream->name,
                         .filter = start->filter};
    writer->Name("NextToken").Text(EncodeNextToken(next, context.token_key));
  }
  writer->EndMap();
  return writer->Take();
}

}  // namespace

// On the blocking pool, as a page may have ten thousand shards.
aws::Operation ListShards(const Context& context) {
  return {"ListShards", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
