// Reads that wait, over a log whose records are "on disk" where the test says so.
#include "broker/delivery/waiting_read.h"

#include "tests/broker/core_fixture.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

using broker::BatchOf;
using broker::Core;
using broker::ReadRequest;

TEST_CASE("WaitingRead: what only the disk has is read on the calling thread", "[delivery]") {
  Core core;
  const auto stream = *core.catalog->Create("orders", 1, {});
  const ShardId shard = core.ShardOf(stream);
  for (int i = 0; i < 3; ++i) REQUIRE(core.Append(0, shard, BatchOf(2)).get().has_value());
  core.store.shard(shard).SetTailFrom(Offset(100));
  const std::atomic<bool> stopping = false;
  const broker::ReadFrom from = GENERATE(broker::ReadFrom(Offset(2)), broker::ReadFrom(broker::FromTime{0}));

  const auto answer = WaitingRead(*core.reads, {.stream = stream->id, .shard = {}, .from = from}, stopping);
  REQUIRE(answer.has_value());
  CHECK(answer->run.next == Offset(6));
  CHECK(answer->end == Offset(6));
  CHECK(core.store.shard(shard).disk_reader() == std::this_thread::get_id());
}

TEST_CASE("WaitingRead: others' reads of the disk stay on the blocking pool", "[delivery]") {
  Core core;
  const auto stream = *core.catalog->Create("orders", 1, {});
  const ShardId shard = core.ShardOf(stream);
  REQUIRE(core.Append(0, shard, BatchOf(2)).get().has_value());
  core.store.shard(shard).SetTailFrom(Offset(100));

  std::thread::id loop_thread;
  core.OnLoop(0, [&] { loop_thread = std::this_thread::get_id(); });
  REQUIRE(core.Read(0, {.stream = stream->id, .shard = {}, .from = Offset(0)}).get().has_value());
  const std::thread::id reader = core.store.shard(shard).disk_reader();
  CHECK(reader != std::thread::id());
  CHECK(reader != std::this_thread::get_id());
  CHECK(reader != loop_thread);
}

TEST_CASE("WaitingRead: says what the service says, and nothing is asked of a broker that stops", "[delivery]") {
  Core core;
  const auto stream = *core.catalog->Create("orders", 1, {});
  std::atomic<bool> stopping = false;
  const ReadRequest request{.stream = stream->id, .shard = {}, .from = Offset(7)};
  CHECK(WaitingRead(*core.reads, request, stopping).error().code() == Code::kOutOfRange);
  stopping = true;
  CHECK(WaitingRead(*core.reads, request, stopping).error().code() == Code::kUnavailable);
}

}  // namespace
}  // namespace sluice::delivery
