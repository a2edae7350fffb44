// Crashes and failing calls at every step: what was acknowledged is there afterwards, in order, and nothing else but
// what was on its way.
#include <map>
#include <set>
#include <vector>

#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {
namespace {

using Strings = std::vector<std::string>;

LogStoreOptions CrashOptionsSmall() {
  LogStoreOptions options = SmallOptions();
  options.journal_bytes_max = 256u << 10;  // checkpoints come often
  options.segment_bytes = 16u << 10;
  return options;
}

/// What a run did, per shard.
struct History {
  std::map<ShardId, Strings> tried;
  std::map<ShardId, std::size_t> acked;
  std::map<ShardId, Offset> trimmed_to;
};

std::string Value(ShardId id, std::size_t number) {
  return ToString(id) + " " + std::to_string(number) + std::string(100 + number * 7919 % 3000, '.');
}

/// Appends in turns of a few records to both shards until `turns` are done or something fails.
bool Append(TestLog& log, History& history, int turns) {
  for (int turn = 0; turn < turns; ++turn) {
    std::vector<std::pair<ShardId, std::shared_ptr<std::optional<TestLog::Answer>>>> answers;
    for (const ShardId id : {kShardA, kShardB, kShardA}) {
      Strings& tried = history.tried[id];
      tried.push_back(Value(id, tried.size()));
      answers.emplace_back(id, log.Start(MakeBatch(tried.back()), id));
    }
    const bool all = log.loop.RunUntil(
        [&] { return std::ranges::all_of(answers, [](const auto& each) { return each.second->has_value(); }); });
    REQUIRE(all);
    for (const auto& [id, answer] : answers) {
      if (!answer->value().has_value()) return false;
      CHECK(answer->value()->base_offset.value == history.acked[id]);
      ++history.acked[id];
    }
  }
  return true;
}

/// Start, work, retention, a clean restart, work: every kind of file is made, rolled, recycled and let go of.
void Work(TestLog& log, History& history) {
  if (!log.TryOpen().ok()) return;
  if (!Append(log, history, 25)) return;
  RetentionPolicy policy;
  policy.bytes_max = 20'000;
  log.store().ApplyRetention(kShardA, policy);
  history.trimmed_to[kShardA] = log.shard()->oldest();
  if (!Append(log, history, 10)) return;
  if (!log.Close().ok()) return;
  if (!log.TryOpen().ok()) return;
  Append(log, history, 10);
}

void CheckRecovered(TestLog& log, History& history) {
  INFO(log.report.quarantined.size() << " quarantined: "
                                     << (log.report.quarantined.empty() ? "" : log.report.quarantined.front()));
  CHECK(log.report.quarantined.empty());
  for (const ShardId id : {kShardA, kShardB}) {
    const auto shard = log.shard(id);
    const std::size_t end = shard->durable_end().value;
    const std::size_t oldest = shard->oldest().value;
    INFO("shard " << ToString(id) << ": " << oldest << " to " << end << ", acknowledged " << history.acked[id]);
    REQUIRE(end >= history.acked[id]);
    REQUIRE(end <= history.tried[id].size());
    REQUIRE(oldest <= history.trimmed_to[id].value);
    const Strings expected(history.tried[id].begin() + static_cast<std::ptrdiff_t>(oldest),
                           history.tried[id].begin() + static_cast<std::ptrdiff_t>(end));
    REQUIRE(ReadAll(*shard) == expected);
    // What was on its way and is there counts from now on; what is not is never tried again under its old number.
    history.tried[id].resize(end);
    history.acked[id] = end;
  }
}

void RunWithPowerCuts(const CrashOptions& crash, std::uint64_t step) {
  bool cut = true;
  for (std::uint64_t n = 1; cut; n += step) {
    INFO("power cut at call " << n);
    MemoryEnv env(n);
    History history;
    TestLog log(env, CrashOptionsSmall());
    env.PowerOffAtCall(MemoryEnv::Call::kAny, static_cast<int>(n));
    Work(log, history);
    cut = !env.powered();
    if (cut) {
      log.Kill();
      env.PowerOn(crash);
      if (n % 3 == 0) {  // the recovery is cut off as well
        env.PowerOffAtCall(MemoryEnv::Call::kAny, static_cast<int>(n % 37 + 1));
        (void)log.TryOpen();
        log.Kill();
        if (env.powered()) env.PowerOff();
        env.PowerOn(crash);
      }
    } else {
      log.Kill();
      env.Crash(crash);  // the fuse is still lit
    }
    log.Open();
    CheckRecovered(log, history);
    REQUIRE(Append(log, history, 2));
    REQUIRE(log.Close().ok());
    log.Open();
    CheckRecovered(log, history);
  }
}

}  // namespace

TEST_CASE("LogStore: power cut at every step, unsynced data lost", "[storage]") {
  RunWithPowerCuts({.unsynced = Unsynced::kLost}, 1);
}

TEST_CASE("LogStore: power cut at every step, unsynced blocks of 512 bytes kept at random", "[storage]") {
  RunWithPowerCuts({.unsynced = Unsynced::kRandom, .block_bytes = 512}, 1);
}

TEST_CASE("LogStore: power cut at every step, unsynced blocks of 4096 bytes kept at random", "[storage]") {
  RunWithPowerCuts({.unsynced = Unsynced::kRandom, .block_bytes = 4096}, 1);
}

TEST_CASE("LogStore: process killed at every step", "[storage]") { RunWithPowerCuts({.unsynced = Unsynced::kKept}, 1); }

TEST_CASE("LogStore: each call fails in turn; no acknowledged record is lost", "[storage]") {
  int failed = 1;
  for (int n = 1; failed > 0; ++n) {
    INFO("call " << n << " fails");
    MemoryEnv env(static_cast<std::uint64_t>(n));
    History history;
    TestLog log(env, CrashOptionsSmall());
    env.FailCall(MemoryEnv::Call::kAny, n);
    Work(log, history);
    failed = env.failures();
    log.Kill();
    env.ClearFailures();
    env.Crash({.unsynced = n % 2 == 0 ? Unsynced::kKept : Unsynced::kLost});
    log.Open();
    CheckRecovered(log, history);
    REQUIRE(Append(log, history, 2));
    REQUIRE(log.Close().ok());
  }
}

}  // namespace sluice::storage
