// As the service model has them; the patterns of numbers as today's AWS prints them.
#include "broker/api/kinesis/shapes.h"

#include <cstdint>

namespace sluice::broker::kinesis {

using protocol::aws::Shape;

const Shape& StreamNameShape() {
  static const Shape shape = Shape::Text().Length(1, 128).Pattern("[a-zA-Z0-9_.-]+");
  return shape;
}

const Shape& StreamArnShape() {
  static const Shape shape = Shape::Text().Length(1, 2048).Pattern(R"(arn:aws.*:kinesis:.*:\d{12}:stream/\S+)");
  return shape;
}

const Shape& ResourceArnShape() {
  static const Shape shape = Shape::Text().Length(1, 2048).Pattern(R"(arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+)");
  return shape;
}

const Shape& ConsumerNameShape() { return StreamNameShape(); }

const Shape& ConsumerArnShape() {
  static const Shape shape = Shape::Text().Length(1, 2048).Pattern(
      R"(^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+)");
  return shape;
}

const Shape& ShardIdShape() { return StreamNameShape(); }

const Shape& PlaceTypeShape() {
  static const Shape shape =
      Shape::Text().OneOf({"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"});
  return shape;
}

const Shape& SequenceNumberShape() {
  static const Shape shape = Shape::Text().Pattern(R"(^(0|([1-9]\d{0,128}))$)");
  return shape;
}

const Shape& HashKeyShape() {
  static const Shape shape = Shape::Text().Pattern(R"(^(0|([1-9]\d{0,38}))$)");
  return shape;
}

const Shape& NextTokenShape() {
  static const Shape shape = Shape::Text().Length(1, 1'048'576);
  return shape;
}

const Shape& TimestampShape() {
  static const Shape shape = Shape::Timestamp();
  return shape;
}

const Shape& BooleanShape() {
  static const Shape shape = Shape::Boolean();
  return shape;
}

const Shape& IntegerShape() {
  static const Shape shape = Shape::Integer();
  return shape;
}

const Shape& PositiveIntegerShape() {
  static const Shape shape = Shape::Integer().Range(1, INT32_MAX);
  return shape;
}

const Shape& PageSizeShape() {
  static const Shape shape = Shape::Integer().Range(1, 10'000);
  return shape;
}

const Shape& RecordSizeShape() {
  static const Shape shape = Shape::Integer().Range(1'024, 10'240);
  return shape;
}

const Shape& TagKeyShape() {
  static const Shape shape = Shape::Text().Length(1, 128);
  return shape;
}

const Shape& TagMapShape() {
  static const Shape value = Shape::Text().Length(0, 256);
  static const Shape shape = Shape::Map(TagKeyShape(), value).Length(1, 200);
  return shape;
}

const Shape& TagKeyListShape() {
  static const Shape shape = Shape::List(TagKeyShape()).Length(1, 50);
  return shape;
}

Shape StreamInputShape() {
  return Shape::Structure().Member("StreamName", StreamNameShape()).Member("StreamARN", StreamArnShape());
}

Shape ConsumerInputShape() {
  return Shape::Structure()
      .Member("StreamARN", StreamArnShape())
      .Member("ConsumerName", ConsumerNameShape())
      .Member("ConsumerARN", ConsumerArnShape());
}

}  // namespace sluice::broker::kinesis
