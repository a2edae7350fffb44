// Parts of destinations that are services.
#include "broker/api/firehose/service_destination.h"

#include <algorithm>
#include <array>

#include "broker/api/firehose/destination.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& RetryShape() {
  static const Shape duration = Shape::Integer().Range(0, 7200);
  static const Shape shape = Shape::Structure().Member("DurationInSeconds", duration);
  return shape;
}

const Shape& SecretsManagerShape() {
  static const Shape secret = Shape::Text().Length(1, 2048).Pattern(
      R"(arn:.*:secretsmanager:[a-zA-Z0-9\-]+:\d{12}:secret:[a-zA-Z0-9\-/_+=.@!]+)");
  static const Shape shape = Shape::Structure()
                                 .Member("SecretARN", secret)
                                 .Member("RoleARN", RoleArnShape())
                                 .Member("Enabled", BooleanShape(), Required::kYes);
  return shape;
}

void SetServiceDefaults(Json& described, const delivery::EndpointKind& kind) {
  SetHintsDefault(described, delivery::kEndpointSizeMbDefault, kind.interval_s_default);
  SetCommonDefaults(described, kind.retry_s_default, kind.lambda_buffer_mb);
  SetDefault(described, "S3BackupMode", TextNode(kind.failed_only));
}

void SetCommonDefaults(Json& described, std::uint64_t retry_s, std::string_view lambda_buffer_mb) {
  SetLoggingDefault(described);
  SetProcessingDefaults(described, lambda_buffer_mb);
  SetRetryDefault(described, static_cast<std::int64_t>(retry_s));
  for (delivery::ConfigField& field : described.fields) {
    if (field.key != "S3Configuration") continue;
    SetPlainDefaults(field.value, false);
    field.key = "S3DestinationDescription";
  }
}

std::optional<ApiError> CheckService(const Json& destination) {
  if (auto wrong = CheckPlainPart(*Find(destination, "S3Configuration"))) return wrong;
  if (auto wrong = CheckHints(*Find(destination, "S3Configuration"))) return wrong;
  if (auto wrong = CheckHints(destination)) return wrong;
  if (auto wrong = CheckProcessing(destination)) return wrong;
  const Json* const manager = Find(destination, "SecretsManagerConfiguration");
  if (HasSecret(destination) && Find(manager, "SecretARN") == nullptr)
    return InvalidArgument("SecretARN is required when SecretsManagerConfiguration is enabled.");
  return std::nullopt;
}

bool HasSecret(const Json& destination) {
  return BooleanOf(Find(destination, "SecretsManagerConfiguration"), "Enabled", false);
}

bool IsServiceUrl(std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::array<std::string_view, 3> kHosts = {"localhost", "127.0.0.1", "[::1]"};
  if (!url.starts_with(kPlain)) return url.starts_with("https://");
  url.remove_prefix(kPlain.size());
  return std::ranges::any_of(kHosts, [url](std::string_view host) {
    return url.starts_with(host) && (url.size() == host.size() || std::string_view(":/?").contains(url[host.size()]));
  });
}

}  // namespace sluice::broker::firehose
