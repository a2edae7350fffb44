// Composing of the stage's documents.
#include "broker/api/firehose/draft.h"

#include <array>

#include "broker/api/firehose/destination_kind.h"

namespace sluice::broker::firehose {
namespace {

// Members of "Sluice", which a file may have given.
constexpr std::array<std::string_view, 3> kOfAnyDestination = {"StartPosition", "DeaggregateKplRecords",
                                                               "DeadLetterStream"};
constexpr std::array<std::string_view, 6> kOfConversion = {"InferSchema", "TableFile",          "GlueTable",
                                                           "Columns",     "BloomFilterColumns", "SortBy"};

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

/// Firehose puts nothing between records of an object unless a processor does.
void SetDelimiter(Json& sluice, const DestinationKind& kind, const Json& destination) {
  if (!kind.joins_records || AppendsDelimiter(destination) || Converts(destination)) {
    Remove(sluice, "Delimiter");
  } else {
    SetDefault(sluice, "Delimiter", TextNode(""));
  }
  if (BacksUp(destination)) {
    SetDefault(sluice, "BackupDelimiter", TextNode(""));
  } else {
    Remove(sluice, "BackupDelimiter");
  }
}

/// Of what goes beyond Firehose, that which still means something where `after` takes the place of `before`; nullptr:
/// that was of another kind.
void DropForeign(Json& sluice, const Json* before, const Json& after) {
  if (before == nullptr) {
    Json kept = MapNode();
    for (const std::string_view name : kOfAnyDestination) {
      if (const Json* const value = Find(sluice, name)) Set(kept, name, *value);
    }
    sluice = std::move(kept);
  }
  if (!Converts(after)) {
    for (const std::string_view name : kOfConversion) Remove(sluice, name);
  }
}

DeliveryDraft Draft(std::string_view name, const Json& given, const DeliveryTags& tags, Json sluice) {
  const DestinationKind& kind = KindOf(given);
  const Json* const destination = Find(given, kind.configuration);
  SetDelimiter(sluice, kind, *destination);
  const Json* const kinesis = Find(given, kKinesisMember);
  Json document = MapNode();
  Set(document, "DeliveryStreamName", TextNode(name));
  Set(document, "DeliveryStreamType", TextNode(kinesis != nullptr ? kKinesisType : kDirectPutType));
  if (kinesis != nullptr) Set(document, kKinesisMember, *kinesis);
  Set(document, kind.configuration, *destination);
  Set(document, "Tags", TagNodes(tags));
  Set(document, "Sluice", std::move(sluice));
  return {.document = ToJson(document), .given = ToJson(given)};
}

}  // namespace

Json GivenOf(const DeliveryInfo& info) {
  if (!info.given.empty()) return FromKept(info.given);
  const Json config = FromKept(info.config);
  Json given = MapNode();
  for (const std::string_view member : {kKinesisMember, KindOf(config).configuration}) {
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
  const std::string_view member = KindOf(given).configuration;
  DropForeign(sluice, Find(before, member), *Find(given, member));
  const Json* const hints = Find(*Find(given, member), "BufferingHints");
  const Json* const hints_before = Find(Find(before, member), "BufferingHints");
  if (hints != nullptr && (hints_before == nullptr || !Same(*hints, *hints_before))) Remove(sluice, "FileSizeMB");
  return Draft(info.name, given, info.tags, std::move(sluice));
}

}  // namespace sluice::broker::firehose
