// UpdateDestination: the destination with what the update changes, in force from the next delivery on. What is the same
// in the end changes nothing, also not the version.
#include <fmt/format.h>

#include <array>

#include "broker/api/aws/arguments.h"
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/destination_kind.h"
#include "broker/api/firehose/draft.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::string_view kPlainMember = "S3DestinationUpdate";
constexpr std::array<std::string_view, 3> kUnservedUpdates = {"AmazonOpenSearchServerlessDestinationUpdate",
                                                              "SnowflakeDestinationUpdate", "IcebergDestinationUpdate"};

Shape WithDestinations(Shape shape) {
  for (const DestinationKind& kind : DestinationKinds()) {
    shape = std::move(shape).Member(kind.update, kind.update_shape());
  }
  for (const std::string_view member : kUnservedUpdates) shape = std::move(shape).Member(member, UnservedShape());
  return shape;
}

const Shape& Input() {
  static const Shape version = Shape::Text().Length(1, 50).Pattern("[0-9]+");
  static const Shape shape = WithDestinations(NamedInputShape()
                                                  .Member("CurrentDeliveryStreamVersionId", version, Required::kYes)
                                                  .Member("DestinationId", DestinationIdShape(), Required::kYes)
                                                  .Member(kPlainMember, S3UpdateShape()));
  return shape;
}

struct Update {
  const DestinationKind* kind = nullptr;
  Json members;  // by the names of a configuration
};

/// The one update of the call. A plain one is of an S3 destination.
ApiResult<Update> UpdateOf(const aws::Call& call) {
  Update update;
  int count = 0;
  if (const auto plain = call.input().Find(kPlainMember)) {
    ++count;
    update = {&DestinationKinds().front(), AsConfiguration(FromValue(*plain, S3UpdateShape()))};
  }
  for (const DestinationKind& kind : DestinationKinds()) {
    const auto given = call.input().Find(kind.update);
    if (!given) continue;
    ++count;
    update = {&kind, AsConfiguration(FromValue(*given, kind.update_shape()))};
  }
  std::string_view unserved;
  for (const std::string_view member : kUnservedUpdates) {
    if (!call.input().Find(member)) continue;
    ++count;
    unserved = member;
  }
  if (count != 1) {
    return std::unexpected(InvalidArgument("Exactly one destination update is supported for a Firehose"));
  }
  if (!unserved.empty()) return std::unexpected(NotServed(unserved));
  return update;
}

std::optional<ApiError> CheckIds(const aws::Call& call, const DeliveryInfo& info) {
  const std::string_view version = TextOf(call, "CurrentDeliveryStreamVersionId");
  if (version != std::to_string(info.version)) {
    return ApiError("ConcurrentModificationException",
                    fmt::format("Cannot update firehose: {} since the current version id: {} and specified version "
                                "id: {} do not match",
                                info.name, info.version, version));
  }
  const std::string_view destination = TextOf(call, "DestinationId");
  if (destination == kDestinationId) return std::nullopt;
  return InvalidArgument(fmt::format("Destination {} not found in firehose {}.", destination, info.name));
}

/// As only a file can make it.
bool ConvertsWithoutTable(const Json& destination) {
  return Converts(destination) &&
         Find(Find(destination, "DataFormatConversionConfiguration"), "SchemaConfiguration") == nullptr;
}

/// The destination with the update's members in place of its own.
ApiResult<Json> Changed(const DestinationKind& kind, const Json& before, const Json& update) {
  Json after = kind.merged(before, update);
  if (Partitions(before) != Partitions(after)) {
    return std::unexpected(
        InvalidArgument("Dynamic partitioning can be enabled when a Firehose is created only, and not disabled."));
  }
  if (kind.keeps_backup && BacksUp(before) && !BacksUp(after)) {
    return std::unexpected(
        InvalidArgument(fmt::format("S3BackupMode cannot be changed from {} to {}.", TextOf(&before, "S3BackupMode"),
                                    TextOf(&after, "S3BackupMode"))));
  }
  return after;
}

/// A destination of another kind has nothing to merge with: the update is all of it.
ApiResult<Json> Replaced(const Update& update) {
  if (const auto problem = CheckConstraints(update.members, update.kind->configuration_shape())) {
    return std::unexpected(InvalidArgument(
        fmt::format("{} is of another kind than the destination and has to give all that a new one needs: {}",
                    update.kind->update, problem->message)));
  }
  return update.members;
}

/// What the delivery stream is to be; nullopt: what it is.
ApiResult<std::optional<DeliveryDraft>> Changed(const aws::Call& call, const Update& update, const DeliveryInfo& info) {
  if (auto wrong = CheckIds(call, info)) return std::unexpected(std::move(*wrong));
  Json given = GivenOf(info);
  const DestinationKind& kind = KindOf(given);
  const Json before = *Find(given, kind.configuration);
  const bool replaces = update.kind != &kind;
  const ApiResult<Json> after = replaces ? Replaced(update) : Changed(kind, before, update.members);
  if (!after) return std::unexpected(after.error());
  const NeedsTable needs_table = ConvertsWithoutTable(before) ? NeedsTable::kNo : NeedsTable::kYes;
  if (auto wrong = update.kind->check(*after, needs_table)) return std::unexpected(std::move(*wrong));
  if (!replaces && Same(kind.described(before), kind.described(*after))) return std::nullopt;
  Remove(given, kind.configuration);
  Set(given, update.kind->configuration, *after);
  return ChangedDraft(info, given);
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindForChange(context, call);
  if (!info) return std::unexpected(info.error());
  if (auto wrong = CheckIds(call, **info)) return std::unexpected(std::move(*wrong));
  const ApiResult<Update> update = UpdateOf(call);
  if (!update) return std::unexpected(update.error());
  std::optional<ApiError> refused;
  const auto edit = [&](const DeliveryInfo& now) -> Result<std::optional<DeliveryDraft>> {
    ApiResult<std::optional<DeliveryDraft>> changed = Changed(call, *update, now);
    if (changed) return std::move(*changed);
    refused = std::move(changed.error());
    return Error(Code::kInvalidArgument, refused->message);
  };
  const auto edited = context.parts.deliveries.Edit((*info)->name, edit);
  if (refused) return std::unexpected(std::move(*refused));
  if (!edited) return std::unexpected(FromStatus(edited.error(), (*info)->name, call.caller()));
  return std::string("{}");
}

}  // namespace

aws::Operation UpdateDestination(const Context& context) {
  return {"UpdateDestination", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
