// Members of Amazonopensearchservice- and ElasticsearchDestinationConfiguration.
#include "broker/delivery/endpoints/search_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/delivery/endpoints/endpoint_fields.h"
#include "broker/delivery/http_client.h"
#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kIndexMax = 80;
constexpr std::array<std::pair<std::string_view, IndexRotation>, 5> kRotations = {
    {{"NoRotation", IndexRotation::kNone},
     {"OneHour", IndexRotation::kHour},
     {"OneDay", IndexRotation::kDay},
     {"OneWeek", IndexRotation::kWeek},
     {"OneMonth", IndexRotation::kMonth}}};

void ReadRotation(MapReader& map, EndpointConfig& config) {
  const std::string text = map.String("IndexRotationPeriod").value_or("OneDay");
  const auto same = [&](const auto& known) { return PlainWord(known.first) == PlainWord(text); };
  const auto found = std::ranges::find_if(kRotations, same);
  if (found != kRotations.end()) {
    config.rotation = found->second;
  } else {
    map.report().Problem(map.LineOf("IndexRotationPeriod"), map.PathOf("IndexRotationPeriod"),
                         fmt::format("'{}' is none of NoRotation, OneHour, OneDay, OneWeek, OneMonth", text));
  }
}

void ReadDocumentIds(MapReader& map, EndpointConfig& config) {
  std::optional<MapReader> options = map.Map("DocumentIdOptions");
  if (!options) return;
  const std::string text = options->String("DefaultDocumentIdFormat").value_or("");
  config.document_ids = PlainWord(text) != "nodocumentid";
  if (config.document_ids && PlainWord(text) != "firehosedefault") {
    options->report().Problem(options->LineOf("DefaultDocumentIdFormat"), options->PathOf("DefaultDocumentIdFormat"),
                              fmt::format("'{}' is neither FIREHOSE_DEFAULT nor NO_DOCUMENT_ID", text));
  }
  options->Finish();
}

}  // namespace

std::string IndexProblem(std::string_view name) {
  if (name.empty()) return "is missing";
  if (name.size() > kIndexMax) return fmt::format("has {} bytes; at most {}", name.size(), kIndexMax);
  const bool starts = name.front() != '-' && name.front() != '_' && name.front() != '+' && name.front() != '.';
  const auto allowed = [](unsigned char c) {
    return c > ' ' && c != 0x7F && (c < 'A' || c > 'Z') &&
           !std::string_view("\\/*?\"<>|,#:").contains(static_cast<char>(c));
  };
  if (starts && std::ranges::all_of(name, allowed)) return "";
  return fmt::format("'{}' can be no index: small letters, digits, '-', '_', and none of \\ / * ? \" < > | , # :",
                     name);
}

void ReadSearchConfig(MapReader& map, EndpointConfig& config) {
  if (map.Take("DomainARN") != nullptr) {
    map.report().NotServed(map.LineOf("DomainARN"), map.PathOf("DomainARN"),
                           "is not served: there is no AWS to ask for the domain's address; give ClusterEndpoint");
  } else {
    config.url = ReadEndpointUrl(map, "ClusterEndpoint");
  }
  config.index = map.String("IndexName").value_or("");
  if (const std::string problem = IndexProblem(config.index); !problem.empty())
    map.report().Problem(map.LineOf("IndexName"), map.PathOf("IndexName"), problem);
  config.index_type = map.String("TypeName").value_or("");
  if (!std::ranges::all_of(config.index_type,
                           [](char c) { return protocol::IsLetterOrDigit(c) || c == '_' || c == '-'; }))
    map.report().Problem(map.LineOf("TypeName"), map.PathOf("TypeName"), "must be letters, digits, '_' and '-'");
  ReadRotation(map, config);
  ReadDocumentIds(map, config);
  if (map.Take("VpcConfiguration") != nullptr)
    map.report().Warn(map.LineOf("VpcConfiguration"), map.PathOf("VpcConfiguration"),
                      "is passed over: there is no VPC");
}

void WriteSearchConfig(const EndpointConfig& config, Secrets secrets, protocol::JsonWriter& json) {
  json.Key("ClusterEndpoint").String(secrets == Secrets::kTold ? config.url : TellableUrl(config.url));
  json.Key("IndexName").String(config.index);
  if (!config.index_type.empty()) json.Key("TypeName").String(config.index_type);
  const auto found =
      std::ranges::find(kRotations, config.rotation, &std::pair<std::string_view, IndexRotation>::second);
  json.Key("IndexRotationPeriod").String(found->first);
  json.Key("DocumentIdOptions").BeginObject().Key("DefaultDocumentIdFormat");
  json.String(config.document_ids ? "FIREHOSE_DEFAULT" : "NO_DOCUMENT_ID").EndObject();
}

}  // namespace sluice::delivery
