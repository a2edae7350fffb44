// Shapes, defaults, merging and rules of an HTTP endpoint.
#include "broker/api/firehose/http_destination.h"

#include "broker/api/firehose/service_destination.h"
#include "broker/api/firehose/shapes.h"
#include "broker/delivery/endpoints/http_endpoint.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

/// As AWS, which takes https:// only, but for endpoints of this machine.
const Shape& UrlShape() {
  static const Shape shape = Shape::Text().Length(1, 1000).Pattern("https://.*", kUrlPattern, "");
  return shape;
}

const Shape& EndpointShape() {
  static const Shape name = Shape::Text().Length(1, 256).Pattern(R"(^(?!\s*$).+)", ".+", R"(\s*)");
  static const Shape key = Shape::Text().Length(0, 4096).Pattern(".*");
  static const Shape shape =
      Shape::Structure().Member("Url", UrlShape(), Required::kYes).Member("Name", name).Member("AccessKey", key);
  return shape;
}

const Shape& HintsShape() {
  static const Shape size = Shape::Integer().Range(1, 64);
  static const Shape interval = Shape::Integer().Range(0, 900);
  static const Shape shape = Shape::Structure().Member("SizeInMBs", size).Member("IntervalInSeconds", interval);
  return shape;
}

const Shape& RequestShape() {
  static const Shape encoding = Shape::Text().OneOf({"NONE", "GZIP"});
  static const Shape name = Shape::Text().Length(1, 256).Pattern(R"(^(?!\s*$).+)", ".+", R"(\s*)");
  static const Shape value = Shape::Text().Length(0, 1024).Pattern(".*");
  static const Shape attribute =
      Shape::Structure().Member("AttributeName", name, Required::kYes).Member("AttributeValue", value, Required::kYes);
  static const Shape attributes = Shape::List(attribute).Length(0, 50);
  static const Shape shape =
      Shape::Structure().Member("ContentEncoding", encoding).Member("CommonAttributes", attributes);
  return shape;
}

Shape HttpEndpoint(Required required) {
  static const Shape mode = Shape::Text().OneOf({"FailedDataOnly", "AllData"});
  const bool make = required == Required::kYes;
  return Shape::Structure()
      .Member("EndpointConfiguration", EndpointShape(), required)
      .Member("BufferingHints", HintsShape())
      .Member("CloudWatchLoggingOptions", LoggingShape())
      .Member("RequestConfiguration", RequestShape())
      .Member("ProcessingConfiguration", ProcessingShape())
      .Member("RoleARN", RoleArnShape())
      .Member("RetryOptions", RetryShape())
      .Member("S3BackupMode", mode)
      .Member(make ? "S3Configuration" : "S3Update", make ? S3ConfigurationShape() : S3UpdateShape(), required)
      .Member("SecretsManagerConfiguration", SecretsManagerShape());
}

Json HttpDescribed(const Json& destination) {
  Json described = destination;
  SetServiceDefaults(described, delivery::HttpEndpointKind());
  Json request =
      Find(described, "RequestConfiguration") != nullptr ? *Find(described, "RequestConfiguration") : MapNode();
  SetDefault(request, "ContentEncoding", TextNode("NONE"));
  SetDefault(request, "CommonAttributes", ListNode());
  Set(described, "RequestConfiguration", std::move(request));
  return described;
}

/// Nobody is told the key.
void WriteHttp(const Json& described, protocol::aws::Writer& writer) {
  Json told = described;
  Json endpoint = *Find(told, "EndpointConfiguration");
  Remove(endpoint, "AccessKey");
  Set(told, "EndpointConfiguration", std::move(endpoint));
  Write(told, writer.Name("HttpEndpointDestinationDescription"));
}

/// An endpoint that is given without its key keeps the one that it has: who changes the URL has not seen it.
Json HttpMerged(Json destination, const Json& update) {
  const std::string key(TextOf(Find(destination, "EndpointConfiguration"), "AccessKey"));
  Json merged = Merged(std::move(destination), update);
  Json endpoint = *Find(merged, "EndpointConfiguration");
  if (!key.empty()) SetDefault(endpoint, "AccessKey", TextNode(key));
  Set(merged, "EndpointConfiguration", std::move(endpoint));
  return merged;
}

std::optional<ApiError> CheckHttp(const Json& destination, NeedsTable) { return CheckService(destination); }

const Shape& ConfigurationShape() {
  static const Shape shape = HttpEndpoint(Required::kYes);
  return shape;
}

const Shape& UpdateShape() {
  static const Shape shape = HttpEndpoint(Required::kNo);
  return shape;
}

}  // namespace

DestinationKind HttpEndpointKind() {
  return {.configuration = "HttpEndpointDestinationConfiguration",
          .update = "HttpEndpointDestinationUpdate",
          .keeps_backup = false,
          .configuration_shape = ConfigurationShape,
          .update_shape = UpdateShape,
          .described = HttpDescribed,
          .write = WriteHttp,
          .merged = HttpMerged,
          .check = CheckHttp};
}

}  // namespace sluice::broker::firehose
