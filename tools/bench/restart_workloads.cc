// Rows 17 to 19: how long a restart takes, and what a shard costs.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/blocking_client.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/native_load.h"
#include "tools/bench/scan_bound.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kBatchRecords = 64;

constexpr double kGiB = 1u << 30;

/// Appends at least `bytes` of records over all shards of a new stream; returns how many.
Result<std::uint64_t> FillShards(BrokerProcess& broker, const std::string& name, std::uint32_t shards,
                                 std::uint64_t bytes) {
  auto stream = broker.CreateStream(name, shards);
  if (!stream) return Error(stream.error());
  LoadOptions load = AppendLoad(broker.native_port(), *stream, shards, kBatchRecords);
  load.depth = 2;
  load.warm_up_seconds = 0;
  load.seconds = 0.5;
  std::uint64_t done = 0;
  while (done < bytes) {
    auto result = RunLoad(load);
    if (!result) return Error(result.error());
    done += result->requests * kBatchRecords * kRecordBytes;
  }
  return done;
}

Status AppendOneToEach(std::uint16_t port, std::uint32_t stream, std::uint32_t shards) {
  constexpr std::uint32_t kInFlight = 100;
  auto client = BlockingClient::Connect(port);
  if (!client) return client.error();
  for (std::uint32_t first = 0; first < shards; first += kInFlight) {
    const std::uint32_t end = std::min(first + kInFlight, shards);
    std::string messages;
    for (std::uint32_t shard = first; shard < end; ++shard) messages += AppendMessageFor(stream, shard, 1, 400);
    if (Status status = (*client)->Send(messages); !status.ok()) return status;
    for (std::uint32_t shard = first; shard < end; ++shard) {
      if (auto answer = (*client)->Receive(); !answer) return answer.error();
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Figure>> BenchReplay(const BenchOptions& options) {
  constexpr std::uint64_t kJournalBytes = std::uint64_t{2} << 30;
  auto bound = MeasureScanBound(options.dir);
  if (!bound) return Error(bound.error());
  // A journal large enough that no checkpoint shortens the replay, and memory enough that it has nothing to write.
  auto broker = BrokerProcess::Start(options, "replay",
                                     {{"SLUICE_STORAGE__JOURNAL_BYTES_MAX", "16GiB"},
                                      {"SLUICE_STORAGE__CHECKPOINT_INTERVAL", "1h"},
                                      {"SLUICE_STORAGE__TAIL_BYTES_MAX", "16GiB"}});
  if (!broker) return Error(broker.error());
  auto bytes = FillShards(**broker, "bench", 16, kJournalBytes);
  if (!bytes) return Error(bytes.error());
  auto seconds = (*broker)->Restart(SIGKILL);
  if (!seconds) return Error(seconds.error());
  Figure figure{.row = 17,
                .name = "restart after kill -9, per GiB of journal",
                .unit = "s",
                .better = Better::kLower,
                .bound = *bound,
                .goal = 0.72,
                .floor = 0.48};
  const double gib = static_cast<double>(*bytes) / kGiB;
  figure.value = *seconds / gib;
  figure.note = fmt::format("{:.2f} s from exec to ready for {:.1f} GiB of records", *seconds, gib);
  return std::vector<Figure>{figure};
}

Result<std::vector<Figure>> BenchRestart(const BenchOptions& options) {
  constexpr std::uint32_t kShards = 1'000;
  constexpr std::uint64_t kBytes = std::uint64_t{8} << 30;
  auto broker = BrokerProcess::Start(options, "restart");
  if (!broker) return Error(broker.error());
  auto bytes = FillShards(**broker, "bench", kShards, kBytes);
  if (!bytes) return Error(bytes.error());
  auto clean = (*broker)->Restart(SIGTERM);
  if (!clean) return Error(clean.error());
  auto more = FillShards(**broker, "more", kShards, std::uint64_t{256} << 20);
  if (!more) return Error(more.error());
  auto crash = (*broker)->Restart(SIGKILL);
  if (!crash) return Error(crash.error());
  Figure a{.row = 18,
           .name = "restart, 1,000 shards, clean",
           .unit = "s",
           .better = Better::kLower,
           .goal = 0.1,
           .floor = 0.3};
  a.value = *clean;
  a.note = fmt::format("{:.1f} GiB of records; a clean start reads no segment, so 100 GiB would cost the same",
                       static_cast<double>(*bytes) / kGiB);
  Figure b{.row = 18,
           .name = "restart, 2,000 shards, after kill -9",
           .unit = "s",
           .better = Better::kLower,
           .goal = 1,
           .floor = 2};
  b.value = *crash;
  b.note = fmt::format("after {:.1f} GiB since the clean start", static_cast<double>(*more) / kGiB);
  return std::vector<Figure>{a, b};
}

Result<std::vector<Figure>> BenchShards(const BenchOptions& options) {
  constexpr std::uint32_t kStreams = 5;
  constexpr std::uint32_t kShardsEach = 10'000;  // as many as a stream may have
  constexpr std::uint32_t kShards = kStreams * kShardsEach;
  auto broker = BrokerProcess::Start(options, "shards");
  if (!broker) return Error(broker.error());
  const std::uint64_t before = (*broker)->ResidentBytes();
  std::vector<std::uint32_t> streams;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < kStreams; ++i) {
    auto stream = (*broker)->CreateStream(fmt::format("bench-{}", i), kShardsEach);
    if (!stream) return Error(stream.error());
    streams.push_back(*stream);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Figure create{.row = 19, .name = "create a shard", .unit = "ms", .better = Better::kLower, .goal = 0.5, .floor = 1};
  create.value = seconds * 1000 / kShards;
  create.note = fmt::format("{} shards in {} streams, {:.2f} s", kShards, kStreams, seconds);

  // One small record in each: the shard is in use, then idle.
  for (const std::uint32_t stream : streams) {
    Status status = AppendOneToEach((*broker)->native_port(), stream, kShardsEach);
    if (!status.ok()) return Error(status);
  }
  Figure memory{.row = 19,
                .name = "memory of a used, idle shard",
                .unit = "KiB",
                .better = Better::kLower,
                .goal = 6,
                .floor = 16};
  memory.value = static_cast<double>((*broker)->ResidentBytes() - before) / 1024 / kShards;
  memory.note = fmt::format("{} shards held", kShards);
  return std::vector<Figure>{create, memory};
}

}  // namespace sluice::tools
