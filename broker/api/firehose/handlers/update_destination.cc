// UpdateDestination: the destination with what the update changes, in force from the next delivery on. What is the same
// in the end changes nothing, also not the version.
#include <fmt/format.h>

#include <array>

#include "broker/api/aws/arguments.h"
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/destination.h"
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
constexpr std::string_view kExtendedMember = "ExtendedS3DestinationUpdate";
constexpr std::array<std::string_view, 8> kUnservedUpdates = {
    "RedshiftDestinationUpdate",  "ElasticsearchDestinationUpdate", "AmazonopensearchserviceDestinationUpdate",
    "SplunkDestinationUpdate",    "HttpEndpointDestinationUpdate",  "AmazonOpenSearchServerlessDestinationUpdate",
    "SnowflakeDestinationUpdate", "IcebergDestinationUpdate"};

Shape WithUnserved(Shape shape) {
  for (const std::string_view member : kUnservedUpdates) shape = std::move(shape).Member(member, UnservedShape());
  return shape;
}

const Shape& Input() {
  static const Shape version = Shape::Text().Length(1, 50).Pattern("[0-9]+");
  static const Shape shape = WithUnserved(NamedInputShape()
                                              .Member("CurrentDeliveryStreamVersionId", version, Required::kYes)
                                              .Member("DestinationId", DestinationIdShape(), Required::kYes)
                                              .Member(kPlainMember, S3UpdateShape())
                                              .Member(kExtendedMember, ExtendedS3UpdateShape()));
  return shape;
}

/// The one update of the call.
ApiResult<Json> UpdateOf(const aws::Call& call) {
  const auto plain = call.input().Find(kPlainMember);
  const auto extended = call.input().Find(kExtendedMember);
  int count = static_cast<int>(plain.has_value()) + static_cast<int>(extended.has_value());
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
  return extended ? FromValue(*extended, ExtendedS3UpdateShape()) : FromValue(*plain, S3UpdateShape());
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

/// What the delivery stream is to be; nullopt: what it is.
ApiResult<std::optional<DeliveryDraft>> Changed(const aws::Call& call, const Json& update, const DeliveryInfo& info) {
  if (auto wrong = CheckIds(call, info)) return std::unexpected(std::move(*wrong));
  Json given = GivenOf(info);
  const Json& before = *Find(given, kDestinationMember);
  const Json after = Merged(before, update);
  if (Partitions(before) != Partitions(after)) {
    return std::unexpected(
        InvalidArgument("Dynamic partitioning can be enabled when a Firehose is created only, and not disabled."));
  }
  if (BacksUp(before) && !BacksUp(after)) {
    return std::unexpected(InvalidArgument("S3BackupMode cannot be changed from Enabled to Disabled."));
  }
  const NeedsTable needs_table = ConvertsWithoutTable(before) ? NeedsTable::kNo : NeedsTable::kYes;
  if (auto wrong = CheckDestination(after, needs_table)) return std::unexpected(std::move(*wrong));
  if (Same(Described(before), Described(after))) return std::nullopt;
  Set(given, kDestinationMember, after);
  return ChangedDraft(info, given);
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindForChange(context, call);
  if (!info) return std::unexpected(info.error());
  if (auto wrong = CheckIds(call, **info)) return std::unexpected(std::move(*wrong));
  const ApiResult<Json> update = UpdateOf(call);
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
