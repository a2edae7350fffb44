// One entry per kind.
#include "broker/api/firehose/destination_kind.h"

#include <algorithm>
#include <array>

#include "broker/api/firehose/http_destination.h"
#include "broker/api/firehose/redshift_destination.h"
#include "broker/api/firehose/search_destination.h"
#include "broker/api/firehose/shapes.h"
#include "broker/api/firehose/splunk_destination.h"
#include "protocol/check.h"

namespace sluice::broker::firehose {
namespace {

void WriteS3(const Json& described, protocol::aws::Writer& writer) {
  Write(PlainPart(described), writer.Name("S3DestinationDescription"));
  Write(described, writer.Name("ExtendedS3DestinationDescription"));
}

DestinationKind S3Kind() {
  return {.configuration = "ExtendedS3DestinationConfiguration",
          .update = "ExtendedS3DestinationUpdate",
          .joins_records = true,
          .configuration_shape = ExtendedS3ConfigurationShape,
          .update_shape = ExtendedS3UpdateShape,
          .described = Described,
          .write = WriteS3,
          .merged = Merged,
          .check = CheckDestination};
}

}  // namespace

std::span<const DestinationKind> DestinationKinds() {
  static const std::array kKinds = {S3Kind(),         HttpEndpointKind(),  SplunkKind(),
                                    OpenSearchKind(), ElasticsearchKind(), RedshiftKind()};
  return kKinds;
}

Json AsConfiguration(const Json& update) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kNames = {
      {{"S3Update", "S3Configuration"}, {"S3BackupUpdate", "S3BackupConfiguration"}}};
  Json configuration = update;
  for (delivery::ConfigField& field : configuration.fields) {
    const auto* const renamed = std::ranges::find(kNames, field.key, [](const auto& name) { return name.first; });
    if (renamed != kNames.end()) field.key = renamed->second;
  }
  return configuration;
}

const DestinationKind& KindOf(const Json& given) {
  const auto kinds = DestinationKinds();
  const auto found = std::ranges::find_if(
      kinds, [&](const DestinationKind& kind) { return Find(given, kind.configuration) != nullptr; });
  SLUICE_CHECK(found != kinds.end());
  return *found;
}

}  // namespace sluice::broker::firehose
