// The free list of segment files: what is used again, what is given back to the disk, and in which pieces.
#include "storage/segment_store.h"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/env/memory_env.h"
#include "tests/catch.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kSegmentBytes = 16u << 10;
constexpr std::uint64_t kKept = SegmentStore::kFreeSegmentsMax;

SegmentName Name(std::uint64_t base) { return {{StreamId(1), ShardIndex(0)}, Offset(base)}; }

std::string DirOf(SegmentStore& store) { return store.PathOf(Name(0)).substr(0, store.PathOf(Name(0)).rfind('/')); }

void Create(SegmentStore& store, std::uint64_t base, std::uint64_t bytes) {
  const auto file = store.CreateFile(Name(base)).value();
  REQUIRE(file->Write(0, std::string(bytes, '.')).ok());
  REQUIRE(file->Sync().ok());
}

std::size_t FreeFiles(MemoryEnv& env, SegmentStore& store) {
  const std::vector<std::string> names = env.List(DirOf(store)).value();
  return static_cast<std::size_t>(std::ranges::count_if(names, [](const auto& n) { return n.starts_with("free-"); }));
}

TEST_CASE("SegmentStore: files are used again, the surplus is given back", "[storage]") {
  MemoryEnv env;
  SegmentStore store(env, "/segments", kSegmentBytes);
  REQUIRE(store.Open().value().empty());
  constexpr std::uint64_t kMore = 5;
  Create(store, 1000, kSegmentBytes / 4);
  store.Retire(Name(1000));
  for (std::uint64_t i = 0; i < kKept + kMore; ++i) Create(store, i, kSegmentBytes);
  for (std::uint64_t i = 0; i < kKept + kMore; ++i) store.Retire(Name(i));
  REQUIRE(store.SyncNames().ok());
  // The small one has taken the room of a whole one.
  CHECK(store.surplus() == kMore + 1);
  CHECK(FreeFiles(env, store) == kKept + kMore + 1);

  while (store.TrimSurplus()) continue;
  CHECK(store.surplus() == 0);
  CHECK(FreeFiles(env, store) == kKept);
  for (std::uint64_t i = 0; i < kKept - 1; ++i) {
    CHECK(store.CreateFile(Name(2000 + i)).value()->Size().value() == kSegmentBytes);
  }
  CHECK(store.CreateFile(Name(3000)).value()->Size().value() == kSegmentBytes / 4);
  CHECK(store.CreateFile(Name(3001)).value()->Size().value() == 0);
}

TEST_CASE("SegmentStore: the free list is bounded in files too", "[storage]") {
  MemoryEnv env;
  SegmentStore store(env, "/segments", kSegmentBytes);
  REQUIRE(store.Open().value().empty());
  for (std::uint64_t i = 0; i < SegmentStore::kFreeFilesMax + 2; ++i) {
    Create(store, i, 1);
    store.Retire(Name(i));
  }
  CHECK(store.surplus() == 2);
}

TEST_CASE("SegmentStore SyncNames: what failed is done the next time", "[storage]") {
  MemoryEnv env;
  {
    SegmentStore store(env, "/segments", kSegmentBytes);
    REQUIRE(store.Open().value().empty());
    Create(store, 0, kSegmentBytes);
    REQUIRE(store.SyncNames().ok());
    store.Retire(Name(0));
    Create(store, 1, kSegmentBytes / 2);
    env.FailCall(MemoryEnv::Call::kSyncDir, 1, Code::kResourceExhausted);
    REQUIRE(store.SyncNames().code() == Code::kResourceExhausted);
    REQUIRE(store.SyncNames().ok());
    CHECK(store.CreateFile(Name(2)).value()->Size().value() == kSegmentBytes);  // the retired one
  }
  env.Crash({.unsynced = Unsynced::kLost});
  CHECK(env.Exists(SegmentStore(env, "/segments", kSegmentBytes).PathOf(Name(1))).value());
}

TEST_CASE("SegmentStore: a large file is given back in pieces", "[storage]") {
  MemoryEnv env;
  SegmentStore store(env, "/segments", SegmentStore::kTrimStepBytes / kKept);
  REQUIRE(store.Open().value().empty());
  Create(store, 0, 3 * SegmentStore::kTrimStepBytes);
  store.Retire(Name(0));
  int steps = 0;
  while (store.TrimSurplus()) ++steps;
  CHECK(steps == 3);
  CHECK(FreeFiles(env, store) == 0);
}

TEST_CASE("SegmentStore: what a crash left of the surplus is found again", "[storage]") {
  MemoryEnv env;
  constexpr std::size_t kMore = 3;
  {
    SegmentStore store(env, "/segments", kSegmentBytes);
    REQUIRE(store.Open().value().empty());
    for (std::uint64_t i = 0; i < kKept + kMore; ++i) Create(store, i, kSegmentBytes);
    for (std::uint64_t i = 0; i < kKept + kMore; ++i) store.Retire(Name(i));
    REQUIRE(store.SyncNames().ok());
  }
  env.Crash({.unsynced = Unsynced::kLost});
  SegmentStore store(env, "/segments", kSegmentBytes);
  REQUIRE(store.Open().value().empty());
  CHECK(store.surplus() == kMore);
  while (store.TrimSurplus()) continue;
  CHECK(FreeFiles(env, store) == kKept);
}

TEST_CASE("SegmentStore DropFreeFiles: leaves nothing", "[storage]") {
  MemoryEnv env;
  SegmentStore store(env, "/segments", kSegmentBytes);
  REQUIRE(store.Open().value().empty());
  Create(store, 0, kSegmentBytes);
  Create(store, 1, 100);
  store.Retire(Name(0));
  store.Retire(Name(1));
  REQUIRE(store.SyncNames().ok());
  store.DropFreeFiles();
  CHECK(FreeFiles(env, store) == 0);
}

}  // namespace
}  // namespace sluice::storage
