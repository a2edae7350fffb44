// DescribeStreamConsumer: a consumer by its ARN, or by its stream's ARN and its name.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = ConsumerInputShape();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto consumer = AccessConsumer(context, call, "DescribeStreamConsumer");
  if (!consumer) return std::unexpected(consumer.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("ConsumerDescription").BeginMap();
  WriteConsumer(*writer, *consumer, NameOf(consumer->state), OwnerOf(call));
  writer->Name("StreamARN").Text(StreamArn(consumer->stream->name, OwnerOf(call)));
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation DescribeStreamConsumer(const Context& context) {
  return {"DescribeStreamConsumer", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::kinesis
