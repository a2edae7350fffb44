// Composing of the stage's documents.
#include "broker/api/firehose/draft.h"

#include "broker/api/firehose/destination.h"
#include "protocol/check.h"

namespace sluice::broker::firehose {
namespace {

Json TagNodes(const DeliveryTags& tags) {
  Json list = ListNode();
  for (const auto& [key, value] : tags) {
    Json tag = MapNode();
    Set(tag, "Key", TextNode(key));
    Set(tag, "Value", TextNode(value));
    list.items.push_back(std::move(tag));
  }
  return list;
}

/// Firehose puts nothing between records unless a processor does.
void SetDelimiter(Json& sluice, const Json& destination) {
  if (AppendsDelimiter(destination) || Converts(destination)) {
    Remove(sluice, "Delimiter");
  } else {
    SetDefault(sluice, "Delimiter", TextNode(""));
  }
  if (BacksUp(destination)) SetDefault(sluice, "BackupDelimiter", TextNode(""));
}

DeliveryDraft Draft(std::string_view name, const Json& given, const DeliveryTags& tags, Json sluice) {
  const Json* const destination = Find(given, kDestinationMember);
  SLUICE_CHECK(destination != nullptr);
  SetDelimiter(sluice, *destination);
  const Json* const kinesis = Find(given, kKinesisMember);
  Json document = MapNode();
  Set(document, "DeliveryStreamName", TextNode(name));
  Set(document, "DeliveryStreamType", TextNode(kinesis != nullptr ? kKinesisType : kDirectPutType));
  if (kinesis != nullptr) Set(document, kKinesisMember, *kinesis);
  Set(document, kDestinationMember, *destination);
  Set(document, "Tags", TagNodes(tags));
  Set(document, "Sluice", std::move(sluice));
  return {.document = ToJson(document), .given = ToJson(given)};
}

}  // namespace

Json GivenOf(const DeliveryInfo& info) {
  if (!info.given.empty()) return FromKept(info.given);
  const Json config = FromKept(info.config);
  Json given = MapNode();
  for (const std::string_view member : {kKinesisMember, kDestinationMember}) {
    if (const Json* const value = Find(config, member)) Set(given, member, *value);
  }
  return given;
}

DeliveryDraft NewDraft(std::string_view name, const Json& given, const DeliveryTags& tags) {
  return Draft(name, given, tags, MapNode());
}

DeliveryDraft ChangedDraft(const DeliveryInfo& info, const Json& given) {
  const Json config = FromKept(info.config);
  const Json* const kept = Find(config, "Sluice");
  Json sluice = kept != nullptr ? *kept : MapNode();
  const Json before = GivenOf(info);
  const Json* const hints = Find(*Find(given, kDestinationMember), "BufferingHints");
  const Json* const hints_before = Find(*Find(before, kDestinationMember), "BufferingHints");
  if (hints != nullptr && (hints_before == nullptr || !Same(*hints, *hints_before))) Remove(sluice, "FileSizeMB");
  return Draft(info.name, given, info.tags, std::move(sluice));
}

}  // namespace sluice::broker::firehose
