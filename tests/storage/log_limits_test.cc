// The log at its limits: producers, retention, a full disk, bounded memory, failures, several loops.
#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "storage/tail_budget.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {
namespace {

using Strings = std::vector<std::string>;

std::string Large(int number) { return "value " + std::to_string(number) + std::string(3000, '.'); }

}  // namespace

TEST_CASE("LogWriter Append: a retried batch gets the first answer, also after a restart", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const auto first = log.Append(MakeBatch("one", 2, {.id = 7, .epoch = 1, .sequence = 0}));
  REQUIRE(first.has_value());
  CHECK_FALSE(first->duplicate);
  env.manual_clock().AdvanceMs(1000);
  const auto check = [&] {
    const auto again = log.Append(MakeBatch("one", 2, {.id = 7, .epoch = 1, .sequence = 0}));
    REQUIRE(again.has_value());
    CHECK(again->duplicate);
    CHECK(again->base_offset == first->base_offset);
    CHECK(again->append_time_ms == first->append_time_ms);
    CHECK(log.Append(MakeBatch("x", 1, {.id = 7, .epoch = 1, .sequence = 9})).error().code() ==
          Code::kFailedPrecondition);
    CHECK(log.Append(MakeBatch("x", 1, {.id = 7, .epoch = 0, .sequence = 0})).error().code() == Code::kFenced);
    CHECK(log.shard()->durable_end() == Offset(2));
  };
  check();
  SECTION("from the journal") {
    env.PowerOff();
    log.Kill();
    env.PowerOn();
    log.Open();
    check();
  }
  SECTION("from the checkpoint") {
    REQUIRE(log.Close().ok());
    log.Open();
    check();
  }
}

TEST_CASE("LogWriter Append: a duplicate of a batch on its way is acknowledged with it", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const auto first = log.Start(MakeBatch("one", 1, {.id = 7, .epoch = 0, .sequence = 0}));
  const auto second = log.Start(MakeBatch("one", 1, {.id = 7, .epoch = 0, .sequence = 0}));
  CHECK_FALSE(second->has_value());
  REQUIRE(log.loop.RunUntil([&] { return second->has_value(); }));
  REQUIRE(first->has_value());
  CHECK((*second)->value().duplicate);
  CHECK((*second)->value().base_offset == Offset(0));
  CHECK(log.shard()->durable_end() == Offset(1));
}

TEST_CASE("LogWriter Append: append time never falls", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  const std::int64_t now = env.clock().WallMs();
  CHECK(log.Append("one")->append_time_ms == now);
  env.manual_clock().SetWallMs(now - 3'600'000);
  CHECK(log.Append("two")->append_time_ms == now);
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  log.Open();
  CHECK(log.Append("three")->append_time_ms == now);
  env.manual_clock().SetWallMs(now + 5);
  CHECK(log.Append("four")->append_time_ms == now + 5);
  CHECK(log.shard()->OffsetAtTimeBlocking(now).value() == Offset(0));
  CHECK(log.shard()->OffsetAtTimeBlocking(now + 1).value() == Offset(3));
  CHECK(log.shard()->OffsetAtTimeBlocking(now + 6).value() == Offset(4));
}

TEST_CASE("LogWriter Append: written is acknowledged before the flush and visible after it, none at once",
          "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"first"});
  REQUIRE(log.Append(MakeBatch("written"), kShardA, AckMode::kWritten).has_value());
  CHECK(log.shard()->durable_end() == Offset(1));  // moves with the flush, so the answer did not wait for that
  const auto none = log.Start(MakeBatch("none"), kShardA, AckMode::kNone);
  REQUIRE(none->has_value());
  CHECK((*none)->value().base_offset == Offset(2));
  SECTION("the next durable record flushes all") {
    log.AppendAll({"durable"});
    CHECK(ReadAll(*log.shard()) == Strings{"first", "written", "none", "durable"});
  }
  SECTION("the flush interval does") {
    log.loop.RunReady();
    env.manual_clock().AdvanceMs(60);
    REQUIRE(log.loop.RunUntil([&] { return log.shard()->durable_end() == Offset(3); }));
    CHECK(ReadAll(*log.shard()) == Strings{"first", "written", "none"});
  }
}

TEST_CASE("LogWriter: the listener hears once of each shard, after its acknowledgements", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings events;
  log.writer().SetPublishedListener([&](ShardLog& shard) {
    events.push_back("published " + ToString(shard.id()) + " " + std::to_string(shard.durable_end().value));
  });
  for (const ShardId id : {kShardA, kShardB, kShardA}) {
    protocol::FrameBuffer batch = MakeBatch("x");
    const auto header = *protocol::ParseBatchHeader(batch.batch_view());
    log.writer().Append(*log.shard(id), std::move(batch), header, AckMode::kDurable,
                        [&events](const Result<Appended>&) { events.push_back("acknowledged"); });
  }
  REQUIRE(log.loop.RunUntil([&] { return events.size() == 5; }));
  CHECK(events == Strings{"acknowledged", "acknowledged", "acknowledged", "published 1/0 2", "published 1/1 1"});
}

TEST_CASE("ShardLog: reads outside of what is kept are refused with both ends", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"one"});
  const auto above = log.shard()->ReadTail(Offset(2), 1);
  REQUIRE_FALSE(above.has_value());
  CHECK(above.error().code() == Code::kOutOfRange);
  CHECK(above.error().message() == "shard 1/0: offset 2 is not there yet; it holds 0 to 1");
  const auto end = log.shard()->ReadTail(Offset(1), 1);
  REQUIRE(end->has_value());
  CHECK((*end)->frames.empty());
}

TEST_CASE("LogStore ApplyRetention: by bytes, by age, never above keep_from", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  for (int i = 0; i < 60; ++i) log.AppendAll({Large(i)});  // ten to a segment
  REQUIRE(log.Close().ok());
  log.Open();
  RetentionPolicy policy;
  SECTION("bytes") {
    policy.bytes_max = 70'000;
    CHECK(log.store().ApplyRetention(kShardA, policy) > 60'000);
    CHECK(log.shard()->retained_bytes() >= 70'000);
    CHECK(log.shard()->retained_bytes() < 70'000 + (32u << 10));
  }
  SECTION("bytes, but undelivered") {
    policy.bytes_max = 0;
    policy.keep_from = Offset(25);
    log.store().ApplyRetention(kShardA, policy);
    CHECK(log.shard()->oldest() <= Offset(25));
    CHECK(log.shard()->oldest() > Offset(10));
  }
  SECTION("age: everything, and the log goes on where it was") {
    policy.age_ms_max = 1000;
    CHECK(log.store().ApplyRetention(kShardA, policy) == 0);
    env.manual_clock().AdvanceMs(1001);
    CHECK(log.store().ApplyRetention(kShardA, policy) > 150'000);
    CHECK(log.shard()->oldest() == Offset(60));
    CHECK(log.shard()->retained_bytes() == 0);
    CHECK(log.Append("next")->base_offset == Offset(60));
  }
  const Offset oldest = log.shard()->oldest();
  const Offset end = log.shard()->durable_end();
  CHECK(oldest.value > 0);
  CHECK(log.shard()->ReadBlocking(Offset(0), 1).error().code() == Code::kOutOfRange);
  const Strings kept = ReadAll(*log.shard());
  CHECK(kept.size() == end - oldest);
  REQUIRE(log.Close().ok());
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(log.shard()->oldest() == oldest);
  CHECK(ReadAll(*log.shard()) == kept);
}

TEST_CASE("LogStore DropShard: forgets the shard and its files, others stay", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"a0"});
  log.AppendAll({"b0"}, kShardB);
  REQUIRE(log.Close().ok());
  log.Open();
  log.AppendAll({"a1"});
  log.store().DropShard(kShardA);
  CHECK(log.store().Shards() == std::vector<ShardId>{kShardB});
  REQUIRE(log.Close().ok());
  log.Open();
  CHECK(log.store().Shards() == std::vector<ShardId>{kShardB});
  for (const std::string& name : *env.List("/data/segments")) CHECK_FALSE(name.starts_with("00000001-00000000-"));
}

TEST_CASE("LogStore: a full disk refuses appends, reads go on, and it resumes by itself", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 5; ++i) values.push_back(Large(i));
  log.AppendAll(values);
  env.SetDiskFull(true);
  std::vector<std::shared_ptr<std::optional<TestLog::Answer>>> waiting;
  Status refused;
  for (int i = 5; refused.ok(); ++i) {
    REQUIRE(i < 1000);
    const auto answer = log.Start(MakeBatch(Large(i)));
    Await([&] {  // not only until appends are held back: memory would be full before writing behind has met the disk
      log.loop.RunReady();
      return answer->has_value() || log.store().stats().disk_full;
    });
    if (answer->has_value() && !answer->value().has_value()) {
      refused = answer->value().error();
    } else {
      values.push_back(Large(i));
      waiting.push_back(answer);
    }
  }
  CHECK(refused.code() == Code::kResourceExhausted);
  CHECK(log.store().stats().disk_full);
  CHECK_FALSE(log.store().overloaded());  // nobody waits for what may last
  CHECK(log.store().stats().writable);
  CHECK(Values(*log.shard()->ReadBlocking(Offset(0), 1)) == Strings{values[0]});

  env.SetDiskFull(false);
  Await([&] { return !log.store().stats().disk_full; });
  for (const auto& answer : waiting) {
    REQUIRE(log.loop.RunUntil([&] { return answer->has_value(); }));
    CHECK(answer->value().has_value());
  }
  CHECK(log.Append("after").has_value());
  values.push_back("after");
  CHECK(ReadAll(*log.shard()) == values);
  REQUIRE(log.Close().ok());
  log.Open();
  CHECK(ReadAll(*log.shard()) == values);
}

TEST_CASE("LogStore ApplyRetention: makes room on a full disk, and nothing else is lost", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 60; ++i) {  // ten to a segment
    values.push_back(Large(i));
    log.AppendAll({values.back()});
    if (i % 20 != 19) continue;
    const auto checkpoints = log.store().stats().checkpoints;  // both files of the checkpoint are to be there
    env.manual_clock().AdvanceMs(60'000);
    Await([&] { return log.store().stats().checkpoints > checkpoints; });
  }
  env.SetDiskFull(true);
  for (int i = 60; !log.store().stats().disk_full; ++i) {
    REQUIRE(i < 1'000'000);
    const auto answer = log.Start(MakeBatch(Large(i)));
    log.loop.RunReady();
    if (!answer->has_value() || answer->value().has_value()) values.push_back(Large(i));
  }
  const auto segments = [&] {
    const std::vector<std::string> names = *env.List("/data/segments");
    return std::ranges::count_if(names, [](const std::string& name) { return name.ends_with(".seg"); });
  };
  const auto before = segments();
  // Nearly all, so that the checkpoint is not larger than the one in whose file it is written: there it may not grow.
  REQUIRE(log.store().ApplyRetention(kShardA, {.age_ms_max = {}, .bytes_max = 1, .keep_from = kMaxOffset}) > 0);
  const Offset oldest = log.shard()->oldest();
  env.manual_clock().AdvanceMs(60'000);  // where the journal alone has met the full disk, the next checkpoint is far
  INFO("segments " << before << ", checkpoints " << log.store().stats().checkpoints);
  Await([&] { return segments() < before; });
  SECTION("and writing resumes") {
    env.SetDiskFull(false);
    Await([&] { return !log.store().stats().disk_full; });
    REQUIRE(log.Append("after").has_value());
    REQUIRE(log.Close().ok());
    values.push_back("after");
  }
  SECTION("and a crash loses nothing") {
    const std::uint64_t durable = log.shard()->durable_end().value;
    values.resize(durable);
    log.Kill();
    env.Crash();
    env.SetDiskFull(false);
  }
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(log.shard()->oldest() == oldest);
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(oldest.value));
  Strings recovered = ReadAll(*log.shard());
  REQUIRE(recovered.size() >= values.size());  // what nobody was told of may be there
  recovered.resize(values.size());
  CHECK(recovered == values);
}

TEST_CASE("LogStore: writing that ends on a full disk is told to whoever appends", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  env.SetDiskFull(true);
  for (int i = 0; !log.store().stats().disk_full; ++i) {
    REQUIRE(i < 1'000'000);
    (void)log.Start(MakeBatch(Large(i)));
    log.loop.RunReady();
  }
  std::promise<void> ended;
  log.store().SetEndObserver([&](const Status&) { ended.set_value(); });
  env.FailEvery(MemoryEnv::Call::kAny);
  ended.get_future().wait();
  const TestLog::Answer answer = log.Append("after");
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code() == Code::kIoError);
}

TEST_CASE("TailBudget SetBlocked: holds back where the journal has no room, refuses where the disk is full",
          "[storage]") {
  TailBudget budget(1000);
  ManualLoop loop;
  bool resumed = false;
  budget.SetBlocked(TailBudget::kNoJournalRoom, true);
  CHECK(budget.overloaded());
  CHECK_FALSE(budget.exhausted());
  budget.WhenReady(loop, [&] { resumed = true; });
  loop.RunReady();
  CHECK_FALSE(resumed);
  SECTION("let go when the disk is full, to be refused") {
    budget.SetBlocked(TailBudget::kSegmentDiskFull, true);
    CHECK(budget.exhausted());
    CHECK_FALSE(budget.overloaded());
  }
  SECTION("let go when there is room") { budget.SetBlocked(TailBudget::kNoJournalRoom, false); }
  SECTION("let go when writing ends, to learn of the error") { budget.LetGo(); }
  loop.RunReady();
  CHECK(resumed);
}

TEST_CASE("TailBudget SetBlocked: holds back again where the disk has space but memory is used up", "[storage]") {
  TailBudget budget(1000);
  budget.NoteAppended(1000);
  CHECK(budget.overloaded());
  budget.SetBlocked(TailBudget::kJournalDiskFull, true);
  CHECK_FALSE(budget.overloaded());
  budget.SetBlocked(TailBudget::kJournalDiskFull, false);
  CHECK(budget.overloaded());
}

TEST_CASE("LogStore: a failed flush ends writing; reads up to the durable end go on", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"one"});
  std::promise<std::string> told;  // breaks where it is told twice
  log.store().SetEndObserver([&](const Status& why) { told.set_value(why.message()); });
  // Each flush, as the background makes a spare journal file at the same time and flushes too.
  env.FailEvery(MemoryEnv::Call::kSync);
  const auto failed = log.Append("two");
  env.ClearFailures();
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code() == Code::kIoError);
  CHECK(log.Append("three").error().code() == Code::kIoError);
  CHECK(told.get_future().get() == failed.error().message());
  std::string told_late;
  log.store().SetEndObserver([&](const Status& why) { told_late = why.message(); });
  CHECK(told_late == failed.error().message());
  CHECK_FALSE(log.store().stats().writable);
  CHECK(ReadAll(*log.shard()) == Strings{"one"});
  CHECK(log.Close().code() == Code::kIoError);
  log.Open();
  CHECK(ReadAll(*log.shard()).front() == "one");
  CHECK(log.Append("four").has_value());
}

TEST_CASE("LogStore: a file system that has become read-only is read on", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 30; ++i) values.push_back(Large(i));  // several segments
  log.AppendAll(values);
  REQUIRE(log.Close().ok());
  log.Open();  // no segment is open, no record in memory
  env.SetReadOnly(true);
  CHECK(ReadAll(*log.shard()) == values);
  CHECK(log.Append("more").error().code() == Code::kIoError);
  CHECK(ReadAll(*log.shard()) == values);
  log.Kill();
  env.SetReadOnly(false);
  log.Open();
  log.AppendAll({"more"});  // to a segment that was opened for reading only
  values.emplace_back("more");
  CHECK(ReadAll(*log.shard()) == values);
}

TEST_CASE("LogStore: memory is bounded; what leaves it is read from the segments", "[storage]") {
  MemoryEnv env;
  LogStoreOptions options = SmallOptions();
  options.tail_bytes_max = 64u << 10;
  TestLog log(env, options);
  log.Open();
  Strings values;
  for (int i = 0; i < 200; ++i) {
    values.push_back(Large(i));
    log.AppendAll({values.back()});
    Await([&] { return !log.store().overloaded(); });
  }
  Await([&] { return log.store().stats().tail_bytes <= options.tail_bytes_max; });
  CHECK(log.shard()->ReadTail(Offset(0), 1).value() == std::nullopt);
  CHECK(ReadAll(*log.shard()) == values);
}

TEST_CASE("LogStore Open: a directory that is in use is refused", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  TestLog other(env);
  CHECK(other.TryOpen().code() == Code::kFailedPrecondition);
}

TEST_CASE("LogStore: several loops append while others read and retention runs", "[storage]") {
  constexpr int kLoops = 3;
  constexpr int kAppends = 300;
  MemoryEnv env;
  LogStoreOptions options = SmallOptions();
  options.inline_commit_bytes = 8u << 10;
  options.tail_bytes_max = 256u << 10;
  auto opened = LogStore::Open(env, "/data", options, nullptr);
  REQUIRE(opened.has_value());
  LogStore& store = **opened;
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  const auto shard_of = [](int loop) { return ShardId{StreamId(1), ShardIndex(static_cast<std::uint32_t>(loop))}; };

  std::vector<std::thread> threads;
  for (int i = 0; i < kLoops; ++i) {
    threads.emplace_back([&, i] {
      ManualLoop loop;
      const auto writer = store.NewWriter(loop);
      const auto shard = store.OpenShard(shard_of(i));
      int answered = 0;
      for (int n = 0; n < kAppends; ++n) {
        bool ready = false;  // as a door does: no append while the store holds appends back
        store.WhenReady(loop, [&ready] { ready = true; });
        if (!loop.RunUntil([&ready] { return ready; })) ++failures;
        protocol::FrameBuffer batch = MakeBatch(Large(n));
        const auto header = *protocol::ParseBatchHeader(batch.batch_view());
        writer->Append(*shard, std::move(batch), header, n % 5 == 0 ? AckMode::kWritten : AckMode::kDurable,
                       [&, n](const Result<Appended>& answer) {
                         if (!answer || answer->base_offset.value != static_cast<std::uint64_t>(n)) ++failures;
                         ++answered;
                       });
        if (n % 4 == 3 && !loop.RunUntil([&] { return answered == n + 1; })) ++failures;
      }
      if (!loop.RunUntil([&] { return answered == kAppends && shard->durable_end() == Offset(kAppends); })) ++failures;
    });
  }
  std::thread reader([&] {
    while (!stop) {
      for (int i = 0; i < kLoops; ++i) {
        const auto shard = store.OpenShard(shard_of(i));
        const Offset from = shard->oldest();
        const auto run = shard->ReadBlocking(from, 16u << 10);
        if (!run && run.error().code() != Code::kOutOfRange) ++failures;
        if (run && !run->frames.empty() && run->frames.front().base_offset() != from) ++failures;
        (void)shard->OffsetAtTimeBlocking(0);
      }
    }
  });
  std::thread retention([&] {
    while (!stop) {
      RetentionPolicy policy;
      policy.bytes_max = 100'000;
      for (int i = 0; i < kLoops; ++i) store.ApplyRetention(shard_of(i), policy);
      (void)store.stats();
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  reader.join();
  retention.join();
  CHECK(failures == 0);
  for (int i = 0; i < kLoops; ++i) CHECK(store.OpenShard(shard_of(i))->durable_end() == Offset(kAppends));
  CHECK(store.Close().ok());
}

}  // namespace sluice::storage
