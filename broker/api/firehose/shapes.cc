// As the service model has them.
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& NameShape() {
  static const Shape shape = Shape::Text().Length(1, 64).Pattern("[a-zA-Z0-9_.-]+");
  return shape;
}

const Shape& TypeShape() {
  static const Shape shape =
      Shape::Text().OneOf({"DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"});
  return shape;
}

const Shape& BooleanShape() {
  static const Shape shape = Shape::Boolean();
  return shape;
}

const Shape& PageSizeShape() {
  static const Shape shape = Shape::Integer().Range(1, 10'000);
  return shape;
}

const Shape& DestinationIdShape() {
  static const Shape shape = Shape::Text().Length(1, 100).Pattern("[a-zA-Z0-9-]+");
  return shape;
}

const Shape& RoleArnShape() {
  static const Shape shape = Shape::Text().Length(1, 512).Pattern(R"(arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+)");
  return shape;
}

const Shape& TagKeyShape() {
  static const Shape shape = Shape::Text().Length(1, 128).Pattern(R"(^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$)",
                                                                  R"([\p{L}\p{Z}\p{N}_.:/=+\-@%]*)", "(?s)aws:.*");
  return shape;
}

const Shape& TagListShape() {
  static const Shape value = Shape::Text().Length(0, 256).Pattern(R"(^[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$)");
  static const Shape tag = Shape::Structure().Member("Key", TagKeyShape(), Required::kYes).Member("Value", value);
  static const Shape shape = Shape::List(tag).Length(1, 50);
  return shape;
}

const Shape& RecordShape() {
  static const Shape data = Shape::Blob().Length(0, 1'024'000);
  static const Shape shape = Shape::Structure().Member("Data", data, Required::kYes);
  return shape;
}

const Shape& EncryptionInputShape() {
  static const Shape arn =
      Shape::Text().Length(1, 512).Pattern(R"(arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:key/[a-zA-Z_0-9+=,.@\-_/]+)");
  static const Shape type = Shape::Text().OneOf({"AWS_OWNED_CMK", "CUSTOMER_MANAGED_CMK"});
  static const Shape shape = Shape::Structure().Member("KeyARN", arn).Member("KeyType", type, Required::kYes);
  return shape;
}

const Shape& DirectPutSourceShape() {
  static const Shape hint = Shape::Integer().Range(1, 100);
  static const Shape shape = Shape::Structure().Member("ThroughputHintInMBs", hint, Required::kYes);
  return shape;
}

const Shape& KinesisSourceShape() {
  static const Shape arn =
      Shape::Text().Length(1, 512).Pattern(R"(arn:.*:kinesis:[a-zA-Z0-9\-]+:\d{12}:stream/[a-zA-Z0-9_.-]+)");
  static const Shape shape = Shape::Structure()
                                 .Member("KinesisStreamARN", arn, Required::kYes)
                                 .Member("RoleARN", RoleArnShape(), Required::kYes);
  return shape;
}

const Shape& UnservedShape() {
  static const Shape shape = Shape::Structure();
  return shape;
}

Shape NamedInputShape() { return Shape::Structure().Member("DeliveryStreamName", NameShape(), Required::kYes); }

}  // namespace sluice::broker::firehose
