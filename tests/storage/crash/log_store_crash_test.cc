// Random work on the log with the power cut at random moments, also in the middle of recovery: nothing acknowledged or
// shown is lost, nothing is twice, nothing has changed. The number of runs: SLUICE_CRASH_SEEDS (default: a few).
#include <cstdlib>

#include "tests/catch.h"
#include "tests/storage/crash/simulation.h"

namespace sluice::storage {
namespace {

using Call = MemoryEnv::Call;

std::uint64_t Seeds(std::uint64_t usual) {
  const char* const text = std::getenv("SLUICE_CRASH_SEEDS");
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

CrashOptions RandomCrash(Simulation& sim) {
  constexpr Unsynced kKinds[] = {Unsynced::kLost, Unsynced::kRandom, Unsynced::kRandom, Unsynced::kKept};
  return {.unsynced = kKinds[sim.Below(4)], .block_bytes = sim.Below(2) == 0 ? 512u : 4096u};
}

/// Cuts the power during recovery up to three times, then lets it end.
void Recover(Simulation& sim) {
  for (std::uint64_t cuts = sim.Below(4); cuts > 0; --cuts) {
    sim.env().PowerOffAtCall(Call::kAny, static_cast<int>(1 + sim.Below(60)));
    const Status status = sim.Start();
    INFO(status.ToString());
    if (!status.ok()) REQUIRE(!sim.env().powered());
    if (status.ok()) sim.ShowEnds();
    sim.Crash(RandomCrash(sim));
  }
  sim.MustStart();
}

void CrashingRun(std::uint64_t seed) {
  INFO("seed " << seed);
  Simulation sim(seed);
  sim.MustStart();
  for (int round = 0; round < 6; ++round) {
    sim.env().PowerOffAtCall(Call::kAny, static_cast<int>(1 + sim.Below(400)));
    sim.RandomWork(static_cast<int>(20 + sim.Below(200)));
    sim.Crash(RandomCrash(sim));
    Recover(sim);
  }
  REQUIRE(sim.CloseCleanly().ok());
  sim.MustStart();
  CHECK(sim.report().clean_shutdown);
}

TEST_CASE("LogStore Open: nothing acknowledged is lost in a power cut at any call", "[storage][crash]") {
  for (std::uint64_t seed = 1; seed <= Seeds(60); ++seed) CrashingRun(seed);
}

TEST_CASE("LogStore Open: recovery twice is recovery once", "[storage][crash]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    Simulation sim(seed);
    sim.MustStart();
    sim.RandomWork(150);
    sim.Settle();
    for (int i = 0; i < 4; ++i) {
      sim.Crash({.unsynced = Unsynced::kLost});
      sim.MustStart();
    }
  }
}

/// Every workload of a few steps with the power cut at every single call of it.
TEST_CASE("LogStore: short workloads with the power cut at each call in turn", "[storage][crash]") {
  for (const Unsynced unsynced : {Unsynced::kLost, Unsynced::kRandom}) {
    for (int nth = 1;; ++nth) {
      INFO("call " << nth);
      Simulation sim(static_cast<std::uint64_t>(nth));
      sim.env().PowerOffAtCall(Call::kAny, nth);
      if (sim.Start().ok()) {
        for (std::uint32_t i = 0; i < 3 && sim.env().powered(); ++i) {
          sim.Append(i % 2, AckMode::kDurable);
          sim.Settle();
        }
        if (sim.env().powered() && sim.CloseCleanly().ok() && sim.env().powered()) break;
      }
      sim.Crash({.unsynced = unsynced, .block_bytes = 512});
      sim.MustStart();
    }
  }
}

/// Leaves what only the cache of the machine has: groups that nobody flushed, or whose flush has failed.
void FillCacheOnly(Simulation& sim, bool flush_fails) {
  sim.MustStart();
  sim.RandomWork(40);
  sim.Settle();
  if (flush_fails) sim.env().FailCall(Call::kSync, 1);
  for (std::uint32_t i = 0; i < Simulation::kShards; ++i) {
    sim.Append(i, flush_fails ? AckMode::kDurable : AckMode::kWritten);
  }
  sim.Settle();
  sim.Crash({.unsynced = Unsynced::kKept});
}

/// Recovery reads what the disk holds, not what the cache shows: the power goes at each call of it in turn, and in the
/// first moment after it, before any checkpoint has stored what was replayed.
TEST_CASE("LogStore Open: what readers are shown after a kill survives a power cut", "[storage][crash]") {
  const bool flush_fails = GENERATE(false, true);
  CAPTURE(flush_fails);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    bool started = false;
    for (int nth = 1; !started; ++nth) {
      INFO("seed " << seed << ", call " << nth);
      Simulation sim(seed);
      FillCacheOnly(sim, flush_fails);
      sim.env().PowerOffAtCall(Call::kAny, nth);
      started = sim.Start().ok();
      if (started) sim.ShowEnds();
      sim.Crash({.unsynced = Unsynced::kLost});
      sim.MustStart();
    }
  }
}

}  // namespace
}  // namespace sluice::storage
