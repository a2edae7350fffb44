// Append and read services with one and two loops.
#include "protocol/endian.h"
#include "tests/broker/core_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

using storage::AckMode;

TEST_CASE("AppendService Append: offsets in order, from every loop", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 4, {});
  for (std::uint32_t shard = 0; shard < 4; ++shard) {
    for (std::uint64_t i = 0; i < 10; ++i) {
      const auto result = core.Append(i % core.loops.size(), core.ShardOf(stream, shard), BatchOf(2)).get();
      REQUIRE(result.has_value());
      CHECK(result->base_offset == Offset(2 * i));
    }
  }
}

TEST_CASE("AppendService Append: keeps the order of one caller", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 1, {});
  std::vector<std::future<Result<storage::Appended>>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(core.Append(0, core.ShardOf(stream), BatchOf(1)));
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(answers[i].get()->base_offset == Offset(i));
}

TEST_CASE("AppendService Append: refuses what is wrong, by its code", "[broker]") {
  Core core(2, {.batch_bytes_max = 64u << 10, .record_bytes_max = 1'000, .inflight_bytes_max = 1u << 20});
  const auto stream = *core.catalog->Create("orders", 1, {});
  const std::size_t loop = GENERATE(0u, 1u);
  const ShardId shard = core.ShardOf(stream);
  const auto code = [&](ShardId id, std::string_view batch) {
    const auto result = core.Append(loop, id, batch).get();
    return result ? Code::kOk : result.error().code();
  };
  CHECK(code({StreamId(77), ShardIndex(0)}, BatchOf(1)) == Code::kNotFound);
  CHECK(code({stream->id, ShardIndex(1)}, BatchOf(1)) == Code::kNotFound);
  CHECK(code(shard, BatchOf(1, std::string(70'000, 'x'))) == Code::kInvalidArgument);
  CHECK(code(shard, BatchOf(1, std::string(1'100, 'x'))) == Code::kInvalidArgument);
  CHECK(code(shard, "") == Code::kCorruption);
  CHECK(code(shard, "no batch") == Code::kCorruption);
  std::string flipped = BatchOf(1);
  flipped.back() ^= 1;
  CHECK(code(shard, flipped) == Code::kCorruption);
  CHECK(code(shard, BatchOf(1) + BatchOf(1)) == Code::kCorruption);
  CHECK(core.Append(loop, shard, BatchOf(1)).get()->base_offset == Offset(0));
}

TEST_CASE("AppendService Append: takes no batch that no reader could take apart", "[broker]") {
  Core core;
  const auto stream = *core.catalog->Create("orders", 1, {});
  const auto compression = GENERATE(protocol::Compression::kNone, protocol::Compression::kGzip,
                                    protocol::Compression::kSnappy, protocol::Compression::kLz4,
                                    protocol::Compression::kZstd);
  const auto forged = [&](std::string_view records) {
    protocol::BatchBuilder builder(compression);
    builder.Add(0, "k", "value");
    std::string batch;
    builder.Finish(batch);
    batch.resize(protocol::kBatchHeaderSize);
    protocol::Compress(compression, records, batch);
    protocol::StoreBigEndian(batch.data() + 8, static_cast<std::int32_t>(batch.size() - 12));
    protocol::SetProducer({batch.data(), batch.size()}, kNoProducer, -1, -1);  // and the checksum
    return batch;
  };
  const std::string_view sound("\x0c\0\0\0\1\1\0", 7);
  const std::string_view key_too_long("\x0c\0\0\0\x20\1\0", 7);
  CHECK(core.Append(0, core.ShardOf(stream), forged(sound)).get()->base_offset == Offset(0));
  const auto refused = core.Append(0, core.ShardOf(stream), forged(key_too_long)).get();
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code() == Code::kCorruption);
  CHECK(refused.error().message() == "record batch: record 0: its key does not fit");
  CHECK(core.Append(0, core.ShardOf(stream), forged(sound)).get()->base_offset == Offset(1));
}

TEST_CASE("AppendService overloaded: by bytes in flight, until they are answered", "[broker]") {
  Core core(GENERATE(1u, 2u), {.inflight_bytes_max = 1u << 20});
  const auto stream = *core.catalog->Create("orders", 1, {});
  core.store.HoldCommits();
  std::vector<std::future<Result<storage::Appended>>> answers;
  CHECK(!core.appends->overloaded());
  for (int i = 0; i < 5; ++i) {
    answers.push_back(core.Append(0, core.ShardOf(stream), BatchOf(1, std::string(300'000, 'x'))));
  }
  for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  CHECK(core.appends->overloaded());
  std::promise<void> resumed;
  core.OnLoop(0, [&] { core.appends->WhenReady(core.loops.loop(0), [&] { resumed.set_value(); }); });
  core.store.ReleaseCommits();
  resumed.get_future().wait();
  CHECK(!core.appends->overloaded());
  for (auto& answer : answers) CHECK(answer.get().has_value());
}

TEST_CASE("AppendService WhenReady: waits for the store", "[broker]") {
  Core core;
  core.store.SetOverloaded(true);
  CHECK(core.appends->overloaded());
  std::promise<void> resumed;
  core.OnLoop(0, [&] { core.appends->WhenReady(core.loops.loop(0), [&] { resumed.set_value(); }); });
  auto future = resumed.get_future();
  CHECK(future.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  core.store.SetOverloaded(false);
  future.wait();
}

TEST_CASE("ReadService Read: from every kind of position", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 2, {});
  const ShardId shard = core.ShardOf(stream, 1);
  for (int i = 0; i < 5; ++i) REQUIRE(core.Append(0, shard, BatchOf(3)).get().has_value());
  if (GENERATE(false, true)) core.store.shard(shard).SetTailFrom(Offset(100));  // all on disk
  ReadRequest request{.stream = shard.stream, .shard = shard.index, .from = FromOldest{}};

  auto answer = core.Read(0, request).get();
  REQUIRE(answer.has_value());
  CHECK(answer->first == Offset(0));
  CHECK(answer->run.frames.size() == 5);
  CHECK(answer->run.next == Offset(15));
  CHECK(answer->end == Offset(15));

  request.from = Offset(4);
  answer = core.Read(0, request).get();
  REQUIRE(answer.has_value());
  CHECK(answer->first == Offset(4));
  CHECK(answer->run.frames.size() == 4);
  CHECK(answer->run.frames[0].base_offset() == Offset(3));

  request.from = FromLatest{};
  answer = core.Read(0, request).get();
  REQUIRE(answer.has_value());
  CHECK(answer->first == Offset(15));
  CHECK(answer->run.frames.empty());

  request.from = FromTime{0};
  CHECK(core.Read(0, request).get()->first == Offset(0));
  request.from = FromTime{INT64_MAX};
  CHECK(core.Read(0, request).get()->first == Offset(15));

  request.from = Offset(16);
  CHECK(core.Read(0, request).get().error().code() == Code::kOutOfRange);
  request.shard = ShardIndex(9);
  CHECK(core.Read(0, request).get().error().code() == Code::kNotFound);
}

TEST_CASE("ReadService Read: limits cut at whole frames", "[broker]") {
  Core core;
  const auto stream = *core.catalog->Create("orders", 1, {});
  for (int i = 0; i < 5; ++i) REQUIRE(core.Append(0, core.ShardOf(stream), BatchOf(3)).get().has_value());
  ReadRequest request{.stream = stream->id, .shard = {}, .from = FromOldest{}};

  const auto frames = [&](std::uint64_t bytes_max, std::uint64_t records_max) {
    request.bytes_max = bytes_max;
    request.records_max = records_max;
    auto answer = core.Read(0, request).get();
    REQUIRE(answer.has_value());
    CHECK(answer->run.next == answer->run.frames.back().end_offset());
    std::uint64_t bytes = 0;
    for (const auto& frame : answer->run.frames) bytes += frame.size();
    CHECK(bytes == answer->run.bytes);
    return answer->run.frames.size();
  };
  CHECK(frames(1, 0) == 1);
  CHECK(frames(0, 0) == 1);
  CHECK(frames(1u << 20, 1) == 1);
  CHECK(frames(1u << 20, 3) == 1);
  CHECK(frames(1u << 20, 5) == 1);
  CHECK(frames(1u << 20, 6) == 2);
  CHECK(frames(1u << 20, 1'000) == 5);
}

TEST_CASE("ReadService Read: a long poll ends with the next record", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 1, {});
  auto first = core.Read(0, {.stream = stream->id, .shard = {}, .from = FromLatest{}, .wait_ms = 60'000});
  auto second =
      core.Read(core.loops.size() - 1, {.stream = stream->id, .shard = {}, .from = Offset(0), .wait_ms = 60'000});
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  }
  REQUIRE(core.Append(0, core.ShardOf(stream), BatchOf(2)).get().has_value());
  for (auto* future : {&first, &second}) {
    auto answer = future->get();
    REQUIRE(answer.has_value());
    CHECK(answer->run.frames.size() == 1);
    CHECK(answer->end == Offset(2));
  }
}

TEST_CASE("ReadService Read: what the caller has given it dies on the caller's thread", "[broker]") {
  Core core(2);
  const auto stream = *core.catalog->Create("orders", 8, {});
  std::thread::id caller;
  core.OnLoop(0, [&] { caller = std::this_thread::get_id(); });
  const bool waits = GENERATE(false, true);
  for (std::uint32_t shard = 0; shard < 8; ++shard) {
    std::promise<std::thread::id> died;
    const auto note = [&died](void*) { died.set_value(std::this_thread::get_id()); };
    ReadRequest request{.stream = stream->id, .shard = ShardIndex(shard), .from = FromOldest{}, .wait_ms = 60'000};
    request.waits = [held = std::shared_ptr<void>(nullptr, note)] {};
    const auto append = [&] { REQUIRE(core.Append(0, core.ShardOf(stream, shard), BatchOf(1)).get().has_value()); };
    if (!waits) append();
    core.OnLoop(0, [&] { core.reads->Read(core.loops.loop(0), std::move(request), [](const auto&) {}); });
    if (waits) append();
    CHECK(died.get_future().get() == caller);
  }
}

TEST_CASE("ReadService Read: a long poll ends at its time", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 1, {});
  auto answer = core.Read(0, {.stream = stream->id, .shard = {}, .from = FromOldest{}, .wait_ms = 5}).get();
  REQUIRE(answer.has_value());
  CHECK(answer->run.frames.empty());
  CHECK(answer->run.next == Offset(0));
}

TEST_CASE("ReadService Read: the longest wait is bounded", "[broker]") {
  Core core(1, {}, {.wait_ms_max = 1});
  const auto stream = *core.catalog->Create("orders", 1, {});
  auto answer = core.Read(0, {.stream = stream->id, .shard = {}, .from = FromOldest{}, .wait_ms = 3'600'000}).get();
  REQUIRE(answer.has_value());
}

TEST_CASE("ReadService Read: waiting reads are bounded", "[broker]") {
  Core core(1, {}, {.waiters_max = 2});
  const auto stream = *core.catalog->Create("orders", 1, {});
  const ReadRequest request{.stream = stream->id, .shard = {}, .from = FromOldest{}, .wait_ms = 60'000};
  auto first = core.Read(0, request);
  auto second = core.Read(0, request);
  CHECK(core.Read(0, request).get().error().code() == Code::kResourceExhausted);
  REQUIRE(core.Append(0, core.ShardOf(stream), BatchOf(1)).get().has_value());
  CHECK(first.get().has_value());
  CHECK(second.get().has_value());
}

TEST_CASE("Shards ForgetStream: tells waiting reads and drops the files", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 3, {});
  auto waiting = core.Read(0, {.stream = stream->id, .shard = ShardIndex(2), .from = FromOldest{}, .wait_ms = 60'000});
  for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  core.shards.ForgetStream(*core.catalog->Delete("orders"));
  CHECK(waiting.get().error().code() == Code::kNotFound);
  for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  core.loops.DrainBlocking();
  CHECK(core.store.dropped().size() == 3);
  CHECK(core.Append(0, core.ShardOf(stream), BatchOf(1)).get().error().code() == Code::kNotFound);
}

TEST_CASE("Shards ForgetStream: waits for appends in flight", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 1, {});
  core.store.HoldCommits();
  auto append = core.Append(0, core.ShardOf(stream), BatchOf(1));
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  }
  core.shards.ForgetStream(*core.catalog->Delete("orders"));
  for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  core.loops.DrainBlocking();
  CHECK(core.store.dropped().empty());
  core.store.ReleaseCommits();
  CHECK(append.get().has_value());
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  }
  core.loops.DrainBlocking();
  CHECK(core.store.dropped() == std::vector<ShardId>{core.ShardOf(stream)});
}

TEST_CASE("Shards DropOrphans: drops the shards of deleted streams", "[broker]") {
  Core core;
  const auto deleted = *core.catalog->Create("deleted", 1, {});
  const auto stream = *core.catalog->Create("orders", 1, {});
  REQUIRE(core.catalog->Delete("deleted").has_value());
  core.store.OpenShard(core.ShardOf(stream));
  core.store.OpenShard(core.ShardOf(deleted, 4));
  CHECK(Shards::DropOrphans(core.store, *core.catalog) == 1);
  CHECK(core.store.dropped() == std::vector<ShardId>{core.ShardOf(deleted, 4)});
}

TEST_CASE("Shards DropOrphans: removes nothing where the metadata is older than the log", "[broker]") {
  Core core;
  const auto deleted = *core.catalog->Create("deleted", 1, {});
  REQUIRE(core.catalog->Delete("deleted").has_value());
  core.store.OpenShard(core.ShardOf(deleted));
  core.store.OpenShard({StreamId(deleted->id.value + 1), ShardIndex(0)});
  const auto dropped = Shards::DropOrphans(core.store, *core.catalog);
  REQUIRE(!dropped.has_value());
  CHECK(dropped.error().code() == Code::kFailedPrecondition);
  CHECK(core.store.dropped().empty());
}

TEST_CASE("Shards Stop: ends waiting reads", "[broker]") {
  Core core(GENERATE(1u, 2u));
  const auto stream = *core.catalog->Create("orders", 1, {});
  const ReadRequest request{.stream = stream->id, .shard = {}, .from = FromOldest{}, .wait_ms = 60'000};
  auto waiting = core.Read(0, request);
  for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
  core.shards.Stop();
  core.stopped = true;
  CHECK(waiting.get().error().code() == Code::kUnavailable);
  CHECK(core.Read(0, request).get().error().code() == Code::kUnavailable);
}

}  // namespace
}  // namespace sluice::broker
