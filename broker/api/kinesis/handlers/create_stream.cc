// CreateStream: the stream is ACTIVE when the answer comes, unless it is to be CREATING for a time, as AWS's.
#include <fmt/format.h>

#include <algorithm>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_limit.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_mode.h"
#include "broker/api/kinesis/stream_text.h"
#include "broker/api/kinesis/tags.h"
#include "broker/log.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::uint32_t kOnDemandShards = 4;
constexpr std::int64_t kCreatingMax = 5;

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("StreamName", StreamNameShape(), Required::kYes)
                                 .Member("ShardCount", PositiveIntegerShape())
                                 .Member("StreamModeDetails", StreamModeShape())
                                 .Member("Tags", TagMapShape())
                                 .Member("WarmThroughputMiBps", WarmThroughputShape())
                                 .Member("MaxRecordSizeInKiB", RecordSizeShape())
                                 .Member("RecordDistributionStrategy", DistributionShape());
  return shape;
}

ApiResult<std::uint32_t> ShardCount(const aws::Call& call, bool on_demand) {
  const auto asked = IntegerOf(call, "ShardCount");
  if (on_demand) return kOnDemandShards;
  if (!asked) return std::unexpected(InvalidArgument("ShardCount is expected when StreamMode=PROVISIONED"));
  if (*asked > StreamCatalog::kShardsMax) {
    return std::unexpected(ApiError(
        "LimitExceededException",
        fmt::format("A stream has at most {} shards, and {} were asked for.", StreamCatalog::kShardsMax, *asked)));
  }
  return static_cast<std::uint32_t>(*asked);
}

ApiError AlreadyExists(std::string_view name, const aws::Caller& caller) {
  return {"ResourceInUseException", fmt::format("Stream {} under account {} already exists.", name, caller.account)};
}

/// Of an account's streams only so many are CREATING, and a name is not free while it is DELETING.
std::optional<ApiError> CheckStates(const Context& context, std::string_view name, const aws::Caller& caller) {
  if (context.lifecycle->FindDeleting(name)) return AlreadyExists(name, caller);
  if (context.parts.options.create_delay_ms == 0) return std::nullopt;
  const auto creating = std::ranges::count_if(context.parts.catalog.List(), [&](const StreamPtr& stream) {
    return context.lifecycle->StateOf(*stream) == StreamState::kCreating;
  });
  if (creating < kCreatingMax) return std::nullopt;
  return ApiError("LimitExceededException",
                  fmt::format("Account {} has {} streams in state CREATING, and may have no more at one time.",
                              caller.account, creating));
}

ApiError CreateFailed(const Status& why, std::string_view name, const aws::Caller& caller) {
  if (why.code() == Code::kAlreadyExists) {
    return AlreadyExists(name, caller);
  }
  if (why.code() == Code::kInvalidArgument) return InvalidArgument(why.message());
  return InternalFailure(why);
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const std::string_view name = TextOf(call, "StreamName");
  KinesisSettings settings;
  settings.on_demand = IsOnDemand(call);
  const auto shards = ShardCount(call, settings.on_demand);
  if (!shards) return std::unexpected(shards.error());
  if (auto wrong = SetWarmThroughput(context, call, settings)) return std::unexpected(std::move(*wrong));
  if (auto wrong = SetDistribution(call, name, settings)) return std::unexpected(std::move(*wrong));
  if (const auto tags = call.input().Find("Tags")) settings.tags = ReadTags(*tags);
  const TagTarget target{"stream", fmt::format("stream {}", name)};
  if (auto wrong = CheckTags(settings.tags, target, call.caller())) return std::unexpected(std::move(*wrong));
  if (auto wrong = CheckTagCount(settings.tags, target, call.caller())) return std::unexpected(std::move(*wrong));
  if (const auto size = IntegerOf(call, "MaxRecordSizeInKiB")) {
    settings.record_kib_max = static_cast<std::uint32_t>(*size);
  }
  if (!context.parts.catalog.Find(name)) {
    auto wrong = CheckShardLimit(context, call.caller(), *shards);
    if (!wrong && settings.on_demand) wrong = CheckOnDemandLimit(context, call.caller());
    if (wrong) return std::unexpected(std::move(*wrong));
  }
  if (auto wrong = CheckStates(context, name, call.caller())) return std::unexpected(std::move(*wrong));
  const RetentionSettings retention{.age_ms = kRetentionHoursMin * kHourMs, .bytes = {}};
  const auto stream = context.parts.catalog.Create(name, *shards, retention, false, std::move(settings));
  if (!stream) return std::unexpected(CreateFailed(stream.error(), name, call.caller()));
  log::Info("stream created", {{"stream", name}, {"id", (*stream)->id.value}, {"shards", *shards}});
  return std::string();
}

}  // namespace

aws::Operation CreateStream(const Context& context) {
  return {"CreateStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
