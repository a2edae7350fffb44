// CreateDeliveryStream: the delivery stream works when the answer comes, and is ACTIVE, unless it is to be CREATING for
// a time, as AWS's.
#include <fmt/format.h>

#include <array>

#include "broker/api/aws/arguments.h"
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/destination_kind.h"
#include "broker/api/firehose/draft.h"
#include "broker/api/firehose/encryption.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"
#include "broker/api/firehose/tags.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::string_view kPlainMember = "S3DestinationConfiguration";
constexpr std::string_view kEncryptionMember = "DeliveryStreamEncryptionConfigurationInput";
constexpr std::array<std::string_view, 3> kUnservedDestinations = {"AmazonOpenSearchServerlessDestinationConfiguration",
                                                                   "SnowflakeDestinationConfiguration",
                                                                   "IcebergDestinationConfiguration"};

Shape WithDestinations(Shape shape) {
  for (const DestinationKind& kind : DestinationKinds()) {
    shape = std::move(shape).Member(kind.configuration, kind.configuration_shape());
  }
  for (const std::string_view member : kUnservedDestinations) {
    shape = std::move(shape).Member(member, UnservedShape());
  }
  return shape;
}

const Shape& Input() {
  static const Shape shape = WithDestinations(NamedInputShape()
                                                  .Member("DeliveryStreamType", TypeShape())
                                                  .Member(kDirectPutMember, DirectPutSourceShape())
                                                  .Member(kKinesisMember, KinesisSourceShape())
                                                  .Member(kEncryptionMember, EncryptionInputShape())
                                                  .Member(kPlainMember, S3ConfigurationShape())
                                                  .Member("Tags", TagListShape())
                                                  .Member("MSKSourceConfiguration", UnservedShape())
                                                  .Member("DatabaseSourceConfiguration", UnservedShape()));
  return shape;
}

bool Has(const aws::Call& call, std::string_view member) { return call.input().Find(member).has_value(); }

/// The stream that a source names is there, and the caller's.
std::optional<ApiError> CheckStream(const Context& context, const aws::Caller& caller, std::string_view arn) {
  const std::string_view name = arn.substr(arn.find(":stream/") + std::string_view(":stream/").size());
  if (!arn.contains(fmt::format(":kinesis:{}:{}:stream/", caller.region, caller.account))) {
    return InvalidArgument(
        fmt::format("KinesisStreamARN {} is not of region {} and account {}.", arn, caller.region, caller.account));
  }
  const auto stream = context.parts.catalog.Find(name);
  if (stream && !(*stream)->hidden) return std::nullopt;
  return InvalidArgument(fmt::format("Kinesis stream {} under account {} not found.", name, caller.account));
}

std::optional<ApiError> CheckSource(const Context& context, const aws::Call& call) {
  std::string_view type = TextOf(call, "DeliveryStreamType");
  if (type.empty()) type = kDirectPutType;
  if (type != kDirectPutType && type != kKinesisType) return NotServed(fmt::format("DeliveryStreamType {}", type));
  for (const std::string_view member : {"MSKSourceConfiguration", "DatabaseSourceConfiguration"}) {
    if (Has(call, member)) return NotServed(member);
  }
  const auto kinesis = call.input().Find(kKinesisMember);
  if (type == kDirectPutType && kinesis) {
    return InvalidArgument("KinesisStreamSourceConfig is only applicable for KinesisStreamAsSource stream type.");
  }
  if (type == kDirectPutType) return std::nullopt;
  if (!kinesis) {
    return InvalidArgument("KinesisStreamSourceConfig is required for KinesisStreamAsSource stream type.");
  }
  for (const std::string_view member : {kDirectPutMember, kEncryptionMember}) {
    if (Has(call, member))
      return InvalidArgument(fmt::format("{} is only applicable for DirectPut stream type.", member));
  }
  return CheckStream(context, call.caller(), kinesis->Find("KinesisStreamARN")->text());
}

/// Exactly one destination, and one that is served.
std::optional<ApiError> CheckDestinations(const aws::Call& call) {
  int count = static_cast<int>(Has(call, kPlainMember));
  for (const DestinationKind& kind : DestinationKinds()) count += static_cast<int>(Has(call, kind.configuration));
  std::string_view unserved;
  for (const std::string_view member : kUnservedDestinations) {
    if (!Has(call, member)) continue;
    ++count;
    unserved = member;
  }
  if (count != 1) return InvalidArgument("Exactly one destination configuration is supported for a Firehose");
  if (!unserved.empty()) return NotServed(unserved);
  return std::nullopt;
}

/// What is kept of the input.
Json GivenBy(const aws::Call& call) {
  Json given = MapNode();
  if (const auto source = call.input().Find(kKinesisMember)) {
    Set(given, kKinesisMember, FromValue(*source, KinesisSourceShape()));
  }
  if (const auto source = call.input().Find(kDirectPutMember)) {
    Set(given, kDirectPutMember, FromValue(*source, DirectPutSourceShape()));
  }
  if (const auto plain = call.input().Find(kPlainMember)) {
    Set(given, DestinationKinds().front().configuration, FromValue(*plain, S3ConfigurationShape()));
  }
  for (const DestinationKind& kind : DestinationKinds()) {
    const auto destination = call.input().Find(kind.configuration);
    if (destination) Set(given, kind.configuration, FromValue(*destination, kind.configuration_shape()));
  }
  return given;
}

/// It is CREATING meanwhile, so that no record is taken before records are encrypted.
std::optional<ApiError> Make(const Context& context, const aws::Call& call, const DeliveryDraft& draft) {
  const std::string_view name = TextOf(call, "DeliveryStreamName");
  const auto info = context.parts.deliveries.Make(draft);
  if (!info) return FromStatus(info.error(), name, call.caller());
  const auto encryption = call.input().Find(kEncryptionMember);
  if (!encryption) return std::nullopt;
  auto wrong = StartEncryption(context, **info, encryption);
  if (wrong) static_cast<void>(context.parts.deliveries.Discard(name));
  return wrong;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const std::string_view name = TextOf(call, "DeliveryStreamName");
  if (auto wrong = CheckDestinations(call)) return std::unexpected(std::move(*wrong));
  if (auto wrong = CheckSource(context, call)) return std::unexpected(std::move(*wrong));
  const auto encryption = call.input().Find(kEncryptionMember);
  if (auto wrong = CheckEncryption(encryption)) return std::unexpected(std::move(*wrong));
  const Json given = GivenBy(call);
  const DestinationKind& kind = KindOf(given);
  if (auto wrong = kind.check(*Find(given, kind.configuration), NeedsTable::kYes)) {
    return std::unexpected(std::move(*wrong));
  }
  if (FindDelivery(context, call)) return std::unexpected(AlreadyExists(name, call.caller()));
  const auto tags = call.input().Find("Tags");
  context.lifecycle->BeginCreate(name);
  auto wrong = Make(context, call, NewDraft(name, given, tags ? ReadTags(*tags) : DeliveryTags()));
  context.lifecycle->EndCreate(name);
  if (wrong) return std::unexpected(std::move(*wrong));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("DeliveryStreamARN").Text(DeliveryArn(name, call.caller()));
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation CreateDeliveryStream(const Context& context) {
  return {"CreateDeliveryStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
