// What the destinations that are services have in common in the API: retries, the bucket for what they do not take,
// secrets elsewhere. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/api/firehose/json_tree.h"
#include "broker/delivery/endpoints/endpoint_registry.h"
#include "protocol/aws/error.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::firehose {

const protocol::aws::Shape& RetryShape();
const protocol::aws::Shape& SecretsManagerShape();

/// Those of logging, processing and retries. S3Configuration becomes S3DestinationDescription, with the defaults of a
/// plain destination.
void SetCommonDefaults(Json& described, std::uint64_t retry_s,
                       std::string_view lambda_buffer_mb = delivery::kLambdaBufferMbDefault);
/// The same, and those of hints and backup that the delivery stage has for this kind.
void SetServiceDefaults(Json& described, const delivery::EndpointKind& kind);

/// Whether SecretsManagerConfiguration is enabled: what a secret holds need not stand in the destination.
bool HasSecret(const Json& destination);

std::optional<protocol::aws::ApiError> CheckService(const Json& destination);

/// https://.., or http://.. of this machine, whose tests have no certificate.
inline constexpr std::string_view kUrlPattern = R"(https://.*|http://(localhost|127\.0\.0\.1|\[::1\])([:/?].*)?)";
bool IsServiceUrl(std::string_view url);

}  // namespace sluice::broker::firehose
