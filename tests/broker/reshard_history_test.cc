// Random histories of splits, merges and new counts under load, and with the power cut at every kind of point: nothing
// that was acknowledged is lost, nothing is there twice, and each key's records keep their order from parent to child.
#include <thread>

#include "storage/env/memory_env.h"
#include "storage/env/posix_env.h"
#include "tests/broker/reshard_world.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::broker {
namespace {

constexpr int kProducers = 3;

std::vector<std::unique_ptr<KeyedProducer>> Producers(std::uint64_t seed) {
  std::vector<std::unique_ptr<KeyedProducer>> producers;
  for (int i = 0; i < kProducers; ++i) {
    producers.push_back(std::make_unique<KeyedProducer>("p" + std::to_string(i), 7, seed + static_cast<unsigned>(i)));
  }
  return producers;
}

/// All producers, `reshards` reshards and a reader at the same time. Returns when all of them have ended.
void RunTogether(ReshardWorld& world, const std::vector<std::unique_ptr<KeyedProducer>>& producers, int rounds,
                 int reshards, std::mt19937_64& random) {
  Follower follower;
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && follower.Step(world)) {
    }
  });
  {
    std::vector<std::jthread> threads;
    for (const auto& producer : producers) {
      threads.emplace_back([&world, &producer, rounds] { producer->Run(world, rounds); });
    }
    for (int i = 0; i < reshards && !world.metadata().off; ++i) ReshardOnce(world, random);
  }
  reader.request_stop();
  reader.join();
  if (!world.metadata().off) follower.CheckEnds(world);
}

void CheckAcknowledged(ReshardWorld& world, const std::vector<std::unique_ptr<KeyedProducer>>& producers,
                       bool ends_known = true) {
  const auto there = ReadHistory(world, ends_known);
  for (const auto& producer : producers) {
    for (const auto& [key, count] : producer->acknowledged()) {
      INFO("key " << key);
      const auto found = there.find(key);
      REQUIRE(found != there.end());
      REQUIRE(found->second >= count);
    }
    producer->GoOnAt(there);
  }
}

void RunHistories(storage::Env& env, const std::string& dir, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  ReshardWorld world(env, dir, 1 + seed % 2);
  const auto producers = Producers(seed);
  for (int history = 0; history < 4; ++history) {
    RunTogether(world, producers, 40, 12, random);
    CheckAcknowledged(world, producers);
    if (history % 2 == 0) continue;
    world.Kill();
    world.Start();
    CheckAcknowledged(world, producers);
  }
  CHECK(world.stream()->all_shards.size() > 10);
}

TEST_CASE("Resharder: histories under load keep every key's order", "[broker]") {
  const std::uint64_t seed = GENERATE(take(6, random<std::uint64_t>(1, 1'000'000)));
  INFO("seed " << seed);
  storage::MemoryEnv env(seed);
  RunHistories(env, "/data", seed);
}

TEST_CASE("Resharder: histories on a real disk", "[broker]") {
  const std::uint64_t seed = GENERATE(take(2, random<std::uint64_t>(1, 1'000'000)));
  INFO("seed " << seed);
  const auto env = storage::NewPosixEnv();
  const storage::TempDir dir;
  RunHistories(*env, dir.path() + "/data", seed);
}

// Where in a reshard the power goes.
enum class Cut { kBeforeCommit, kAfterCommit, kCommitFailsThenCut };

TEST_CASE("Resharder: a power cut leaves the old shards or the new ones, and every acknowledged record", "[broker]") {
  const std::uint64_t seed = GENERATE(take(5, random<std::uint64_t>(1, 1'000'000)));
  const Cut cut = GENERATE(Cut::kBeforeCommit, Cut::kAfterCommit, Cut::kCommitFailsThenCut);
  INFO("seed " << seed << ", cut " << static_cast<int>(cut));
  std::mt19937_64 random(seed);
  storage::MemoryEnv env(seed);
  ReshardWorld world(env, "/data", 1 + seed % 2);
  const auto producers = Producers(seed);
  for (int life = 0; life < 3; ++life) {
    std::atomic<int> commits_left = 1 + static_cast<int>(random() % 5);
    const auto power_off = [&] {
      if (--commits_left != 0) return;
      world.metadata().off = true;
      if (cut != Cut::kCommitFailsThenCut) env.PowerOff();  // else the broker goes on without its metadata for a while
    };
    world.metadata().before_commit = cut == Cut::kAfterCommit ? std::function<void()>() : power_off;
    world.metadata().after_commit = cut == Cut::kAfterCommit ? power_off : std::function<void()>();
    RunTogether(world, producers, 30, 20, random);
    world.metadata().before_commit = world.metadata().after_commit = nullptr;
    if (!world.metadata().off || cut == Cut::kCommitFailsThenCut) env.PowerOff();
    world.Kill();
    env.PowerOn();
    world.metadata().off = false;
    world.Start();
    CheckAcknowledged(world, producers);
  }
}

// The transaction is refused, but it was stored: what the parents have taken since is theirs.
TEST_CASE("Resharder: a transaction that turns out to have been stored loses nothing", "[broker]") {
  const std::uint64_t seed = GENERATE(take(3, random<std::uint64_t>(1, 1'000'000)));
  INFO("seed " << seed);
  storage::MemoryEnv env(seed);
  ReshardWorld world(env, "/data", 1);
  const auto producers = Producers(seed);
  REQUIRE(producers[0]->Run(world, 5));
  world.metadata().lose_answers = true;
  CHECK(world.resharder().Resize("orders", 4).error().code() == Code::kIoError);
  CHECK(world.stream()->shards.ranges().size() == 2);
  REQUIRE(producers[0]->Run(world, 5));
  world.metadata().lose_answers = false;
  world.Kill();
  world.Start();
  CHECK(world.stream()->shards.ranges().size() == 4);
  CheckAcknowledged(world, producers, false);
  REQUIRE(producers[0]->Run(world, 5));
  CheckAcknowledged(world, producers, false);
}

}  // namespace
}  // namespace sluice::broker
