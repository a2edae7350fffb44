// The metrics by their places in a table, which are bits of what is stored: names are only added at its end.
#include "broker/api/kinesis/shard_metrics.h"

#include <array>
#include <string_view>

#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::array<std::string_view, 7> kMetrics = {"IncomingBytes",
                                                      "IncomingRecords",
                                                      "OutgoingBytes",
                                                      "OutgoingRecords",
                                                      "WriteProvisionedThroughputExceeded",
                                                      "ReadProvisionedThroughputExceeded",
                                                      "IteratorAgeMilliseconds"};
constexpr std::uint32_t kAll = (1u << kMetrics.size()) - 1;

}  // namespace

const Shape& ShardMetricsInputShape() {
  static const Shape metric = [] {
    std::vector<std::string_view> names(kMetrics.begin(), kMetrics.end());
    names.emplace_back("ALL");
    return Shape::Text().OneOf(std::move(names));
  }();
  static const Shape metrics = Shape::List(metric).Length(1, kMetrics.size());
  static const Shape shape = StreamInputShape().Member("ShardLevelMetrics", metrics, Required::kYes);
  return shape;
}

std::uint32_t ReadShardMetrics(const aws::Call& call) {
  std::uint32_t metrics = 0;
  for (const auto [unnamed, name] : call.input().Find("ShardLevelMetrics")->children()) {
    if (name.kind() != protocol::aws::Kind::kText) continue;
    if (name.text() == "ALL") return kAll;
    for (std::size_t i = 0; i < kMetrics.size(); ++i) {
      if (name.text() == kMetrics[i]) metrics |= 1u << i;
    }
  }
  return metrics;
}

void WriteShardMetrics(protocol::aws::Writer& writer, std::uint32_t metrics) {
  writer.BeginList();
  for (std::size_t i = 0; i < kMetrics.size(); ++i) {
    if ((metrics >> i & 1) != 0) writer.Text(kMetrics[i]);
  }
  writer.EndList();
}

ApiResult<std::string> ChangeShardMetrics(const Context& context, const aws::Call& call, DesiredMetrics desired) {
  std::uint32_t before = 0;
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    before = stream.kinesis.shard_metrics;
    stream.kinesis.shard_metrics = desired(before, ReadShardMetrics(call));
    return std::nullopt;
  });
  if (!changed) return std::unexpected(changed.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamName").Text((*changed)->name);
  WriteShardMetrics(writer->Name("CurrentShardLevelMetrics"), before);
  WriteShardMetrics(writer->Name("DesiredShardLevelMetrics"), (*changed)->kinesis.shard_metrics);
  writer->Name("StreamARN").Text(StreamArn((*changed)->name, call.caller()));
  writer->EndMap();
  return writer->Take();
}

}  // namespace sluice::broker::kinesis
