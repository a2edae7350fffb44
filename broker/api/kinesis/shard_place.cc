// Checks in AWS's words.
#include "broker/api/kinesis/shard_place.h"

#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/sequence_argument.h"
#include "broker/api/kinesis/stream_text.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

ApiError BadNumber(std::string_view number, const WantedPlace& wanted, const NamedShard& shard,
                   const aws::Caller& caller) {
  return InvalidArgument(
      fmt::format("StartingSequenceNumber {} used in {} on shard {} in stream {} under account {} is invalid", number,
                  wanted.operation, ShardName(shard.shard), shard.stream->name, caller.account));
}

ApiError Because(ApiError error, std::string_view why) {
  error.message.append(why).append(".");
  return error;
}

ApiResult<Offset> AtNumber(const WantedPlace& wanted, const NamedShard& shard, const aws::Caller& caller) {
  constexpr std::string_view kForeign = " because it did not come from this stream";
  if (const auto old = AsOldestLayout(wanted.number)) {
    return std::unexpected(Because(BadNumber(*old, wanted, shard, caller), kForeign));
  }
  const ApiError bad = BadNumber(wanted.number, wanted, shard, caller);
  const auto number = protocol::ParseSequenceNumber(wanted.number);
  if (!number) return std::unexpected(Because(bad, ""));
  if (number->shard != shard.shard) {
    return std::unexpected(InvalidArgument(
        fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
                    ShardName(number->shard), ShardName(shard.shard))));
  }
  const ShardInfo* const info = ShardOf(*number, *shard.stream);
  if (info == nullptr) return std::unexpected(Because(bad, kForeign));
  const auto place = PlaceOf(*number, *info, shard.log->durable_end());
  if (!place) return std::unexpected(Because(bad, ""));
  return wanted.type == "AT_SEQUENCE_NUMBER" ? place->at : place->after;
}

}  // namespace

ApiResult<NamedShard> FindShard(const Context& context, const aws::Caller& caller, StreamPtr stream,
                                std::string_view named) {
  const auto shard = ParseShardName(named);
  if (!shard) return std::unexpected(ShardNotFound(named, stream->name, caller));
  if (!CheckShard(*stream, *shard).ok()) return std::unexpected(NoSuchShard(*shard, stream->name, caller));
  auto log = context.parts.store.OpenShard({stream->id, *shard});
  return NamedShard{std::move(stream), *shard, std::move(log)};
}

std::optional<ApiError> CheckPlace(const Context& context, const WantedPlace& wanted) {
  const bool wants_number = wanted.type.ends_with("_SEQUENCE_NUMBER");
  const bool has_number = !wanted.number.empty();
  if (wanted.type != "AT_TIMESTAMP" && has_number != wants_number) {
    return InvalidArgument(
        fmt::format("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
                    "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {} and {} "
                    "StartingSequenceNumber.",
                    wanted.type, has_number ? "also a" : "no"));
  }
  if (wanted.type != "AT_TIMESTAMP") return std::nullopt;
  if (!wanted.time) {
    return InvalidArgument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp "
        "parameter.");
  }
  const std::int64_t time_ms = protocol::aws::ToTimestampMs(*wanted.time);
  const std::int64_t now_ms = context.parts.clock.WallMs();
  if (time_ms <= now_ms) return std::nullopt;
  return InvalidArgument(
      fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                  "timestampInMillis: {}, currentTimestampInMillis: {}",
                  time_ms, now_ms));
}

ApiResult<Offset> FindPlace(const WantedPlace& wanted, const NamedShard& shard, const aws::Caller& caller) {
  if (wanted.type == "TRIM_HORIZON") return shard.log->oldest();
  if (wanted.type == "LATEST") return shard.log->durable_end();
  return AtNumber(wanted, shard, caller);
}

}  // namespace sluice::broker::kinesis
