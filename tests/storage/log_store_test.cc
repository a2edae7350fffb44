// The log as its callers see it: append, read, restart.
#include "storage/log_store.h"

#include "storage/env/memory_env.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {

using Strings = std::vector<std::string>;

TEST_CASE("LogStore Append: durable records are visible and read back in order", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const auto first = log.Append("one");
  REQUIRE(first.has_value());
  CHECK(first->base_offset == Offset(0));
  CHECK(first->append_time_ms == env.clock().WallMs());
  const auto second = log.Append(MakeBatch("two", 3));
  REQUIRE(second.has_value());
  CHECK(second->base_offset == Offset(1));
  CHECK(log.shard()->durable_end() == Offset(4));
  CHECK(ReadAll(*log.shard()) == Strings{"one", "two", "two", "two"});
  CHECK(log.Close().ok());
}

TEST_CASE("LogStore Append: nothing is visible or acknowledged before the flush", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const auto answer = log.Start(MakeBatch("one"));
  CHECK_FALSE(answer->has_value());
  CHECK(log.shard()->durable_end() == Offset(0));
  REQUIRE(log.loop.RunUntil([&] { return answer->has_value(); }));
  CHECK(log.shard()->durable_end() == Offset(1));
}

TEST_CASE("LogStore Open: after a power cut every acknowledged record is there", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  CHECK(log.report.new_directory);
  log.AppendAll({"a1", "a2"});
  log.AppendAll({"b1"}, kShardB);
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  log.Open();
  CHECK_FALSE(log.report.new_directory);
  CHECK_FALSE(log.report.clean_shutdown);
  CHECK(log.report.frames_replayed == 3);
  CHECK(log.report.quarantined.empty());
  CHECK(ReadAll(*log.shard()) == Strings{"a1", "a2"});
  CHECK(ReadAll(*log.shard(kShardB)) == Strings{"b1"});
  const auto next = log.Append("a3");
  REQUIRE(next.has_value());
  CHECK(next->base_offset == Offset(2));
}

TEST_CASE("LogStore Close: leaves a clean mark, and the next start replays nothing", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"a1", "a2"});
  REQUIRE(log.Close().ok());
  env.Crash();
  log.Open();
  CHECK(log.report.clean_shutdown);
  CHECK_FALSE(log.report.new_directory);
  CHECK(log.report.frames_replayed == 0);
  CHECK(ReadAll(*log.shard()) == Strings{"a1", "a2"});
  CHECK(log.store().Shards() == std::vector<ShardId>{kShardA});
}

TEST_CASE("LogStore: many records go through segments and a rolled journal", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 300; ++i) values.push_back("value " + std::to_string(i) + std::string(1000, '.'));
  log.AppendAll(values);
  CHECK(ReadAll(*log.shard()) == values);
  SECTION("power cut") {
    env.PowerOff();
    log.Kill();
    env.PowerOn();
  }
  SECTION("closed") { REQUIRE(log.Close().ok()); }
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(ReadAll(*log.shard()) == values);
}

TEST_CASE("LogStore Open: journal files of another size give way to new ones when they are free", "[storage]") {
  MemoryEnv env;
  Strings values;
  const auto append = [&values](TestLog& log, int count) {
    for (; count > 0; --count) {
      values.push_back("value " + std::to_string(values.size()) + std::string(3000, '.'));
      log.AppendAll({values.back()});
    }
  };
  TestLog before(env);
  before.Open();
  append(before, 10);
  before.Kill();

  LogStoreOptions options = SmallOptions();
  options.journal_file_bytes *= 2;
  TestLog log(env, options);
  log.Open();
  Await([&] { return log.store().stats().checkpoints > 0; });
  append(log, 120);  // some files of the new size, before which no checkpoint is due
  CHECK(ReadAll(*log.shard()) == values);
  const auto names = env.List("/data/journal").value();
  for (const std::string& name : names) {
    CHECK(env.ReadByHand("/data/journal/" + name).size() == options.journal_file_bytes);
  }
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(ReadAll(*log.shard()) == values);
}

TEST_CASE("LogStore Open: a smaller journal_bytes_max holds for the files that are there", "[storage]") {
  MemoryEnv env;
  TestLog before(env);
  before.Open();
  // Up to where a checkpoint is due.
  for (int i = 0; i < 100; ++i) before.AppendAll({std::string(3000, '.')});
  const auto count = [&env] { return env.List("/data/journal").value().size(); };
  REQUIRE(count() > 4);
  SECTION("at the start") { REQUIRE(before.Close().ok()); }
  SECTION("once they are free") { before.Kill(); }

  LogStoreOptions options = SmallOptions();
  options.journal_bytes_max = 4 * options.journal_file_bytes;
  TestLog log(env, options);
  log.Open();
  Await([&] { return count() <= 4; });
  log.AppendAll({"more"});
  log.Kill();
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(log.shard()->durable_end() == Offset(101));
}

TEST_CASE("LogStore ApplyRetention: makes room on a disk that was full at the start", "[storage]") {
  MemoryEnv env;
  LogStoreOptions options = SmallOptions();
  options.write_behind_bytes = 1u << 20;  // nothing goes to segments but by checkpoints
  TestLog log(env, options);
  log.Open();
  Strings values;
  const auto append = [&](int count) {
    for (; count > 0; --count) {
      values.push_back("value " + std::to_string(values.size()) + std::string(3000, '.'));
      log.AppendAll({values.back()});
    }
  };
  for (const std::uint64_t checkpoints : {1, 2}) {  // both files of the checkpoint are to be there
    append(25);
    env.manual_clock().AdvanceMs(60'000);
    Await([&] { return log.store().stats().checkpoints >= checkpoints; });
  }
  env.SetDiskFull(true);
  append(5);  // into the journal
  log.Kill();
  env.Crash();

  log.Open();
  CHECK(log.report.frames_replayed == 5);
  Await([&] { return log.store().stats().disk_full; });
  REQUIRE(log.store().ApplyRetention(kShardA, {.age_ms_max = {}, .bytes_max = 1, .keep_from = kMaxOffset}) > 0);
  Await([&] { return !env.Exists("/data/segments/00000001-00000000-0000000000000000.seg").value(); });
  const Offset oldest = log.shard()->oldest();
  log.Kill();
  env.Crash();
  env.SetDiskFull(false);
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(log.shard()->oldest() == oldest);
  CHECK(ReadAll(*log.shard()) == Strings(values.begin() + static_cast<std::ptrdiff_t>(oldest.value), values.end()));
}

}  // namespace sluice::storage
