// Damage on the disk: acknowledged records are never dropped silently and wrong bytes are never returned.
#include <algorithm>

#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kJournal = "/data/journal/0000.log";
constexpr std::uint64_t kPage = 4096;

/// Five single-record groups of shard A in the journal, no checkpoint; the first four are below a mark.
Strings FillJournal(MemoryEnv& env) {
  TestLog log(env);
  log.Open();
  const Strings values{"one", "two", "three", "four", "five"};
  log.AppendAll(values);
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  return values;
}

/// What stands below `dir` on one disk, on another one as well.
void CopyFiles(MemoryEnv& from, MemoryEnv& to, const std::string& dir) {
  REQUIRE(to.MakeDirs(dir).ok());
  for (const std::string& name : from.List(dir).value()) {
    const std::string path = dir + "/" + name;
    if (from.List(path).has_value()) {
      CopyFiles(from, to, path);
    } else {
      to.WriteByHand(path, from.ReadByHand(path));
    }
  }
}

/// Reads as far as reading goes; the status that ended it.
Status ReadUntilError(ShardLog& log, Strings& values) {
  for (Offset at = log.oldest(); at < log.durable_end();) {
    auto run = log.ReadBlocking(at, 1 << 20);
    if (!run) return run.error();
    for (std::string& value : Values(*run)) values.push_back(std::move(value));
    at = run->next;
  }
  return {};
}

bool IsPrefix(const Strings& part, const Strings& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// What must hold whatever byte of the journal was damaged: right values only, and anything missing below the mark is
/// told.
void CheckJournalOutcome(TestLog& log, const Strings& written) {
  const auto shard = log.shard();
  Strings read;
  const Status status = ReadUntilError(*shard, read);
  const bool quarantined = !log.report.quarantined.empty();
  REQUIRE(IsPrefix(read, written));
  if (read.size() < written.size() - 1) {
    REQUIRE(quarantined);
    REQUIRE(status.code() == Code::kCorruption);
    CHECK(log.Append("more").error().code() == Code::kCorruption);
  } else if (!quarantined) {
    // The last group has no mark above it: it may be cut as a torn tail, and the log goes on.
    CHECK(log.Append("more").has_value());
  }
}

}  // namespace

TEST_CASE("LogStore Open: every flipped byte of the journal", "[storage]") {
  MemoryEnv base;
  const Strings written = FillJournal(base);
  for (std::uint64_t at = 0; at < 7 * kPage; ++at) {
    const bool interesting = at % kPage < 360 || at % 256 == 0;
    if (!interesting) continue;
    INFO("byte " << at << " of the journal is flipped");
    MemoryEnv env;
    CopyFiles(base, env, "/data");
    env.FlipBit(kJournal, at * 8 + at % 8);
    TestLog log(env);
    log.Open();
    CheckJournalOutcome(log, written);
  }
}

TEST_CASE("LogStore Open: the journal truncated at every block", "[storage]") {
  for (std::uint64_t size = 0; size <= 7 * kPage; size += 512) {
    INFO("cut at " << size);
    MemoryEnv env;
    const Strings written = FillJournal(env);
    env.TruncateByHand(kJournal, size);
    TestLog log(env);
    CHECK(log.TryOpen().code() == Code::kCorruption);  // the list of journal files knows better
    env.RemoveByHand("/data/journal-files");
    log.Open();
    Strings read;
    (void)ReadUntilError(*log.shard(), read);
    REQUIRE(IsPrefix(read, written));
    CHECK(log.Append("more", kShardB).has_value());
  }
}

TEST_CASE("LogStore Open: misses a journal file that was removed or cut after a crash", "[storage]") {
  MemoryEnv env;
  const Strings written = FillJournal(env);
  const std::string journal = env.ReadByHand(kJournal);
  if (GENERATE(false, true)) {
    env.RemoveByHand(kJournal);
  } else {
    env.TruncateByHand(kJournal, journal.size() - 1);
  }
  TestLog log(env);
  const Status status = log.TryOpen();
  CHECK(status.code() == Code::kCorruption);
  CHECK(status.message().find(kJournal) != std::string::npos);
  SECTION("and takes it back") {
    env.WriteByHand(kJournal, journal);
    log.Open();
    CHECK(ReadAll(*log.shard()) == written);
  }
  SECTION("and goes on where the loss is accepted") {
    env.RemoveByHand("/data/journal-files");
    log.Open();
    CHECK(log.Append("more", kShardB).has_value());
  }
}

TEST_CASE("LogStore Open: a damaged frame below the mark quarantines its shard and no other", "[storage]") {
  MemoryEnv env;
  {
    TestLog log(env);
    log.Open();
    log.AppendAll({"a0", "a1"});
    log.AppendAll({"b0"}, kShardB);
    log.AppendAll({"a2"});
    env.PowerOff();
    log.Kill();
    env.PowerOn();
  }
  env.FlipBit(kJournal, (2 * kPage + 64 + 32 + 64 + 70) * 8);  // the batch of the second group: a1
  TestLog log(env);
  log.Open();
  REQUIRE(log.report.quarantined.size() == 1);
  const auto shard = log.shard();
  CHECK(Values(*shard->ReadBlocking(Offset(0), 1)) == Strings{"a0"});
  const auto hole = shard->ReadBlocking(Offset(1), 1);
  REQUIRE_FALSE(hole.has_value());
  CHECK(hole.error().code() == Code::kCorruption);
  CHECK(Values(*shard->ReadBlocking(Offset(2), 1)) == Strings{"a2"});
  CHECK(log.Append("a3").error().code() == Code::kCorruption);
  CHECK(log.Append("b1", kShardB).has_value());

  SECTION("it outlives a restart") {
    REQUIRE(log.Close().ok());
    log.Open();
    CHECK(log.Append("a3").error().code() == Code::kCorruption);
    CHECK(log.shard()->ReadBlocking(Offset(1), 1).error().code() == Code::kCorruption);
  }
  SECTION("the operator accepts the loss") {
    CHECK(shard->damage().open());
    CHECK(log.store().AcceptLoss(kShardA) == std::vector<Hole>{{Offset(1), Offset(2), true}});
    CHECK(log.Append("a3")->base_offset == Offset(3));
    CHECK(log.store().AcceptLoss(kShardA).error().code() == Code::kFailedPrecondition);
    CHECK(ReadAll(*shard, Offset(1)) == Strings{"a2", "a3"});
    REQUIRE(log.Close().ok());
    log.Open();
    CHECK(log.report.quarantined.empty());
    CHECK(log.Append("a4")->base_offset == Offset(4));
    CHECK(ReadAll(*log.shard()) == Strings{"a0", "a2", "a3", "a4"});
    const ShardDamage damage = log.shard()->damage();
    CHECK(damage.holes == std::vector<Hole>{{Offset(1), Offset(2), true}});
    CHECK_FALSE(damage.open());
  }
  SECTION("a quarantine is told at every start") {
    REQUIRE(log.Close().ok());
    log.Open();
    CHECK(log.report.quarantined.size() == 1);
  }
}

TEST_CASE("LogStore Open: the last group torn above the mark is cut", "[storage]") {
  MemoryEnv env;
  FillJournal(env);
  env.FlipBit(kJournal, (5 * kPage + 64 + 32 + 64 + 70) * 8);  // the fifth group
  TestLog log(env);
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(log.report.torn_bytes_cut == kPage);
  CHECK(ReadAll(*log.shard()) == Strings{"one", "two", "three", "four"});
  CHECK(log.Append("again")->base_offset == Offset(4));
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  log.Open();  // the cut group stays cut
  CHECK(log.report.quarantined.empty());
  CHECK(ReadAll(*log.shard()) == Strings{"one", "two", "three", "four", "again"});
}

TEST_CASE("LogStore: the idle mark makes damage of the last group known", "[storage]") {
  MemoryEnv env;
  LogStoreOptions options = SmallOptions();
  options.checkpoint_interval_ms = 1'000'000'000'000;  // however far the clock is moved below, none is due
  TestLog log(env, options);
  log.Open();
  log.AppendAll({"one"});
  // The mark is the group on the second page after the header.
  while (env.ReadDurable(kJournal).substr(2 * kPage, 4) != "SLG1") env.manual_clock().AdvanceMs(20);
  env.PowerOff();
  log.Kill();
  env.PowerOn();
  env.FlipBit(kJournal, (kPage + 64 + 32 + 64 + 70) * 8);
  log.Open();
  CHECK(log.report.quarantined.size() == 1);
  CHECK(log.Append("two").error().code() == Code::kCorruption);
}

TEST_CASE("ShardLog ReadBlocking: a page that cannot be read costs the frame that it is in", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 12; ++i) {
    values.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 5) * 700, '.'));
    log.AppendAll({values.back()});
  }
  REQUIRE(log.Close().ok());
  log.Open();
  const auto shard = log.shard();
  const std::string path = "/data/segments/00000001-00000000-0000000000000000.seg";
  std::uint64_t position = kPage;
  for (std::uint64_t bad = 0; bad < values.size(); ++bad) {
    INFO("frame " << bad);
    const std::uint64_t frame_bytes = shard->ReadBlocking(Offset(bad), 1)->bytes;
    env.SetUnreadable(path, position + frame_bytes - 1);
    Strings read;
    const Status status = ReadUntilError(*shard, read);
    CHECK(read == Strings(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(bad)));
    CHECK(status.code() == Code::kIoError);
    const std::string number = std::to_string(bad);
    CHECK(status.message().find("offsets " + number + " to " + number + " cannot be read") != std::string::npos);
    env.ClearFailures();
    position += frame_bytes;
  }
  Strings read;
  CHECK(ReadUntilError(*shard, read).ok());
  CHECK(read == values);
}

TEST_CASE("ShardLog ReadBlocking: every flipped byte of a segment is found and told", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 12; ++i) values.push_back("value " + std::to_string(i));
  log.AppendAll(values);
  const std::uint64_t frames_end = kPage + log.shard()->ReadBlocking(Offset(0), 1u << 20)->bytes;
  REQUIRE(log.Close().ok());
  const std::string path = "/data/segments/00000001-00000000-0000000000000000.seg";
  for (std::uint64_t at = 0; at < frames_end; at += at < kPage ? 64 : 1) {
    env.FlipBit(path, at * 8 + at % 8);
    log.Open();
    const auto shard = log.shard();
    Strings read;
    const Status status = ReadUntilError(*shard, read);
    if (!IsPrefix(read, values)) FAIL("byte " << at << ": wrong values");
    if (at < kPage) {
      CHECK(read == values);  // the header is not needed to read
    } else {
      if (status.code() != Code::kCorruption) FAIL("byte " << at << " was not noticed");
      // Behind the damage the records can be read.
      const std::size_t next = read.size() + 1;
      if (next < values.size()) CHECK(ReadAll(*shard, Offset(next)).size() == values.size() - next);
    }
    REQUIRE(log.Close().ok());
    env.FlipBit(path, at * 8 + at % 8);
  }
}

TEST_CASE("LogStore AcceptLoss: damage that a read has met in a segment is passed over", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"zero", "one", "two"});
  env.manual_clock().AdvanceMs(5);
  log.AppendAll({"three"});
  const std::int64_t time_of_three = log.shard()->last_append_time_ms();
  REQUIRE(log.Close().ok());
  const std::string path = "/data/segments/00000001-00000000-0000000000000000.seg";
  const std::string good = env.ReadByHand(path);
  const std::uint64_t first = good.find("SLF1", kPage + 1) * 8 + 70 * 8;  // in the batch of offset 1
  env.FlipBit(path, first);
  log.Open();
  const auto shard = log.shard();
  CHECK_FALSE(shard->damage().open());  // nobody has read it yet
  CHECK(log.store().AcceptLoss(kShardA).error().code() == Code::kFailedPrecondition);
  CHECK(shard->ReadBlocking(Offset(1), 1).error().message().find("sluice stream accept-loss") != std::string::npos);
  CHECK(shard->OffsetAtTimeBlocking(time_of_three).error().code() == Code::kCorruption);
  CHECK(shard->damage().holes == std::vector<Hole>{{Offset(1), Offset(2)}});
  CHECK(log.Append("four").has_value());  // old damage holds nobody up who writes

  SECTION("and stays so") {
    CHECK(log.store().AcceptLoss(kShardA) == std::vector<Hole>{{Offset(1), Offset(2), true}});
    CHECK(shard->damage().holes == std::vector<Hole>{{Offset(1), Offset(2), true}});
    REQUIRE(log.Close().ok());
    log.Open();
    CHECK(ReadAll(*log.shard()) == Strings{"zero", "two", "three", "four"});
    CHECK(log.shard()->OffsetAtTimeBlocking(time_of_three) == Offset(3));
  }
  SECTION("but not what can be read again") {
    env.FlipBit(path, first);
    CHECK(log.store().AcceptLoss(kShardA) == std::vector<Hole>());
    CHECK(ReadAll(*shard) == Strings{"zero", "one", "two", "three", "four"});
  }
}

TEST_CASE("LogStore Open: a segment that is missing quarantines its shard and names the offsets", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"a0", "a1"});
  log.AppendAll({"b0"}, kShardB);
  REQUIRE(log.Close().ok());
  env.RemoveByHand("/data/segments/00000001-00000000-0000000000000000.seg");
  log.Open();
  REQUIRE(log.report.quarantined.size() == 1);
  CHECK(log.report.quarantined[0].find("offsets 0 to 1") != std::string::npos);
  CHECK(log.shard()->ReadBlocking(Offset(0), 1).error().code() == Code::kCorruption);
  CHECK(ReadAll(*log.shard(kShardB)) == Strings{"b0"});

  // Accepted, although nothing is behind it: reads wait for what comes.
  REQUIRE(log.store().AcceptLoss(kShardA).has_value());
  const auto end = log.shard()->ReadTail(Offset(0), 1);
  REQUIRE((end.has_value() && end->has_value()));
  CHECK((*end)->frames.empty());
  CHECK((*end)->next == Offset(2));
  CHECK(log.Append("a2")->base_offset == Offset(2));
  CHECK(ReadAll(*log.shard()) == Strings{"a2"});
}

TEST_CASE("LogStore Open: without checkpoints the shards are rebuilt from their segments", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  Strings values;
  for (int i = 0; i < 200; ++i) values.push_back("value " + std::to_string(i) + std::string(1500, '.'));
  log.AppendAll(values);
  REQUIRE(log.Append(MakeBatch("idempotent", 1, {.id = 5, .epoch = 0, .sequence = 0})).has_value());
  REQUIRE(log.Close().ok());
  log.Open();  // the close of each leaves a checkpoint, so that there are two
  REQUIRE(log.Close().ok());
  values.push_back("idempotent");
  SECTION("both removed") {
    env.RemoveByHand("/data/checkpoint-a");
    env.RemoveByHand("/data/checkpoint-b");
  }
  SECTION("both damaged") {
    env.FlipBit("/data/checkpoint-a", 700);
    env.FlipBit("/data/checkpoint-b", 700);
  }
  SECTION("index files damaged as well") {
    env.RemoveByHand("/data/checkpoint-a");
    env.RemoveByHand("/data/checkpoint-b");
    for (const std::string& name : *env.List("/data/segments")) {
      if (name.ends_with(".idx")) env.WriteByHand("/data/segments/" + name, "rubbish");
    }
  }
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(ReadAll(*log.shard()) == values);
  const auto again = log.Append(MakeBatch("idempotent", 1, {.id = 5, .epoch = 0, .sequence = 0}));
  REQUIRE(again.has_value());
  CHECK(again->duplicate);
}

TEST_CASE("LogStore Open: the segments alone are enough", "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"zero", "one"});
  REQUIRE(log.Close().ok());
  for (const char* copy : {"/data/checkpoint-a", "/data/checkpoint-b", "/data/journal-files"}) {
    if (env.Exists(copy).value()) env.RemoveByHand(copy);
  }
  for (const std::string& name : env.List("/data/journal").value()) env.RemoveByHand("/data/journal/" + name);
  log.Open();
  CHECK(ReadAll(*log.shard()) == Strings{"zero", "one"});
  CHECK(log.Append("two")->base_offset == Offset(2));
  log.Kill();
  log.Open();
  CHECK(log.report.quarantined.empty());
  CHECK(ReadAll(*log.shard()) == Strings{"zero", "one", "two"});
}

TEST_CASE("LogStore Open: a directory of another version or program is refused, a missing version file is not",
          "[storage]") {
  MemoryEnv env;
  TestLog log(env);
  log.Open();
  log.AppendAll({"one"});
  REQUIRE(log.Close().ok());
  for (const std::string version : {"1", "3"}) {
    env.WriteByHand("/data/VERSION", "sluice-data " + version + "\n");
    CHECK(log.TryOpen().code() == Code::kUnimplemented);
  }
  env.WriteByHand("/data/VERSION", "1.2.3\n");
  CHECK(log.TryOpen().code() == Code::kCorruption);
  env.RemoveByHand("/data/VERSION");
  log.Open();
  CHECK(ReadAll(*log.shard()) == Strings{"one"});
}

}  // namespace sluice::storage
