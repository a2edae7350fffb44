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

const DestinationKind& KindOf(const Json& given) {
  const auto kinds = DestinationKinds();
  const auto found = std::ranges::find_if(
      kinds, [&](const DestinationKind& kind) { return Find(given, kind.configuration) != nullptr; });
  SLUICE_CHECK(found != kinds.end());
  return *found;
}

}  // namespace sluice::broker::firehose
