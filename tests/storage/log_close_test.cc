// How a shard's log ends: everything is made durable, and from then on only retries are answered.
#include <thread>

#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {

namespace {

std::shared_ptr<std::optional<Result<Offset>>> StartDrain(TestLog& log, ShardId id = kShardA) {
  auto answer = std::make_shared<std::optional<Result<Offset>>>();
  log.writer().Drain(*log.shard(id), [answer](const Result<Offset>& end) { *answer = end; });
  return answer;
}

/// A log that was killed while it had written segments that no checkpoint names, or names with fewer bytes.
std::vector<std::string> FillAndKill(TestLog& log) {
  std::vector<std::string> values;
  const auto append = [&](int count) {
    for (int i = 0; i < count; ++i) values.push_back(std::to_string(values.size()) + std::string(1'000, '.'));
    log.AppendAll({values.end() - count, values.end()});
  };
  log.Open();
  append(10);
  REQUIRE(log.Close().ok());
  log.Open();
  append(80);
  // Written behind, all but what is too little to be written alone.
  while (log.store().stats().unwritten_bytes >= SmallOptions().write_behind_bytes) std::this_thread::yield();
  log.Kill();
  return values;
}

}  // namespace

TEST_CASE("LogStore Close: errors of segment writes that a killed process was not told of are not ours", "[storage]") {
  for (std::size_t i = 0;; ++i) {
    MemoryEnv env;
    TestLog log(env);
    std::vector<std::string> values = FillAndKill(log);
    const std::vector<std::string> names = env.List("/data/segments").value();
    if (i == names.size()) {
      CHECK(i > 2);
      break;
    }
    INFO(names[i]);
    env.LeaveWriteError("/data/segments/" + names[i]);
    log.Open();
    log.AppendAll({"more"});
    values.emplace_back("more");
    CHECK(ReadAll(*log.shard()) == values);
    const Status closed = log.Close();
    INFO(closed.ToString());
    CHECK(closed.ok());
    env.Crash();
    log.Open();
    CHECK(ReadAll(*log.shard()) == values);
  }
}

TEST_CASE("LogWriter Drain: behind appends of every mode, with the end that is durable", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const auto mode = GENERATE(AckMode::kDurable, AckMode::kWritten, AckMode::kNone);
  const auto append = log.Start(MakeBatch("one", 3), kShardA, mode);
  const auto drained = StartDrain(log);
  CHECK_FALSE(drained->has_value());
  REQUIRE(log.loop.RunUntil([&] { return drained->has_value(); }));
  CHECK(append->has_value());
  REQUIRE((*drained)->has_value());
  CHECK(**drained == Offset(3));
  CHECK(log.shard()->durable_end() == Offset(3));
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  log.Open();
  CHECK(log.shard()->durable_end() == Offset(3));
}

TEST_CASE("LogWriter Drain: of a shard without records", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const auto drained = StartDrain(log, kShardB);
  REQUIRE(log.loop.RunUntil([&] { return drained->has_value(); }));
  CHECK((*drained)->value() == Offset(0));
}

TEST_CASE("LogWriter Drain: says where records never become durable", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"one"});
  env.FailEvery(MemoryEnv::Call::kSync);
  const auto append = log.Start(MakeBatch("two"));
  const auto drained = StartDrain(log);
  REQUIRE(log.loop.RunUntil([&] { return drained->has_value(); }));
  REQUIRE(append->has_value());
  CHECK_FALSE((*append)->has_value());
  REQUIRE_FALSE((*drained)->has_value());
  CHECK((*drained)->error().code() == Code::kIoError);
}

TEST_CASE("ShardLog Seal: a retry gets its answer, everything else is told to go elsewhere", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  REQUIRE(log.Append(MakeBatch("a", 2, {.id = 5, .epoch = 1, .sequence = 0})).has_value());
  REQUIRE(log.Append(MakeBatch("b", 1, {.id = 5, .epoch = 1, .sequence = 2})).has_value());
  if (GENERATE(false, true)) {
    log.Kill();
    log.Open();
  }
  log.shard()->Seal();
  const auto retry = log.Append(MakeBatch("a", 2, {.id = 5, .epoch = 1, .sequence = 0}));
  REQUIRE(retry.has_value());
  CHECK(retry->duplicate);
  CHECK(retry->base_offset == Offset(0));
  const auto code = [&](Producer producer) {
    const auto answer = log.Append(MakeBatch("c", 1, producer));
    return answer ? Code::kOk : answer.error().code();
  };
  CHECK(code({}) == Code::kShardClosed);
  CHECK(code({.id = 5, .epoch = 1, .sequence = 3}) == Code::kShardClosed);
  CHECK(code({.id = 5, .epoch = 1, .sequence = 4}) == Code::kShardClosed);  // the one before it went elsewhere
  CHECK(code({.id = 5, .epoch = 2, .sequence = 0}) == Code::kShardClosed);
  CHECK(code({.id = 6, .epoch = 0, .sequence = 0}) == Code::kShardClosed);
  CHECK(code({.id = 6, .epoch = 0, .sequence = 9}) == Code::kShardClosed);
  CHECK(code({.id = 5, .epoch = 0, .sequence = 3}) == Code::kFenced);
  CHECK(log.shard()->durable_end() == Offset(3));
  CHECK(log.Append("other shard", kShardB).has_value());
}

TEST_CASE("LogStore ApplyRetention: a limit on bytes leaves the newest segment, but not of a closed shard",
          "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  for (int i = 0; i < 60; ++i) log.AppendAll({std::string(3'000, 'x')});  // ten to a segment
  REQUIRE(log.Close().ok());
  log.Open();
  RetentionPolicy policy;
  policy.bytes_max = 0;
  CHECK(log.store().ApplyRetention(kShardA, policy) > 0);
  CHECK(log.shard()->oldest() < Offset(60));
  policy.keep_newest = false;
  CHECK(log.store().ApplyRetention(kShardA, policy) > 0);
  CHECK(log.shard()->oldest() == Offset(60));
}

}  // namespace sluice::storage
