// Shapes, defaults and rules of OpenSearch and Elasticsearch, which are the same but for their names.
#include "broker/api/firehose/search_destination.h"

#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/service_destination.h"
#include "broker/api/firehose/shapes.h"
#include "broker/delivery/endpoints/search_config.h"
#include "broker/delivery/endpoints/search_endpoint.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::string_view kUnknownVpc = "vpc-00000000000000000";

const Shape& HintsShape() {
  static const Shape size = Shape::Integer().Range(1, 100);
  static const Shape interval = Shape::Integer().Range(0, 900);
  static const Shape shape = Shape::Structure().Member("IntervalInSeconds", interval).Member("SizeInMBs", size);
  return shape;
}

const Shape& DocumentIdShape() {
  static const Shape format = Shape::Text().OneOf({"FIREHOSE_DEFAULT", "NO_DOCUMENT_ID"});
  static const Shape shape = Shape::Structure().Member("DefaultDocumentIdFormat", format, Required::kYes);
  return shape;
}

const Shape& VpcShape() {
  static const Shape word = Shape::Text().Length(1, 1024).Pattern(R"(^\S+$)");
  static const Shape subnets = Shape::List(word).Length(1, 16);
  static const Shape groups = Shape::List(word).Length(1, 5);
  static const Shape shape = Shape::Structure()
                                 .Member("SubnetIds", subnets, Required::kYes)
                                 .Member("RoleARN", RoleArnShape(), Required::kYes)
                                 .Member("SecurityGroupIds", groups, Required::kYes);
  return shape;
}

/// As AWS, but for clusters of this machine.
const Shape& ClusterShape() {
  static const Shape shape = Shape::Text().Length(1, 512).Pattern("https:.*", kUrlPattern, "");
  return shape;
}

Shape Search(Required required) {
  static const Shape domain =
      Shape::Text().Length(1, 512).Pattern(R"(arn:.*:es:[a-zA-Z0-9\-]+:\d{12}:domain/[a-z][-0-9a-z]{2,27})");
  static const Shape index = Shape::Text().Length(1, 80).Pattern(".*");
  static const Shape type = Shape::Text().Length(0, 100).Pattern(".*");
  static const Shape rotation = Shape::Text().OneOf({"NoRotation", "OneHour", "OneDay", "OneWeek", "OneMonth"});
  static const Shape mode = Shape::Text().OneOf({"FailedDocumentsOnly", "AllDocuments"});
  const bool make = required == Required::kYes;
  Shape shape =
      Shape::Structure()
          .Member("RoleARN", RoleArnShape(), required)
          .Member("DomainARN", domain)
          .Member("ClusterEndpoint", ClusterShape())
          .Member("IndexName", index, required)
          .Member("TypeName", type)
          .Member("IndexRotationPeriod", rotation)
          .Member("BufferingHints", HintsShape())
          .Member("RetryOptions", RetryShape())
          .Member("S3BackupMode", mode)
          .Member(make ? "S3Configuration" : "S3Update", make ? S3ConfigurationShape() : S3UpdateShape(), required)
          .Member("ProcessingConfiguration", ProcessingShape())
          .Member("CloudWatchLoggingOptions", LoggingShape())
          .Member("DocumentIdOptions", DocumentIdShape());
  if (make) shape = std::move(shape).Member("VpcConfiguration", VpcShape());  // an update has none
  return shape;
}

const Shape& ConfigurationShape() {
  static const Shape shape = Search(Required::kYes);
  return shape;
}

const Shape& UpdateShape() {
  static const Shape shape = Search(Required::kNo);
  return shape;
}

/// Answers have another name for it, and the VPC of the subnets, which nobody here knows.
void DescribeVpc(Json& described) {
  for (delivery::ConfigField& field : described.fields) {
    if (field.key != "VpcConfiguration") continue;
    Set(field.value, "VpcId", TextNode(kUnknownVpc));
    field.key = "VpcConfigurationDescription";
  }
}

Json SearchDescribed(const Json& destination) {
  Json described = destination;
  SetServiceDefaults(described, delivery::OpenSearchKind());
  SetDefault(described, "IndexRotationPeriod", TextNode("OneDay"));
  DescribeVpc(described);
  return described;
}

/// An address of one form takes the place of that of the other.
Json SearchMerged(Json destination, const Json& update) {
  if (Find(update, "ClusterEndpoint") != nullptr) Remove(destination, "DomainARN");
  if (Find(update, "DomainARN") != nullptr) Remove(destination, "ClusterEndpoint");
  return Merged(std::move(destination), update);
}

std::optional<ApiError> CheckSearch(const Json& destination, NeedsTable) {
  if ((Find(destination, "DomainARN") == nullptr) == (Find(destination, "ClusterEndpoint") == nullptr))
    return InvalidArgument("Exactly one of DomainARN and ClusterEndpoint is required.");
  const std::string index = delivery::IndexProblem(TextOf(&destination, "IndexName"));
  if (!index.empty()) return InvalidArgument("IndexName " + index);
  return CheckService(destination);
}

void WriteOpenSearch(const Json& described, protocol::aws::Writer& writer) {
  Write(described, writer.Name("AmazonopensearchserviceDestinationDescription"));
}

void WriteElasticsearch(const Json& described, protocol::aws::Writer& writer) {
  Write(described, writer.Name("ElasticsearchDestinationDescription"));
}

DestinationKind Kind() {
  return {.configuration = "",
          .update = "",
          .configuration_shape = ConfigurationShape,
          .update_shape = UpdateShape,
          .described = SearchDescribed,
          .merged = SearchMerged,
          .check = CheckSearch};
}

}  // namespace

DestinationKind OpenSearchKind() {
  DestinationKind kind = Kind();
  kind.configuration = "AmazonopensearchserviceDestinationConfiguration";
  kind.update = "AmazonopensearchserviceDestinationUpdate";
  kind.write = WriteOpenSearch;
  return kind;
}

DestinationKind ElasticsearchKind() {
  DestinationKind kind = Kind();
  kind.configuration = "ElasticsearchDestinationConfiguration";
  kind.update = "ElasticsearchDestinationUpdate";
  kind.write = WriteElasticsearch;
  return kind;
}

}  // namespace sluice::broker::firehose
