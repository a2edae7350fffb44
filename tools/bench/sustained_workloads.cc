// Rows 5, 6 and 23: what holds over time: bandwidth on fresh and recycled segments, memory.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "tools/bench/broker_process.h"
#include "tools/bench/layout_bound.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/native_load.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kBatchRecords = 64;
constexpr std::uint32_t kShards = 64;
constexpr double kSustainedFactor = 20;  // these rows run 20 times as long as the others (60 s by default)

struct Stream {
  std::unique_ptr<BrokerProcess> broker;
  std::uint32_t stream_id = 0;
};

Result<Stream> StartStream(const BenchOptions& options, std::uint32_t shards, std::uint64_t retention_bytes) {
  auto broker = BrokerProcess::Start(options, "sustained");
  if (!broker) return Error(broker.error());
  auto stream = (*broker)->CreateStream("bench", shards, Retention{.age = {}, .bytes = retention_bytes});
  if (!stream) return Error(stream.error());
  return Stream{std::move(*broker), *stream};
}

LoadOptions BatchLoad(const Stream& stream, double seconds) {
  LoadOptions load = AppendLoad(stream.broker->native_port(), stream.stream_id, kShards, kBatchRecords);
  load.seconds = seconds;
  return load;
}

double MegabytesPerSecond(const LoadResult& result) {
  return result.requests_per_second() * static_cast<double>(kBatchRecords * kRecordBytes) / 1e6;
}

std::string Tail(LoadResult& result) {
  return fmt::format("durable, 64 shards; p99 {:.1f} p99.9 {:.1f} ms", result.latency.PercentileUs(99) / 1000,
                     result.latency.PercentileUs(99.9) / 1000);
}

}  // namespace

Result<std::vector<Figure>> BenchSustained(const BenchOptions& options) {
  const double seconds = options.seconds * kSustainedFactor;
  auto recycled_bound =
      MeasureLayoutBound({.dir = options.dir, .seconds = options.seconds, .shards = kShards, .recycled = true});
  if (!recycled_bound) return Error(recycled_bound.error());
  auto fresh_bound =
      MeasureLayoutBound({.dir = options.dir, .seconds = options.seconds, .shards = kShards, .recycled = false});
  if (!fresh_bound) return Error(fresh_bound.error());

  // Fresh: until each shard's retention (8 GiB over 64 shards) begins to free segments; recycled: after that.
  auto stream = StartStream(options, kShards, std::uint64_t{8} << 30);
  if (!stream) return Error(stream.error());
  auto fresh = RunLoad(BatchLoad(*stream, options.seconds * 2));
  if (!fresh) return Error(fresh.error());
  auto filling = RunLoad(BatchLoad(*stream, options.seconds * 5));
  if (!filling) return Error(filling.error());
  auto sustained = RunLoad(BatchLoad(*stream, seconds));
  if (!sustained) return Error(sustained.error());

  Figure five{.row = 5,
              .name = fmt::format("durable, sustained {:.0f} s, recycled segments", seconds),
              .unit = "MB/s",
              .goal = 0.78,
              .floor = 0.52};
  five.value = MegabytesPerSecond(*sustained);
  five.bound = *recycled_bound;
  five.note = Tail(*sustained);
  Figure six{.row = 6, .name = "durable, fresh segments", .unit = "MB/s", .goal = 500, .floor = 400};
  six.value = MegabytesPerSecond(*fresh);
  six.note = fmt::format("bound {:.0f} MB/s; {}", *fresh_bound, Tail(*fresh));
  return std::vector<Figure>{five, six};
}

Result<std::vector<Figure>> BenchMemory(const BenchOptions& options) {
  auto stream = StartStream(options, kShards, std::uint64_t{4} << 30);
  if (!stream) return Error(stream.error());
  Figure idle{
      .row = 23, .name = "memory of an idle broker", .unit = "MB", .better = Better::kLower, .goal = 24, .floor = 64};
  idle.value = static_cast<double>(stream->broker->ResidentBytes()) / 1e6;
  LoadOptions load = BatchLoad(*stream, options.seconds * 3);
  load.requests_per_second = 1e9 / (kBatchRecords * kRecordBytes);
  auto result = RunLoad(load);
  if (!result) return Error(result.error());
  Figure busy{
      .row = 23, .name = "memory under ingest", .unit = "MB", .better = Better::kLower, .goal = 256, .floor = 512};
  busy.value = static_cast<double>(stream->broker->ResidentBytes()) / 1e6;
  busy.note = fmt::format("durable, {:.0f} MB/s offered, {:.0f} taken", 1000.0, MegabytesPerSecond(*result));
  return std::vector<Figure>{idle, busy};
}

}  // namespace sluice::tools
