// DescribeDeliveryStream: what was given, with AWS's defaults.
#include "broker/api/aws/arguments.h"
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/destination_kind.h"
#include "broker/api/firehose/draft.h"
#include "broker/api/firehose/encryption.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape =
      NamedInputShape().Member("Limit", PageSizeShape()).Member("ExclusiveStartDestinationId", DestinationIdShape());
  return shape;
}

/// A source that a file names is a stream's name; the API tells an ARN.
std::string SourceArn(const DeliveryInfo& info, std::string_view given, const aws::Caller& caller) {
  return given.starts_with("arn:") ? std::string(given) : aws::Arn(caller, "kinesis", "stream/" + info.source_name);
}

void WriteSource(const DeliveryInfo& info, const Json& given, const aws::Caller& caller,
                 protocol::aws::Writer& writer) {
  writer.Name("Source").BeginMap();
  if (const Json* const kinesis = Find(given, kKinesisMember)) {
    writer.Name("KinesisStreamSourceDescription").BeginMap();
    writer.Name("KinesisStreamARN").Text(SourceArn(info, TextOf(kinesis, "KinesisStreamARN"), caller));
    if (Find(kinesis, "RoleARN") != nullptr) writer.Name("RoleARN").Text(TextOf(kinesis, "RoleARN"));
    writer.Name("DeliveryStartTimestamp").Timestamp(info.created_ms);
    writer.EndMap();
  } else if (const Json* const direct = Find(given, kDirectPutMember)) {
    Write(*direct, writer.Name("DirectPutSourceDescription"));
  }
  writer.EndMap();
}

void WriteDestinations(const aws::Call& call, const Json& given, protocol::aws::Writer& writer) {
  writer.Name("Destinations").BeginList();
  if (TextOf(call, "ExclusiveStartDestinationId") < kDestinationId) {
    const DestinationKind& kind = KindOf(given);
    writer.BeginMap();
    writer.Name("DestinationId").Text(kDestinationId);
    kind.write(kind.described(*Find(given, kind.configuration)), writer);
    writer.EndMap();
  }
  writer.EndList();
  writer.Name("HasMoreDestinations").Boolean(false);
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto found = FindDelivery(context, call);
  if (!found) return std::unexpected(found.error());
  const DeliveryInfo& info = **found;
  const Json given = GivenOf(info);
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("DeliveryStreamDescription").BeginMap();
  writer->Name("DeliveryStreamName").Text(info.name);
  writer->Name("DeliveryStreamARN").Text(DeliveryArn(info.name, call.caller()));
  writer->Name("DeliveryStreamStatus").Text(NameOf(context.lifecycle->StateOf(info)));
  WriteEncryption(context, info, *writer);
  writer->Name("DeliveryStreamType").Text(info.direct_put ? kDirectPutType : kKinesisType);
  writer->Name("VersionId").Text(std::to_string(info.version));
  writer->Name("CreateTimestamp").Timestamp(info.created_ms);
  if (info.changed_ms > 0) writer->Name("LastUpdateTimestamp").Timestamp(info.changed_ms);
  WriteSource(info, given, call.caller(), *writer);
  WriteDestinations(call, given, *writer);
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation DescribeDeliveryStream(const Context& context) {
  return {"DescribeDeliveryStream", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::firehose
