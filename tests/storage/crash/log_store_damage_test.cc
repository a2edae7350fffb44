// Flipped bits, cut and missing files: the log never gives wrong bytes and never loses an acknowledged record in
// silence. Silence is the point: refusing to start, naming a quarantined shard, or kCorruption from a read are all
// right.
#include "tests/catch.h"
#include "tests/storage/crash/simulation.h"

namespace sluice::storage {
namespace {

enum class End { kClean, kCut };

/// Work that leaves every kind of file, ended cleanly or by a power cut.
Simulation::Saved Prepare(Simulation& sim, End end) {
  sim.MustStart();
  sim.RandomWork(400);
  sim.Settle();
  // Damage in the newest group looks like a write that was torn, until the mark behind it says that it was flushed.
  sim.WaitForMark();
  if (end == End::kClean) {
    REQUIRE(sim.CloseCleanly().ok());
  } else {
    sim.Crash({.unsynced = Unsynced::kLost});
  }
  return sim.Save();
}

/// Starts on damaged files. Returns true where the damage was told of, and fails the test where it did harm in silence.
bool StartsHonestly(Simulation& sim) {
  const std::uint64_t refused = sim.refused_reads();
  const Status status = sim.Start();
  if (!status.ok()) {
    INFO(status.ToString());
    REQUIRE((status.code() == Code::kCorruption || status.code() == Code::kUnimplemented));
    REQUIRE(!status.message().empty());
    sim.Crash({});
    return true;
  }
  sim.Verify(/*may_be_damaged=*/true);
  const bool told = !sim.report().quarantined.empty() || sim.refused_reads() > refused;
  sim.Crash({});
  return told;
}

TEST_CASE("LogStore Open: a flipped bit anywhere is never taken for data", "[storage][crash]") {
  const End end = GENERATE(End::kClean, End::kCut);
  Simulation sim(11);
  const Simulation::Saved saved = Prepare(sim, end);
  std::uint64_t told = 0;
  for (const auto& [path, bytes] : saved.files) {
    const std::uint64_t step = 1 + bytes.size() / 16;
    for (std::uint64_t at = sim.Below(step); at < bytes.size(); at += step) {
      INFO(path << " byte " << at << " of " << bytes.size());
      sim.Restore(saved);
      sim.env().FlipBit(path, at * 8 + sim.Below(8));
      if (StartsHonestly(sim)) ++told;
    }
  }
  CHECK(told > 0);
}

TEST_CASE("LogStore Open: a cut file is never taken for whole", "[storage][crash]") {
  const End end = GENERATE(End::kClean, End::kCut);
  Simulation sim(12);
  const Simulation::Saved saved = Prepare(sim, end);
  for (const auto& [path, bytes] : saved.files) {
    for (int i = 0; i < 6 && !bytes.empty(); ++i) {
      const std::uint64_t size = i == 0 ? 0 : sim.Below(bytes.size());
      INFO(path << " cut from " << bytes.size() << " to " << size);
      sim.Restore(saved);
      sim.env().TruncateByHand(path, size);
      StartsHonestly(sim);
    }
  }
}

TEST_CASE("LogStore Open: a missing file is never passed over", "[storage][crash]") {
  const End end = GENERATE(End::kClean, End::kCut);
  Simulation sim(13);
  const Simulation::Saved saved = Prepare(sim, end);
  for (const auto& [path, bytes] : saved.files) {
    INFO(path << " removed");
    sim.Restore(saved);
    sim.env().RemoveByHand(path);
    StartsHonestly(sim);
  }
}

TEST_CASE("LogStore Open: a segment in another's place is found out", "[storage][crash]") {
  Simulation sim(14);
  const Simulation::Saved saved = Prepare(sim, End::kClean);
  for (const auto& [path, bytes] : saved.files) {
    for (const auto& [other, other_bytes] : saved.files) {
      if (path == other || !path.ends_with(".seg") || !other.ends_with(".seg") || sim.Below(3) != 0) continue;
      INFO(path << " replaced by a copy of " << other);
      sim.Restore(saved);
      sim.env().WriteByHand(path, other_bytes);
      StartsHonestly(sim);
    }
  }
}

}  // namespace
}  // namespace sluice::storage
