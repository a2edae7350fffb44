// Six types, three kinds.
#include "broker/api/kinesis/shard_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Value;
using Kind = ShardFilter::Kind;

namespace {

ApiResult<std::int64_t> ReadTime(const Context& context, Value filter, const StreamInfo& stream) {
  const std::string_view type = filter.Find("Type")->text();
  const auto time = filter.Find("Timestamp");
  if (!time) {
    return std::unexpected(
        InvalidArgument(fmt::format("Timestamp must be provided when the ShardFilter Type is {}.", type)));
  }
  const std::int64_t time_ms = protocol::aws::ToTimestampMs(*time);
  const std::int64_t now_ms = context.parts.clock.WallMs();
  if (time_ms > now_ms) {
    return std::unexpected(InvalidArgument("ShardFilter Timestamp must not be greater than current time."));
  }
  // FROM_TIMESTAMP begins at the horizon where it is older.
  if (type == "AT_TIMESTAMP" && time_ms < now_ms - RetentionHours(stream) * kHourMs) {
    return std::unexpected(InvalidArgument("ShardFilter Timestamp cannot be older than TRIM_HORIZON of the stream."));
  }
  return time_ms;
}

}  // namespace

ApiResult<ShardFilter> ReadShardFilter(const Context& context, Value filter, const StreamInfo& stream) {
  const std::string_view type = filter.Find("Type")->text();
  if (type == "AFTER_SHARD_ID") {
    if (filter.Find("ShardId")) return ShardFilter();
    return std::unexpected(InvalidArgument("ShardId must be provided when the ShardFilter Type is AFTER_SHARD_ID."));
  }
  if (type == "AT_LATEST") return ShardFilter{Kind::kOpen, 0};
  const std::int64_t horizon_ms = TrimHorizonMs(stream, context.parts.clock.WallMs());
  const Kind kind = type.starts_with("AT_") ? Kind::kOpenAt : Kind::kFrom;
  if (type.ends_with("_TRIM_HORIZON")) return ShardFilter{kind, horizon_ms};
  const ApiResult<std::int64_t> time_ms = ReadTime(context, filter, stream);
  if (!time_ms) return std::unexpected(time_ms.error());
  return ShardFilter{kind, std::max(*time_ms, horizon_ms)};
}

bool Passes(const ShardInfo& shard, const ShardFilter& filter) {
  switch (filter.kind) {
    case Kind::kAll:
      return true;
    case Kind::kOpen:
      return !shard.closed();
    case Kind::kOpenAt:
      return shard.created_ms <= filter.time_ms && (!shard.closed() || shard.closed_ms > filter.time_ms);
    case Kind::kFrom:
      return !shard.closed() || shard.closed_ms > filter.time_ms;
  }
  return true;
}

std::int64_t TrimHorizonMs(const StreamInfo& stream, std::int64_t now_ms) {
  std::int64_t horizon_ms = stream.created_ms;
  if (stream.retention.age_ms) horizon_ms = std::max(horizon_ms, now_ms - *stream.retention.age_ms);
  const auto forgotten = [&](const std::optional<ShardIndex>& shard) { return shard && !stream.FindShard(*shard); };
  for (const ShardInfo& shard : stream.all_shards) {
    if (forgotten(shard.parent) || forgotten(shard.adjacent_parent))
      horizon_ms = std::max(horizon_ms, shard.created_ms);
  }
  return horizon_ms;
}

}  // namespace sluice::broker::kinesis
