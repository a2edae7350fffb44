// Each call of the log to the disk fails in turn: what was acknowledged stays, a failed sync is the last one, a full
// disk is a pause.
#include <chrono>
#include <thread>

#include "tests/catch.h"
#include "tests/storage/crash/simulation.h"

namespace sluice::storage {
namespace {

using Call = MemoryEnv::Call;

/// Start, work and a clean end with the `nth` call of `kind` failing. False where there was no such call.
bool RunWithFailure(Call kind, int nth, Code code, Unsynced unsynced) {
  Simulation sim(static_cast<std::uint64_t>(nth));
  sim.env().FailCall(kind, nth, code);
  const Status started = sim.Start();
  if (started.ok()) {
    sim.RandomWork(60);
    sim.Settle();
    (void)sim.CloseCleanly();  // may fail; may also work in spite of the failure
  } else {
    CHECK(sim.env().failures() == 1);
  }
  const bool failed = sim.env().failures() > 0;
  sim.Crash({.unsynced = unsynced});
  sim.MustStart();
  return failed;
}

TEST_CASE("LogStore: each call to the disk fails in turn", "[storage][crash]") {
  const Call kind = GENERATE(Call::kOpen, Call::kRead, Call::kWrite, Call::kSync, Call::kTruncate, Call::kRename,
                             Call::kRemove, Call::kSyncDir, Call::kList, Call::kMakeDirs, Call::kLock);
  const Code code = GENERATE(Code::kIoError, Code::kResourceExhausted);
  const Unsynced unsynced = GENERATE(Unsynced::kLost, Unsynced::kKept);
  if (code == Code::kResourceExhausted && kind == Call::kSync) return;  // Env: always kIoError
  CAPTURE(static_cast<int>(kind), CodeName(code), static_cast<int>(unsynced));
  for (int nth = 1; nth <= 60; ++nth) {
    CAPTURE(nth);
    if (!RunWithFailure(kind, nth, code, unsynced)) break;
  }
}

TEST_CASE("LogWriter Append: no durable acknowledgement after a failed sync", "[storage][crash]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Simulation sim(seed);
    sim.MustStart();
    sim.RandomWork(50);
    sim.Settle();
    sim.env().FailCall(Call::kSync, static_cast<int>(1 + sim.Below(5)));
    sim.RandomWork(100);
    sim.Settle();
    const std::uint64_t before = sim.acknowledged();
    if (sim.env().failures() > 0 && !sim.store().stats().writable) {
      sim.Append(0, AckMode::kDurable);
      sim.Settle();
      CHECK(sim.acknowledged() == before);
    }
    // The kernel lives on with pages that look written: only the start-up order of the log tells them from the disk.
    sim.Crash({.unsynced = Unsynced::kKept});
    sim.MustStart();
    sim.Crash({.unsynced = Unsynced::kLost});
    sim.MustStart();
  }
}

TEST_CASE("LogStore: a full disk is a pause", "[storage][crash]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    Simulation sim(seed);
    sim.MustStart();
    sim.RandomWork(80);
    sim.Settle();
    sim.WaitForMark();  // what was only written would be shown once there is space again
    sim.env().SetDiskFull(true);
    // Some wait for room, the rest is refused.
    for (int i = 0; i < 200 || (i < 100'000 && !sim.store().stats().disk_full); ++i) {
      sim.Append(static_cast<std::uint32_t>(sim.Below(Simulation::kShards)), AckMode::kDurable);
      sim.Turn();
    }
    CHECK(sim.store().stats().disk_full);
    sim.Verify();  // reads go on
    sim.env().SetDiskFull(false);
    for (int i = 0; i < 10'000 && sim.store().stats().disk_full; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the store's threads try again by themselves
    }
    REQUIRE_FALSE(sim.store().stats().disk_full);
    sim.WaitUntilReady();
    sim.Settle();
    const std::uint64_t before = sim.acknowledged();
    sim.Append(0, AckMode::kDurable);
    sim.Settle();
    CHECK(sim.acknowledged() == before + 1);
    sim.Crash({.unsynced = Unsynced::kLost});
    sim.MustStart();
  }
}

}  // namespace
}  // namespace sluice::storage
