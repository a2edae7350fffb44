// Shapes, defaults and rules of Redshift.
#include "broker/api/firehose/redshift_destination.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/service_destination.h"
#include "broker/api/firehose/shapes.h"
#include "broker/delivery/redshift/jdbc_url.h"
#include "broker/delivery/redshift/redshift_destination.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

/// As AWS, but for clusters elsewhere.
const Shape& UrlShape() {
  static const Shape shape = Shape::Text().Length(1, 512).Pattern(
      R"(jdbc:(redshift|postgresql)://((?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+(redshift(-serverless)?)\.([a-zA-Z0-9\.\-]+):\d{1,5}/[a-zA-Z0-9_$-]+)",
      "jdbc:(redshift|postgresql)://.+", "");
  return shape;
}

const Shape& CopyCommandShape() {
  static const Shape table = Shape::Text().Length(1, 512).Pattern(".*");
  static const Shape text = Shape::Text().Length(0, 10'240).Pattern(".*");
  static const Shape shape = Shape::Structure()
                                 .Member("DataTableName", table, Required::kYes)
                                 .Member("DataTableColumns", text)
                                 .Member("CopyOptions", text);
  return shape;
}

Shape Redshift(Required required) {
  static const Shape username = Shape::Text().Length(1, 512).Pattern(".*");
  static const Shape password = Shape::Text().Length(6, 512).Pattern(".*");
  static const Shape mode = Shape::Text().OneOf({"Disabled", "Enabled"});
  const bool make = required == Required::kYes;
  return Shape::Structure()
      .Member("RoleARN", RoleArnShape(), required)
      .Member("ClusterJDBCURL", UrlShape(), required)
      .Member("CopyCommand", CopyCommandShape(), required)
      .Member("Username", username)
      .Member("Password", password)
      .Member("RetryOptions", RetryShape())
      .Member(make ? "S3Configuration" : "S3Update", make ? S3ConfigurationShape() : S3UpdateShape(), required)
      .Member("ProcessingConfiguration", ProcessingShape())
      .Member("S3BackupMode", mode)
      .Member(make ? "S3BackupConfiguration" : "S3BackupUpdate", make ? S3ConfigurationShape() : S3UpdateShape())
      .Member("CloudWatchLoggingOptions", LoggingShape())
      .Member("SecretsManagerConfiguration", SecretsManagerShape());
}

const Shape& ConfigurationShape() {
  static const Shape shape = Redshift(Required::kYes);
  return shape;
}

const Shape& UpdateShape() {
  static const Shape shape = Redshift(Required::kNo);
  return shape;
}

Json RedshiftDescribed(const Json& destination) {
  Json described = destination;
  SetCommonDefaults(described, delivery::kLoadRetrySecondsDefault);
  SetDefault(described, "S3BackupMode", TextNode("Disabled"));
  DescribeBackup(described);
  return described;
}

/// Nobody is told the password.
void WriteRedshift(const Json& described, protocol::aws::Writer& writer) {
  Json told = described;
  Remove(told, "Password");
  Write(told, writer.Name("RedshiftDestinationDescription"));
}

/// Files take what is not encrypted with a warning, for which an answer has no place.
std::optional<ApiError> CheckUrl(std::string_view text) {
  const Result<delivery::JdbcUrl> url = delivery::ParseJdbcUrl(text);
  if (!url) return InvalidArgument("ClusterJDBCURL " + url.error().message());
  constexpr std::array<std::string_view, 3> kHosts = {"localhost", "127.0.0.1", "::1"};
  constexpr std::array<std::string_view, 3> kPlain = {"disable", "allow", "prefer"};
  if (std::ranges::find(kPlain, url->ssl_mode) == kPlain.end()) return std::nullopt;
  if (std::ranges::find(kHosts, url->host) != kHosts.end()) return std::nullopt;
  return InvalidArgument(
      fmt::format("ClusterJDBCURL cannot have sslmode={}, but for localhost, 127.0.0.1 and [::1].", url->ssl_mode));
}

std::optional<ApiError> CheckRedshift(const Json& destination, NeedsTable) {
  if (auto wrong = CheckUrl(TextOf(&destination, "ClusterJDBCURL"))) return wrong;
  const Json* const command = Find(destination, "CopyCommand");
  const std::string problem =
      delivery::CopyCommandProblem({.table = std::string(TextOf(command, "DataTableName")),
                                    .columns = std::string(TextOf(command, "DataTableColumns")),
                                    .copy_options = std::string(TextOf(command, "CopyOptions"))});
  if (!problem.empty()) return InvalidArgument("CopyCommand: " + problem);
  const std::string_view compression = TextOf(Find(destination, "S3Configuration"), "CompressionFormat");
  if (!compression.empty() && compression != "UNCOMPRESSED" && compression != "GZIP") {
    return InvalidArgument(fmt::format(
        "CompressionFormat {} is not supported by the Redshift COPY operation; it must be UNCOMPRESSED or GZIP.",
        compression));
  }
  if (auto wrong = CheckService(destination)) return wrong;
  if (auto wrong = CheckBackup(destination)) return wrong;
  for (const std::string_view name : {"Username", "Password"}) {
    if (TextOf(&destination, name).empty() && !HasSecret(destination))
      return InvalidArgument(fmt::format("{} cannot be null or empty.", name));
  }
  return std::nullopt;
}

}  // namespace

DestinationKind RedshiftKind() {
  return {.configuration = "RedshiftDestinationConfiguration",
          .update = "RedshiftDestinationUpdate",
          .joins_records = true,
          .configuration_shape = ConfigurationShape,
          .update_shape = UpdateShape,
          .described = RedshiftDescribed,
          .write = WriteRedshift,
          .merged = Merged,
          .check = CheckRedshift};
}

}  // namespace sluice::broker::firehose
