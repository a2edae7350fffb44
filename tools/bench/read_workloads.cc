// Rows 13 to 15: reads of what is in memory, of what is only on disk, and the way of one record to a waiting consumer.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/blocking_client.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/histogram.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/native_load.h"
#include "tools/bench/send_bound.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kBatchRecords = 64;
constexpr std::uint64_t kReadBytes = 4u << 20;

using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Puts `bytes` into shard 0 and waits for the acknowledgements.
Status Fill(BlockingClient& client, std::uint32_t stream_id, std::uint64_t bytes) {
  constexpr int kInFlight = 16;
  const std::string append = AppendMessageFor(stream_id, 0, kBatchRecords);
  int in_flight = 0;
  for (std::uint64_t sent = 0; sent < bytes || in_flight > 0;) {
    if (sent < bytes && in_flight < kInFlight) {
      if (Status status = client.Send(append); !status.ok()) return status;
      sent += kBatchRecords * kRecordBytes;
      ++in_flight;
      continue;
    }
    if (auto answer = client.Receive(); !answer) return answer.error();
    --in_flight;
  }
  return {};
}

struct FilledBroker {
  std::unique_ptr<BrokerProcess> broker;
  std::uint32_t stream_id = 0;
};

Result<FilledBroker> StartFilled(const BenchOptions& options, std::uint64_t bytes) {
  auto broker = BrokerProcess::Start(options, "read");
  if (!broker) return Error(broker.error());
  auto stream = (*broker)->CreateStream("bench", 1);
  if (!stream) return Error(stream.error());
  auto client = BlockingClient::Connect((*broker)->native_port());
  if (!client) return Error(client.error());
  if (Status status = Fill(**client, *stream, bytes); !status.ok()) return Error(status);
  return FilledBroker{std::move(*broker), *stream};
}

/// Asks the kernel to forget every file below `dir`, so that reads come from the disk.
void DropCaches(const std::string& dir) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
  }
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Reads shard 0 from start to end; MB/s.
Result<double> ReplayOnce(const FilledBroker& filled) {
  auto client = BlockingClient::Connect(filled.broker->native_port());
  if (!client) return Error(client.error());
  const auto start = Clock::now();
  std::uint64_t total = 0;
  for (std::uint64_t offset = 0;;) {
    std::uint64_t bytes = 0;
    auto answer = (*client)->Read(filled.stream_id, 0, offset, kReadBytes, bytes);
    if (!answer) return Error(answer.error());
    total += bytes;
    offset = answer->next_offset;
    if (offset >= answer->end_offset) break;
  }
  return static_cast<double>(total) / 1e6 / SecondsSince(start);
}

}  // namespace

Result<std::vector<Figure>> BenchTailRead(const BenchOptions& options) {
  constexpr std::uint64_t kHotBytes = 64u << 20;  // fits the tail cache
  auto filled = StartFilled(options, kHotBytes);
  if (!filled) return Error(filled.error());
  std::vector<double> ours;
  std::vector<double> bounds;
  for (int round = 0; round < options.rounds; ++round) {
    auto bound = MeasureSendBound({.seconds = options.seconds});
    if (!bound) return Error(bound.error());
    bounds.push_back(*bound);
    LoadOptions load = NativeLoad(filled->broker->native_port());
    load.depth = 2;
    load.seconds = options.seconds;
    load.requests = {ReadMessageFor(filled->stream_id, 0, 0, kReadBytes, 0)};
    auto result = RunLoad(load);
    if (!result) return Error(result.error());
    ours.push_back(static_cast<double>(result->answer_bytes) / 1e6 / result->seconds);
  }
  Figure figure{.row = 13, .name = "tail read, hot, 1 consumer", .unit = "MB/s", .goal = 0.8, .floor = 0.58};
  figure.value = Median(ours);
  figure.bound = Median(bounds);
  figure.note = "durable records, frames as stored";
  return std::vector<Figure>{figure};
}

Result<std::vector<Figure>> BenchColdReplay(const BenchOptions& options) {
  constexpr std::uint64_t kColdBytes = std::uint64_t{2} << 30;
  auto filled = StartFilled(options, kColdBytes);
  if (!filled) return Error(filled.error());
  std::vector<double> ours;
  std::vector<double> bounds;
  for (int round = 0; round < options.rounds; ++round) {
    if (auto restarted = filled->broker->Restart(SIGTERM); !restarted) return Error(restarted.error());
    auto bound = MeasureSendBound({.seconds = options.seconds, .dir = options.dir, .file_bytes = kColdBytes});
    if (!bound) return Error(bound.error());
    bounds.push_back(*bound);
    DropCaches(filled->broker->data_dir());
    auto result = ReplayOnce(*filled);
    if (!result) return Error(result.error());
    ours.push_back(*result);
  }
  Figure figure{.row = 14, .name = "cold replay to a socket", .unit = "MB/s", .goal = 0.8, .floor = 0.53};
  figure.value = Median(ours);
  figure.bound = Median(bounds);
  figure.note = "2 GiB, page cache dropped";
  return std::vector<Figure>{figure};
}

Result<std::vector<Figure>> BenchEndToEnd(const BenchOptions& options) {
  auto filled = StartFilled(options, kBatchRecords * kRecordBytes);
  if (!filled) return Error(filled.error());
  auto producer = BlockingClient::Connect(filled->broker->native_port());
  auto consumer = BlockingClient::Connect(filled->broker->native_port());
  if (!producer) return Error(producer.error());
  if (!consumer) return Error(consumer.error());
  const std::string append = AppendMessageFor(filled->stream_id, 0, 1);
  Histogram latency;
  std::uint64_t offset = kBatchRecords;
  const auto start = Clock::now();
  while (SecondsSince(start) < options.seconds) {
    if (Status sent = (*consumer)->Send(ReadMessageFor(filled->stream_id, 0, offset++, kReadBytes, 10'000)); !sent.ok())
      return Error(sent);
    const auto appended = Clock::now();
    if (Status sent = (*producer)->Send(append); !sent.ok()) return Error(sent);
    if (auto answer = (*consumer)->Receive(); !answer) return Error(answer.error());
    latency.Add((Clock::now() - appended).count());
    if (auto answer = (*producer)->Receive(); !answer) return Error(answer.error());
  }
  const auto figure = [&](const char* name, double percent, double goal_us, double floor_us) {
    Figure result{.row = 15,
                  .name = fmt::format("produce to waiting consumer, durable, {}", name),
                  .unit = "us",
                  .better = Better::kLower};
    result.value = latency.PercentileUs(percent);
    result.goal = goal_us;
    result.floor = floor_us;
    return result;
  };
  return std::vector<Figure>{figure("p50", 50, 200, 300), figure("p99", 99, 500, 1'000)};
}

}  // namespace sluice::tools
