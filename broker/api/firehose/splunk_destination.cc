// Shapes, defaults and rules of Splunk's collector.
#include "broker/api/firehose/splunk_destination.h"

#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/service_destination.h"
#include "broker/api/firehose/shapes.h"
#include "broker/delivery/endpoints/splunk_endpoint.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::int64_t kAckSeconds = 180;

const Shape& HintsShape() {
  static const Shape size = Shape::Integer().Range(1, 5);
  static const Shape interval = Shape::Integer().Range(0, 60);
  static const Shape shape = Shape::Structure().Member("IntervalInSeconds", interval).Member("SizeInMBs", size);
  return shape;
}

Shape Splunk(Required required) {
  static const Shape text = Shape::Text().Length(0, 2048).Pattern(".*");
  static const Shape type = Shape::Text().OneOf({"Raw", "Event"});
  static const Shape timeout = Shape::Integer().Range(180, 600);
  static const Shape mode = Shape::Text().OneOf({"FailedEventsOnly", "AllEvents"});
  const bool make = required == Required::kYes;
  return Shape::Structure()
      .Member("HECEndpoint", text, required)
      .Member("HECEndpointType", type, required)
      .Member("HECToken", text)
      .Member("HECAcknowledgmentTimeoutInSeconds", timeout)
      .Member("RetryOptions", RetryShape())
      .Member("S3BackupMode", mode)
      .Member(make ? "S3Configuration" : "S3Update", make ? S3ConfigurationShape() : S3UpdateShape(), required)
      .Member("ProcessingConfiguration", ProcessingShape())
      .Member("CloudWatchLoggingOptions", LoggingShape())
      .Member("BufferingHints", HintsShape())
      .Member("SecretsManagerConfiguration", SecretsManagerShape());
}

const Shape& ConfigurationShape() {
  static const Shape shape = Splunk(Required::kYes);
  return shape;
}

const Shape& UpdateShape() {
  static const Shape shape = Splunk(Required::kNo);
  return shape;
}

Json SplunkDescribed(const Json& destination) {
  Json described = destination;
  SetServiceDefaults(described, delivery::SplunkKind());
  SetDefault(described, "HECAcknowledgmentTimeoutInSeconds", NumberNode(kAckSeconds));
  return described;
}

/// The token is told, as AWS does.
void WriteSplunk(const Json& described, protocol::aws::Writer& writer) {
  Write(described, writer.Name("SplunkDestinationDescription"));
}

std::optional<ApiError> CheckSplunk(const Json& destination, NeedsTable) {
  if (!IsServiceUrl(TextOf(&destination, "HECEndpoint"))) {
    return InvalidArgument("HECEndpoint must begin with https:// (or http:// of localhost, 127.0.0.1 or [::1]).");
  }
  if (auto wrong = CheckService(destination)) return wrong;
  if (HasSecret(destination)) {
    if (Find(Find(destination, "SecretsManagerConfiguration"), "RoleARN") != nullptr) return std::nullopt;
    return InvalidArgument("RoleARN of SecretsManagerConfiguration is required for Splunk.");
  }
  if (TextOf(&destination, "HECToken").empty()) return InvalidArgument("HECToken cannot be null or empty.");
  return std::nullopt;
}

}  // namespace

DestinationKind SplunkKind() {
  return {.configuration = "SplunkDestinationConfiguration",
          .update = "SplunkDestinationUpdate",
          .joins_records = true,
          .configuration_shape = ConfigurationShape,
          .update_shape = UpdateShape,
          .described = SplunkDescribed,
          .write = WriteSplunk,
          .merged = Merged,
          .check = CheckSplunk};
}

}  // namespace sluice::broker::firehose
