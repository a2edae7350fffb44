// Rows 1 to 4, 7, 16 and 24: appends over the native protocol beside the bare ingest server.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/broker_process.h"
#include "tools/bench/ingest_bound.h"
#include "tools/bench/json_lines.h"
#include "tools/bench/layout_bound.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/native_load.h"
#include "tools/bench/turns.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {

namespace {

/// How a row drives the server.
struct Shape {
  std::size_t connections = 1;
  std::size_t depth = 1;
  std::size_t records = 1;  // per request
  Ack ack = Ack::kDurable;
  std::uint32_t shards = 4;
  double requests_per_second = 0;  // 0: as many as come back
  std::uint64_t retention_bytes = std::uint64_t{1} << 30;
  double seconds_factor = 1;  // of the seconds that a workload takes
};

void SetShape(const BenchOptions& options, const Shape& shape, LoadOptions& load) {
  load.connections = shape.connections;
  load.depth = shape.depth;
  load.seconds = options.seconds * shape.seconds_factor;
  load.requests_per_second = shape.requests_per_second;
}

Result<LoadResult> MeasureBound(const BenchOptions& options, const Shape& shape, bool commit_thread) {
  auto bound =
      IngestBound::Start({.dir = options.dir, .flush = shape.ack == Ack::kDurable, .commit_thread = commit_thread});
  if (!bound) return Error(bound.error());
  LoadOptions load;
  load.port = (*bound)->port();
  SetShape(options, shape, load);
  std::string payload;
  for (std::size_t i = 0; i < shape.records; ++i) payload += JsonLine(i, kRecordBytes);
  load.requests = {IngestBound::Request(payload)};
  load.answer_size = [](std::string_view bytes) -> Result<std::size_t> {
    return bytes.size() < IngestBound::kAnswerBytes ? 0 : IngestBound::kAnswerBytes;
  };
  return RunLoad(load);
}

Result<LoadResult> MeasureOurs(const BenchOptions& options, const Shape& shape) {
  auto broker = BrokerProcess::Start(options, "append");
  if (!broker) return Error(broker.error());
  auto stream = (*broker)->CreateStream("bench", shape.shards, Retention{.age = {}, .bytes = shape.retention_bytes});
  if (!stream) return Error(stream.error());
  if (Status status = WarmUp(**broker, *stream, shape.shards); !status.ok()) return Error(status);
  LoadOptions load = AppendLoad((*broker)->native_port(), *stream, shape.shards, shape.records, shape.ack);
  SetShape(options, shape, load);
  return RunLoad(load);
}

Result<Measured> Measure(const BenchOptions& options, const Shape& shape) {
  return TakeTurns({.rounds = options.rounds,
                    .open_loop = shape.requests_per_second > 0,
                    .ours = [&] { return MeasureOurs(options, shape); },
                    .bound = [&](bool commit_thread) { return MeasureBound(options, shape, commit_thread); }});
}

/// What a latency may be: an absolute target, unless the bare server itself comes near it on this machine. Then it is
/// the ratio that row 1 asks of its p99.
struct LatencyTargets {
  LatencyTargets(double goal, double floor, double bound)
      : goal_us(std::max(goal, bound / 0.78)), floor_us(std::max(floor, bound / 0.60)) {}
  double goal_us;
  double floor_us;
};

Figure Rate(int row, std::string name, Measured& measured, std::size_t records) {
  Figure figure{.row = row, .name = std::move(name), .unit = "rec/s"};
  figure.value = measured.ours.requests_per_second() * static_cast<double>(records);
  figure.bound = measured.bound.requests_per_second() * static_cast<double>(records);
  figure.note = Percentiles(measured.ours) + "; bound " + Percentiles(measured.bound);
  return figure;
}

Figure Bandwidth(int row, std::string name, Measured& measured, std::size_t records) {
  Figure figure = Rate(row, std::move(name), measured, records);
  figure.unit = "MB/s";
  figure.value *= kRecordBytes / 1e6;
  *figure.bound *= kRecordBytes / 1e6;
  return figure;
}

}  // namespace

Result<std::vector<Figure>> BenchSingle(const BenchOptions& options) {
  auto measured = Measure(options, Shape{});
  if (!measured) return Error(measured.error());
  Figure p50{.row = 1,
             .name = "durable, 1 in flight, p50",
             .unit = "us",
             .better = Better::kLower,
             .goal = 0.85,
             .floor = 0.70};
  p50.value = measured->ours.latency.PercentileUs(50);
  p50.bound = measured->bound.latency.PercentileUs(50);
  Figure p99 = p50;
  p99.name = "durable, 1 in flight, p99";
  p99.value = measured->ours.latency.PercentileUs(99);
  p99.bound = measured->bound.latency.PercentileUs(99);
  p99.goal = 0.78;
  p99.floor = 0.60;
  return std::vector<Figure>{p50, p99};
}

Result<std::vector<Figure>> BenchMany(const BenchOptions& options) {
  auto measured = Measure(options, Shape{.connections = 64});
  if (!measured) return Error(measured.error());
  Figure figure = Rate(2, "durable, 64 connections", *measured, 1);
  figure.goal = 0.85;
  figure.floor = 0.66;
  return std::vector<Figure>{figure};
}

Result<std::vector<Figure>> BenchPipelined(const BenchOptions& options) {
  auto measured = Measure(options, Shape{.connections = 64, .depth = 16});
  if (!measured) return Error(measured.error());
  Figure figure = Rate(3, "durable, 64 connections x 16 deep", *measured, 1);
  figure.goal = 0.82;
  figure.floor = 0.57;
  return std::vector<Figure>{figure};
}

Result<std::vector<Figure>> BenchBatches(const BenchOptions& options) {
  auto measured = Measure(options, Shape{.connections = 16, .depth = 2, .records = 64});
  if (!measured) return Error(measured.error());
  Figure figure = Bandwidth(4, "durable, 64 KiB batches x 32 in flight", *measured, 64);
  figure.goal = 0.83;
  figure.floor = 0.58;
  return std::vector<Figure>{figure};
}

Result<std::vector<Figure>> BenchWritten(const BenchOptions& options) {
  auto many = Measure(options, Shape{.connections = 64, .ack = Ack::kWritten});
  if (!many) return Error(many.error());
  Figure rate = Rate(7, "written, 64 connections", *many, 1);
  rate.goal = 0.86;
  rate.floor = 0.69;
  auto batches = Measure(options, Shape{.connections = 16, .depth = 2, .records = 64, .ack = Ack::kWritten});
  if (!batches) return Error(batches.error());
  Figure bandwidth = Bandwidth(7, "written, 64 KiB batches x 32 in flight", *batches, 64);
  bandwidth.goal = 0.80;
  bandwidth.floor = 0.61;
  auto layout = MeasureLayoutBound({.dir = options.dir, .seconds = options.seconds, .shards = 4});
  if (!layout) return Error(layout.error());
  bandwidth.note += fmt::format("; each byte written twice, as it must be: {:.0f} MB/s", *layout);
  return std::vector<Figure>{rate, bandwidth};
}

Result<std::vector<Figure>> BenchSteady(const BenchOptions& options) {
  const Shape shape{.connections = 64, .depth = 64, .requests_per_second = 50'000};
  auto measured = Measure(options, shape);
  if (!measured) return Error(measured.error());
  const auto figure = [&](const char* percentile, double percent, double goal_us, double floor_us) {
    const LatencyTargets targets(goal_us, floor_us, measured->bound.latency.PercentileUs(percent));
    Figure f{.row = 24, .unit = "us", .better = Better::kLower, .goal = targets.goal_us, .floor = targets.floor_us};
    f.name = fmt::format("durable, 50k rec/s open loop, {}", percentile);
    f.value = measured->ours.latency.PercentileUs(percent);
    f.note = fmt::format("{:.0f} rec/s answered; bound {}", measured->ours.requests_per_second(),
                         Percentiles(measured->bound));
    return f;
  };
  return std::vector<Figure>{figure("p50", 50, 250, 400), figure("p99", 99, 800, 1'500),
                             figure("p99.9", 99.9, 2'000, 5'000)};
}

Result<std::vector<Figure>> BenchRetention(const BenchOptions& options) {
  constexpr double kBytesPerSecond = 50e6;
  Shape shape{.connections = 16, .depth = 64, .records = 4};
  shape.requests_per_second = kBytesPerSecond / static_cast<double>(shape.records * kRecordBytes);
  shape.retention_bytes = std::uint64_t{256} << 20;  // reached in the warm-up
  shape.seconds_factor = 5;                          // checkpoints come each ten seconds
  auto measured = Measure(options, shape);
  if (!measured) return Error(measured.error());
  const LatencyTargets targets(500, 2'000, measured->bound.latency.PercentileUs(99.9));
  Figure figure{.row = 16,
                .name = "append p99.9, 50 MB/s while retention runs",
                .unit = "us",
                .better = Better::kLower,
                .goal = targets.goal_us,
                .floor = targets.floor_us};
  figure.value = measured->ours.latency.PercentileUs(99.9);
  figure.note =
      fmt::format("durable, open loop; {}; bound {}", Percentiles(measured->ours), Percentiles(measured->bound));
  return std::vector<Figure>{figure};
}

}  // namespace sluice::tools
