// DescribeStreamSummary: a stream without its shards.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_mode.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = StreamInputShape();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = AccessStream(context, call, "DescribeStreamSummary");
  if (!stream) return std::unexpected(stream.error());
  const StreamState state = context.lifecycle->StateOf(**stream);
  const StreamPtr told = context.lifecycle->Told(*stream);
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamDescriptionSummary").BeginMap();
  WriteIdentity(*writer, *told, state, OwnerOf(call));
  WriteSettings(*writer, *told);
  if (state != StreamState::kCreating) {
    writer->Name("OpenShardCount").Integer(static_cast<std::int64_t>((*stream)->shards.ranges().size()));
  }
  writer->Name("ConsumerCount").Integer(static_cast<std::int64_t>((*stream)->kinesis.consumers.size()));
  if (told->kinesis.warm_mibps != 0) WriteWarmThroughput(*writer, told->kinesis);
  writer->Name("MaxRecordSizeInKiB").Integer(told->kinesis.record_kib_max);
  if (told->kinesis.on_demand) writer->Name("RecordDistributionStrategy").Text(DistributionOf(told->kinesis));
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation DescribeStreamSummary(const Context& context) {
  return {"DescribeStreamSummary", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::kinesis
