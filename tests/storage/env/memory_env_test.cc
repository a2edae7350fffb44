// The faults and crashes of MemoryEnv: if these lie, every test that is built on them proves nothing.
#include "storage/env/memory_env.h"

#include <set>

#include "tests/catch.h"

namespace sluice::storage {
namespace {

using Call = MemoryEnv::Call;

struct Disk {
  explicit Disk(std::uint64_t seed = 1) : env(seed) { REQUIRE(env.MakeDirs("/d").ok()); }

  std::unique_ptr<File> Create(const std::string& path) { return env.Open(path, OpenMode::kCreate).value(); }
  std::unique_ptr<File> CreateDurable(const std::string& path, std::string_view bytes) {
    auto file = Create(path);
    REQUIRE(file->Write(0, bytes).ok());
    REQUIRE(file->Sync().ok());
    REQUIRE(env.SyncDir("/d").ok());
    return file;
  }
  std::vector<std::string> Names() { return env.List("/d").value(); }

  MemoryEnv env;
};

using Names = std::vector<std::string>;

template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.has_value() ? Status() : result.error();
}

TEST_CASE("MemoryEnv Crash: synced bytes under a synced name stay", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", "synced");
  REQUIRE(file->Write(6, " and not").ok());
  CHECK(disk.env.ReadByHand("/d/a") == "synced and not");
  CHECK(disk.env.ReadDurable("/d/a") == "synced");
  disk.env.Crash();
  CHECK(disk.env.ReadByHand("/d/a") == "synced");
}

TEST_CASE("MemoryEnv Crash: a synced file without SyncDir is gone", "[storage][env]") {
  Disk disk;
  const auto file = disk.Create("/d/a");
  REQUIRE(file->Write(0, "x").ok());
  REQUIRE(file->Sync().ok());
  disk.env.Crash();
  CHECK(disk.Names().empty());
}

TEST_CASE("MemoryEnv Crash: renames and removals without SyncDir are undone", "[storage][env]") {
  Disk disk;
  disk.CreateDurable("/d/a", "a");
  disk.CreateDurable("/d/b", "b");
  disk.CreateDurable("/d/c", "c");
  REQUIRE(disk.env.Rename("/d/a", "/d/b").ok());
  REQUIRE(disk.env.Remove("/d/c").ok());
  CHECK(disk.Names() == Names{"b"});
  SECTION("not synced") {
    disk.env.Crash();
    CHECK(disk.Names() == Names{"a", "b", "c"});
    CHECK(disk.env.ReadByHand("/d/b") == "b");
  }
  SECTION("synced") {
    REQUIRE(disk.env.SyncDir("/d").ok());
    disk.env.Crash();
    CHECK(disk.Names() == Names{"b"});
    CHECK(disk.env.ReadByHand("/d/b") == "a");
  }
}

TEST_CASE("MemoryEnv SyncDir: confirms its own directory only", "[storage][env]") {
  Disk disk;
  REQUIRE(disk.env.MakeDirs("/d/sub").ok());
  disk.Create("/d/a");
  disk.Create("/d/sub/b");
  REQUIRE(disk.env.SyncDir("/d").ok());
  disk.env.Crash();
  CHECK(disk.Names() == Names{"a", "sub"});
  CHECK(disk.env.List("/d/sub").value().empty());
}

TEST_CASE("MemoryEnv Crash: an overwrite that was not synced is undone, sizes too", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", std::string(2000, 'o'));
  SECTION("overwrite") { REQUIRE(file->Write(100, std::string(1500, 'n')).ok()); }
  SECTION("growth") { REQUIRE(file->Write(1990, std::string(5000, 'n')).ok()); }
  SECTION("cut") { REQUIRE(file->Truncate(10).ok()); }
  SECTION("cut and grow") {
    REQUIRE(file->Truncate(10).ok());
    REQUIRE(file->Truncate(3000).ok());
  }
  disk.env.Crash();
  CHECK(disk.env.ReadByHand("/d/a") == std::string(2000, 'o'));
}

TEST_CASE("MemoryEnv Sync: a cut and regrown file holds zeros, not its old bytes", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", std::string(2000, 'o'));
  REQUIRE(file->Truncate(700).ok());
  REQUIRE(file->Truncate(2000).ok());
  REQUIRE(file->Sync().ok());
  disk.env.Crash();
  CHECK(disk.env.ReadByHand("/d/a") == std::string(700, 'o') + std::string(1300, '\0'));
}

TEST_CASE("MemoryEnv Crash: kept at random, writes tear at block bounds", "[storage][env]") {
  const std::uint64_t block = GENERATE(512u, 4096u);
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 1; seed <= 256; ++seed) {
    Disk disk(seed);
    const auto file = disk.CreateDurable("/d/a", std::string(4 * block, 'o'));
    REQUIRE(file->Write(0, std::string(4 * block, 'n')).ok());
    disk.env.Crash({.unsynced = Unsynced::kRandom, .block_bytes = block});
    const std::string after = disk.env.ReadByHand("/d/a");
    REQUIRE(after.size() == 4 * block);
    std::string outcome;
    for (std::uint64_t b = 0; b < 4; ++b) {
      const std::string one = after.substr(b * block, block);
      REQUIRE((one == std::string(block, 'o') || one == std::string(block, 'n')));
      outcome += one[0];
    }
    outcomes.insert(outcome);
  }
  CHECK(outcomes.size() == 16);  // every combination of four blocks
}

TEST_CASE("MemoryEnv Crash: kept at random, growth leaves holes of zeros", "[storage][env]") {
  bool hole = false;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    Disk disk(seed);
    const auto file = disk.CreateDurable("/d/a", "");
    REQUIRE(file->Write(0, std::string(1024, 'n')).ok());
    disk.env.Crash({.unsynced = Unsynced::kRandom, .block_bytes = 512});
    hole = hole || disk.env.ReadByHand("/d/a") == std::string(512, '\0') + std::string(512, 'n');
  }
  CHECK(hole);
}

TEST_CASE("MemoryEnv Crash: kept at random, single steps of a directory survive", "[storage][env]") {
  std::set<Names> outcomes;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    Disk disk(seed);
    disk.CreateDurable("/d/old", "old");
    disk.Create("/d/tmp");
    REQUIRE(disk.env.Rename("/d/tmp", "/d/new").ok());
    REQUIRE(disk.env.Remove("/d/old").ok());
    disk.env.Crash({.unsynced = Unsynced::kRandom});
    outcomes.insert(disk.Names());
  }
  const std::set<Names> expected = {{}, {"old"}, {"new"}, {"new", "old"}, {"tmp"}, {"old", "tmp"}};
  CHECK(outcomes == expected);
}

TEST_CASE("MemoryEnv Crash: the same seed gives the same machine", "[storage][env]") {
  const auto run = [](std::uint64_t seed) {
    Disk disk(seed);
    const auto file = disk.CreateDurable("/d/a", std::string(64 * 512, 'o'));
    REQUIRE(file->Write(0, std::string(64 * 512, 'n')).ok());
    disk.env.Crash({.unsynced = Unsynced::kRandom, .block_bytes = 512});
    return disk.env.ReadByHand("/d/a") + std::to_string(disk.env.random().Next());
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

TEST_CASE("MemoryEnv Crash: kept whole, a killed process loses nothing but its files and locks", "[storage][env]") {
  Disk disk;
  const auto lock = disk.env.Lock("/d/LOCK");
  const auto file = disk.Create("/d/a");
  REQUIRE(file->Write(0, "written").ok());
  disk.env.Crash({.unsynced = Unsynced::kKept});
  CHECK(disk.env.ReadByHand("/d/a") == "written");
  CHECK(file->Write(0, "late").code() == Code::kIoError);
  CHECK(file->Sync().code() == Code::kIoError);
  CHECK(disk.env.ReadByHand("/d/a") == "written");
  CHECK(disk.env.Lock("/d/LOCK").has_value());
  disk.env.Crash();  // nobody synced it, so the next power cut still takes it
  CHECK(disk.Names().empty());
}

TEST_CASE("MemoryEnv PowerOff: every call fails and changes nothing", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", "before");
  disk.env.PowerOff();
  CHECK(file->Write(0, "after!").code() == Code::kIoError);
  CHECK(file->Truncate(0).code() == Code::kIoError);
  CHECK(file->Sync().code() == Code::kIoError);
  CHECK(disk.env.Remove("/d/a").code() == Code::kIoError);
  CHECK(disk.env.Rename("/d/a", "/d/b").code() == Code::kIoError);
  CHECK(disk.env.Open("/d/c", OpenMode::kCreate).error().code() == Code::kIoError);
  disk.env.PowerOn({.unsynced = Unsynced::kKept});
  CHECK(disk.Names() == Names{"a"});
  CHECK(disk.env.ReadByHand("/d/a") == "before");
}

TEST_CASE("MemoryEnv PowerOffAtCall: the write under way may be torn", "[storage][env]") {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    Disk disk(seed);
    const auto file = disk.CreateDurable("/d/a", "");
    disk.env.PowerOffAtCall(Call::kWrite, 2);
    CHECK(file->Write(0, "1234").ok());
    CHECK(file->Write(4, "5678").code() == Code::kIoError);
    CHECK(!disk.env.powered());
    disk.env.PowerOn({.unsynced = Unsynced::kKept});
    const std::string bytes = disk.env.ReadByHand("/d/a");
    CHECK(std::string("12345678").starts_with(bytes));
    sizes.insert(bytes.size());
  }
  CHECK(sizes == std::set<std::size_t>{4, 5, 6, 7, 8});
}

TEST_CASE("MemoryEnv Sync failure: the data is gone, reads lie until the cache is dropped", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", "old old old");
  REQUIRE(file->Write(0, "new").ok());
  disk.env.FailCall(Call::kSync, 1);
  CHECK(file->Sync().code() == Code::kIoError);
  CHECK(file->Sync().ok());  // as real kernels do: nothing left to complain about
  CHECK(disk.env.ReadByHand("/d/a") == "new old old");
  SECTION("power cut") { disk.env.Crash(); }
  SECTION("dropped cache") { REQUIRE(file->DropCache().ok()); }
  SECTION("killed process, then the start-up order") {
    disk.env.Crash({.unsynced = Unsynced::kKept});
    CHECK(disk.env.ReadByHand("/d/a") == "new old old");
    const auto again = disk.env.Open("/d/a", OpenMode::kReadWrite).value();
    REQUIRE(again->Sync().ok());
    REQUIRE(again->DropCache().ok());
  }
  CHECK(disk.env.ReadByHand("/d/a") == "old old old");
}

TEST_CASE("MemoryEnv Sync failure: a later write to the same block brings the lost bytes back", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", std::string(1024, 'o'));
  REQUIRE(file->Write(0, std::string(1024, 'n')).ok());
  disk.env.FailCall(Call::kSync, 1);
  CHECK(!file->Sync().ok());
  REQUIRE(file->Write(1, "x").ok());
  REQUIRE(file->Sync().ok());
  disk.env.Crash();
  CHECK(disk.env.ReadByHand("/d/a") == "nx" + std::string(510, 'n') + std::string(512, 'o'));
}

TEST_CASE("MemoryEnv FailCall: the nth call of its kind, once, with its code", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", "x");
  std::string out(1, '.');
  const auto call = [&](Call kind) -> Status {
    switch (kind) {
      case Call::kOpen:
        return StatusOf(disk.env.Open("/d/a", OpenMode::kRead));
      case Call::kRead:
        return StatusOf(file->Read(0, out));
      case Call::kWrite:
        return file->Write(0, "x");
      case Call::kSync:
        return file->Sync();
      case Call::kTruncate:
        return file->Truncate(1);
      case Call::kRename:
        return disk.env.Rename("/d/a", "/d/a");
      case Call::kRemove:
        disk.env.WriteByHand("/d/gone", "");
        return disk.env.Remove("/d/gone");
      case Call::kSyncDir:
        return disk.env.SyncDir("/d");
      case Call::kList:
        return StatusOf(disk.env.List("/d"));
      case Call::kMakeDirs:
        return disk.env.MakeDirs("/d");
      case Call::kLock:
        return StatusOf(disk.env.Lock("/d/LOCK"));
      case Call::kAny:
        break;
    }
    return Status(Code::kInternal, "not a call");
  };
  for (int i = 1; i < static_cast<int>(MemoryEnv::kCallKinds); ++i) {
    const auto kind = static_cast<Call>(i);
    CAPTURE(i);
    const std::uint64_t calls = disk.env.calls(kind);
    disk.env.FailCall(kind, 2, Code::kResourceExhausted);
    CHECK(call(kind).ok());
    CHECK(call(kind).code() == Code::kResourceExhausted);
    CHECK(call(kind).ok());
    CHECK(disk.env.calls(kind) == calls + 3);
    CHECK(disk.env.failures() == i);
  }
  disk.env.FailCall(Call::kAny, 3);
  CHECK(call(Call::kRead).ok());
  CHECK(call(Call::kWrite).ok());
  CHECK(call(Call::kSyncDir).code() == Code::kIoError);
  disk.env.FailEvery(Call::kWrite);
  CHECK(!call(Call::kWrite).ok());
  CHECK(!call(Call::kWrite).ok());
  disk.env.ClearFailures();
  CHECK(call(Call::kWrite).ok());
}

TEST_CASE("MemoryEnv SetDiskFull: nothing appears or grows, the rest goes on", "[storage][env]") {
  Disk disk;
  const auto file = disk.CreateDurable("/d/a", "0123456789");
  disk.env.SetDiskFull(true);
  CHECK(file->Write(5, "abcdefgh").code() == Code::kResourceExhausted);
  CHECK(file->Size().value() == 10);
  CHECK(file->Write(0, "ABC").ok());
  CHECK(file->Sync().ok());
  CHECK(disk.env.Open("/d/b", OpenMode::kCreate).error().code() == Code::kResourceExhausted);
  CHECK(disk.env.FreeBytes("/d").value() == 0);
  CHECK(disk.env.Remove("/d/a").ok());
  disk.env.SetDiskFull(false);
  CHECK(file->Write(10, "more").ok());
  CHECK(disk.env.Open("/d/b", OpenMode::kCreate).has_value());
}

TEST_CASE("MemoryEnv by hand: damage is on the disk and in the cache", "[storage][env]") {
  Disk disk;
  disk.CreateDurable("/d/a", "abc");
  disk.env.FlipBit("/d/a", 8);
  CHECK(disk.env.ReadByHand("/d/a") == "acc");
  CHECK(disk.env.ReadDurable("/d/a") == "acc");
  disk.env.TruncateByHand("/d/a", 1);
  disk.env.WriteByHand("/d/b", "made");
  disk.env.Crash();
  CHECK(disk.env.ReadByHand("/d/a") == "a");
  CHECK(disk.env.ReadByHand("/d/b") == "made");
  disk.env.RemoveByHand("/d/a");
  disk.env.Crash();
  CHECK(disk.Names() == Names{"b"});
}

TEST_CASE("ManualClock: moves by hand only", "[storage][env]") {
  MemoryEnv env;
  const std::int64_t wall = env.clock().WallMs();
  const std::int64_t mono = env.clock().MonotonicNs();
  env.manual_clock().AdvanceMs(5);
  CHECK(env.clock().WallMs() == wall + 5);
  CHECK(env.clock().MonotonicNs() == mono + 5'000'000);
  env.manual_clock().SetWallMs(17);
  CHECK(env.clock().WallMs() == 17);
  CHECK(env.clock().MonotonicNs() == mono + 5'000'000);
}

TEST_CASE("MemoryEnv LeaveWriteError: ends with the file, whatever memory the next one gets", "[storage][env]") {
  MemoryEnv env;
  REQUIRE(env.MakeDirs("/d").ok());
  for (int i = 0; i < 20; ++i) {
    env.WriteByHand("/d/lost", "bytes");
    env.LeaveWriteError("/d/lost");
    REQUIRE(env.Remove("/d/lost").ok());
    REQUIRE(env.SyncDir("/d").ok());
    const auto next = env.Open("/d/next" + std::to_string(i), OpenMode::kCreate);
    REQUIRE(next.has_value());
    CHECK((*next)->Sync().ok());
  }
}

}  // namespace
}  // namespace sluice::storage
