// Members of Amazonopensearchservice- and ElasticsearchDestinationConfiguration.
#include "broker/delivery/endpoints/search_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/delivery/aws_keys.h"
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

/// "orders" of "arn:aws:es:eu-west-1:123456789012:domain/orders"; empty where it is none.
std::string_view DomainOf(std::string_view arn) {
  constexpr std::string_view kDomain = ":domain/";
  const std::size_t at = arn.find(kDomain);
  if (!arn.starts_with("arn:") || at == arn.npos || !arn.substr(0, at).contains(":es:")) return "";
  return arn.substr(at + kDomain.size());
}

void ReadCluster(MapReader& map, EndpointConfig& config) {
  config.domain_arn = map.String("DomainARN").value_or("");
  const int line = map.LineOf("DomainARN");
  if (config.domain_arn.empty()) {
    config.url = ReadEndpointUrl(map, "ClusterEndpoint");
  } else if (map.Take("ClusterEndpoint") != nullptr) {
    map.report().Problem(line, map.PathOf("DomainARN"), "stands beside ClusterEndpoint; give one of them");
  } else if (DomainOf(config.domain_arn).empty()) {
    map.report().Problem(line, map.PathOf("DomainARN"),
                         fmt::format("'{}' is not arn:aws:es:REGION:ACCOUNT:domain/NAME", config.domain_arn));
  }
}

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

/// Of the domain's ARN, or of an address at AWS, "https://NAME.eu-west-1.es.amazonaws.com"; else `otherwise`.
std::string RegionOf(const EndpointConfig& config, std::string_view url, const std::string& otherwise) {
  constexpr std::string_view kService = ":es:";
  constexpr std::string_view kHost = ".es.amazonaws.com";
  if (const std::size_t at = config.domain_arn.find(kService); at != std::string::npos) {
    const std::size_t begin = at + kService.size();
    return config.domain_arn.substr(begin, config.domain_arn.find(':', begin) - begin);
  }
  const std::string_view host = url.substr(0, url.find(kHost));
  const std::size_t point = host.rfind('.');
  return host.size() == url.size() || point == host.npos ? otherwise : std::string(host.substr(point + 1));
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

Result<std::string> ClusterUrl(const EndpointConfig& config, const std::map<std::string, std::string>& domains) {
  if (config.domain_arn.empty()) return config.url;
  for (const std::string_view key : {std::string_view(config.domain_arn), DomainOf(config.domain_arn)}) {
    if (const auto found = domains.find(std::string(key)); found != domains.end()) return found->second;
  }
  return Error(Code::kInvalidArgument,
               fmt::format("DomainARN: '{}' is a domain whose address this broker does not know; name it in "
                           "[delivery.domains] as {} = \"https://HOST:PORT\", or give ClusterEndpoint",
                           config.domain_arn, DomainOf(config.domain_arn)));
}

Result<std::optional<AwsSigner>> ClusterSigner(const EndpointConfig& config, const ProcessorSettings& settings) {
  const Result<std::string> url = ClusterUrl(config, settings.domains);
  if (!url) return Error(url.error());
  const bool has_name = url->substr(0, url->find('/', url->find("//") + 2)).contains('@');
  if (has_name) return std::nullopt;
  return ConfiguredSigner(settings, RegionOf(config, *url, settings.region), "es");
}

void ReadSearchConfig(MapReader& map, EndpointConfig& config) {
  ReadCluster(map, config);
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
  if (config.domain_arn.empty()) {
    json.Key("ClusterEndpoint").String(secrets == Secrets::kTold ? config.url : TellableUrl(config.url));
  } else {
    json.Key("DomainARN").String(config.domain_arn);
  }
  json.Key("IndexName").String(config.index);
  if (!config.index_type.empty()) json.Key("TypeName").String(config.index_type);
  const auto found =
      std::ranges::find(kRotations, config.rotation, &std::pair<std::string_view, IndexRotation>::second);
  json.Key("IndexRotationPeriod").String(found->first);
  json.Key("DocumentIdOptions").BeginObject().Key("DefaultDocumentIdFormat");
  json.String(config.document_ids ? "FIREHOSE_DEFAULT" : "NO_DOCUMENT_ID").EndObject();
}

}  // namespace sluice::delivery
