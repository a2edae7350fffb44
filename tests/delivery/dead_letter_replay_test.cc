// Dead letters that are delivered again, as error objects are: each once, whatever crashes, and whatever becomes of
// their stream.
#include <algorithm>
#include <string>
#include <vector>

#include "broker/delivery/error_listing.h"
#include "protocol/base64.h"
#include "tests/delivery/dead_letter_fixture.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/replay_fixture.h"

namespace sluice::delivery {
namespace {

using AppendFault = FakeStreams::Fault;
using Fault = FaultyMetadata::Fault;

/// Its dead letters come in several batches, with records of somebody else between them.
struct Letters : World {
  Letters() : World(WithDeadLetters(NarrowConfig())) {
    streams.Create(kDead);
    streams.record_bytes_max = 4u << 10;
    streams.before_append = [this] { streams.Append(kDead, {.key = "other", .value = "of somebody else"}); };
    FillMixed(*this);
  }

  ShardId shard() const { return {streams.at(kDead).id, ShardIndex(0)}; }
  /// The first dead letters are no longer there.
  void Lose(std::uint64_t count) {
    for (FakeRecord& record : streams.at(kDead).shards[0]) {
      if (count == 0) break;
      if (!record.headers.contains(std::string(kDeliveryHeader))) continue;
      record.lost = true;
      --count;
    }
  }
};

void CheckProven(World& world, std::uint64_t gone = 0) {
  const tools::VerifyReport report = VerifyWithDeadLetters(world);
  CheckReport(world, report);
  CHECK(report.dead_letters_gone == gone);
  CHECK(world.dead_letter_holds.empty());
}

/// Of everything, up to this delivery: as a caller goes on after a restart.
ReplayProgress ReplayedUpTo(World& world, std::uint64_t seq) {
  const auto progress = Finish(world, world.stream->replay().Begin({.reason = "", .seq_max = seq}));
  REQUIRE(progress.has_value());
  return *progress;
}

/// 20 of the 30 dead letters are rows now, and 10 are dead letters again, once.
void CheckReplayedOnce(World& world) {
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(totals.rows == 50);
  CHECK(totals.replayed == 30);
  CHECK(totals.errors == 40);
  CHECK(totals.dead_letters == 40);
  CHECK(DeadRecords(world).size() == 40);
  CheckProven(world);
}

TEST_CASE("Replay: dead letters by reason and by time, and nothing twice", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  const std::vector<FakeRecord> before = world.streams.Records(kDead);
  CHECK(Replayed(world, "", world.env.clock().WallMs() + 1).records == 0);
  CHECK(Replayed(world, "processing-failed").records == 0);
  const ReplayProgress some = Replayed(world, "DataFormatConversion.MalformedData");
  CHECK(some.records == 20);
  CHECK(some.failed == 0);
  CHECK(some.gone == 0);
  CHECK(some.problem.empty());
  CheckProven(world);
  CHECK(Replayed(world, "DataFormatConversion.MalformedData").records == 0);
  CHECK(Replayed(world, "DataFormatConversion").failed == 10);
  CheckReplayedOnce(world);
  CHECK(Replayed(world, "format-conversion-failed").failed == 10);  // those that had failed again
  CheckProven(world);
  for (const auto& [key, bytes] : world.Lake()) CHECK_FALSE(key.starts_with("errors/"));
  const std::vector<FakeRecord> after = world.streams.Records(kDead);
  REQUIRE(after.size() > before.size() + 20);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i].value == before[i].value);
}

TEST_CASE("Replay: error objects and dead letters of one delivery stream", "[delivery]") {
  World world(NarrowConfig());
  FillMixed(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  world.streams.Create(kDead);
  REQUIRE(world.stream->Reconfigure(WithDeadLetters(NarrowConfig())).has_value());
  FillMixed(world);
  REQUIRE(world.Run());
  const bool still = GENERATE(true, false);  // what fails again has a dead-letter stream
  world.config = Widened(still ? WithDeadLetters(NarrowConfig()) : NarrowConfig());
  REQUIRE(world.stream->Reconfigure(world.config).has_value());
  const std::string listed = Listed(world);
  CHECK(listed.contains(R"("dead_letters":[{"stream":"orders-dead","records":30,"gone":0}])"));
  CHECK(listed.contains(R"("records":40,"objects":1,"dead_letters":20,)"));
  const ReplayProgress done = Replayed(world);
  CHECK(done.records == 60);
  CHECK(done.failed == 20);
  CHECK(world.stream->status().checkpoint.totals.rows == 100);
  CHECK(DeadRecords(world).size() == (still ? 50 : 30));
  CheckProven(world);
}

TEST_CASE("Replay: more dead letters than one delivery has", "[delivery]") {
  World world(WithDeadLetters(NarrowConfig()), 1);
  world.streams.Create(kDead);
  for (int i = 0; i < 250; ++i)
    world.log.Append(0, fmt::format(R"({{"id":5000000000,"text":"{}"}})", std::string(10'000, 'x')),
                     world.env.clock().WallMs());
  DeliverAndWiden(world);
  const std::size_t before = world.Ledger().size();
  CHECK(Replayed(world).records == 250);
  CHECK(world.Ledger().size() >= before + 3);
  CHECK(world.stream->status().checkpoint.totals.rows == 250);
  CheckProven(world);
}

TEST_CASE("Replay: dead letters in a shard that was split meanwhile", "[delivery]") {
  Letters world;
  int appends = 0;
  world.streams.before_append = [&] {
    if (++appends == 3) world.streams.Split(kDead);
  };
  DeliverAndWiden(world);
  REQUIRE(world.Ledger().front().dead_letters.back().shard.index == ShardIndex(1));
  CHECK(Replayed(world).records == 30);
  CheckReplayedOnce(world);
}

TEST_CASE("Replay: of dead letters, power lost at every call, and in the end all is the same", "[delivery]") {
  Letters whole;
  DeliverAndWiden(whole);
  const std::uint64_t up_to = whole.stream->status().checkpoint.next_seq - 1;
  ReplayedUpTo(whole, up_to);
  CheckReplayedOnce(whole);
  for (int nth = 1;; ++nth) {
    Letters world;
    DeliverAndWiden(world);
    const std::uint64_t number = world.stream->replay().Begin({.reason = "", .seq_max = up_to});
    world.env.PowerOffAtCall(storage::MemoryEnv::Call::kAny, nth);
    for (int i = 0; i < 50 && world.env.powered() && !world.stream->replay().Find(number)->done; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.env.powered()) break;  // past the last call
    INFO("power off at call " << nth);
    world.env.PowerOn({});
    REQUIRE(world.Start().ok());
    CHECK(ReplayedUpTo(world, up_to).problem.empty());
    CHECK(world.Lake() == whole.Lake());
    CHECK(DeadRecords(world) == DeadRecords(whole));
    CHECK(world.stream->status().checkpoint.totals == whole.stream->status().checkpoint.totals);
    CheckProven(world);
    REQUIRE(nth < 200);
  }
}

TEST_CASE("Replay: of dead letters, whichever transaction or append fails, nothing is delivered twice", "[delivery]") {
  const bool appends_fail = GENERATE(true, false);
  const bool after = GENERATE(true, false);
  const bool restart = GENERATE(false, true);
  for (int nth = 1;; ++nth) {
    Letters world;
    DeliverAndWiden(world);
    const std::uint64_t up_to = world.stream->status().checkpoint.next_seq - 1;
    const std::uint64_t number = world.stream->replay().Begin({.reason = "", .seq_max = up_to});
    if (appends_fail) {
      world.streams.FailAppend(nth, after ? AppendFault::kAfter : AppendFault::kBefore);
    } else {
      world.metadata.FailCommit(nth, after ? Fault::kAfter : Fault::kBefore);
    }
    const auto failed = [&] { return world.streams.failures + world.metadata.failures() > 0; };
    for (int i = 0; i < 100 && !failed() && !world.stream->replay().Find(number)->done; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    const bool over = !failed();
    INFO("failure " << nth);
    if (!over && restart) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
    }
    REQUIRE(world.Run());
    ReplayedUpTo(world, up_to);
    CheckReplayedOnce(world);
    if (over) {
      CHECK(nth > (appends_fail ? 1 : 3));  // intent, mark, checkpoint
      break;
    }
    REQUIRE(nth < 50);
  }
}

TEST_CASE("Replay: dead letters that are gone are counted, and the others are delivered", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  world.Lose(7);
  CHECK(Listed(world).contains(R"("dead_letters":[{"stream":"orders-dead","records":23,"gone":7}])"));
  const ReplayProgress done = Replayed(world);
  CHECK(done.records == 23);
  CHECK(done.gone == 7);
  CHECK(done.problem.empty());
  CheckProven(world, 7);
  world.streams.Delete(kDead);
  const ReplayProgress none = Replayed(world);
  CHECK(none.records == 0);
  CHECK(none.gone == 7 + done.failed);
  CHECK(none.problem.empty());
  CheckProven(world, 7 + done.failed);
}

TEST_CASE("Replay: retention spares the dead letters that are being delivered", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  const std::uint64_t up_to = world.stream->status().checkpoint.next_seq - 1;
  const std::uint64_t number = Ask(world);
  while (!world.stream->status().intent) world.env.manual_clock().AdvanceMs(world.stream->Step());
  const std::uint64_t first = world.Ledger().front().dead_letters.front().first.value;
  CHECK(world.dead_letter_holds.at(world.shard()) == first);
  if (GENERATE(true, false)) {
    REQUIRE(world.Start().ok());
    CHECK(world.dead_letter_holds.at(world.shard()) == first);
    REQUIRE(world.Run());
    ReplayedUpTo(world, up_to);
  } else {
    CHECK(Finish(world, number)->records == 30);
  }
  CheckReplayedOnce(world);
}

TEST_CASE("Replay: one whose dead letters go after it was decided is decided again without them", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  const std::uint64_t number = Ask(world);
  while (!world.stream->status().intent) world.env.manual_clock().AdvanceMs(world.stream->Step());
  world.Lose(4);
  const auto done = Finish(world, number);
  REQUIRE(done.has_value());
  CHECK(done->records == 26);
  CHECK(done->gone == 4);
  CHECK(done->problem.empty());
  CheckProven(world, 4);
}

TEST_CASE("Replay: dead letters that cannot be read are told, and wait", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  world.streams.unreadable = GENERATE(Status(Code::kCorruption, "the log is damaged"),
                                      Status(Code::kFailedPrecondition, "its key is missing"));
  const std::string why = fmt::format("dead-letter stream 'orders-dead': {}", world.streams.unreadable.message());
  CHECK(Listed(world).contains(why));
  const ReplayProgress done = Replayed(world);
  CHECK(done.records == 0);
  CHECK(done.problem.contains(why));
  CHECK(world.stream->status().mode == DeliveryMode::kActive);
  world.streams.unreadable = {};
  CHECK(Replayed(world).records == 30);
  CheckReplayedOnce(world);
}

TEST_CASE("ListErrors: dead letters by their reasons, with samples, page by page", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  const std::string all = Listed(world, {.filter = {}, .samples = 1});
  CHECK(all.contains(R"("type":"format-conversion-failed","code":"DataFormatConversion.ParseError",)"));
  CHECK(all.contains(fmt::format(R"("data":"{}")", protocol::EncodeBase64("no json 1"))));
  CHECK(all.contains(R"("records":20,"objects":0,"dead_letters":20,)"));
  CHECK(all.contains(R"("dead_letters":[{"stream":"orders-dead","records":30,"gone":0}])"));
  CHECK(all.ends_with(R"("unreadable":[],"next":""})"));
  CHECK_FALSE(Listed(world, {.filter = {.reason = "DataFormatConversion.ParseError"}}).contains("MalformedData"));
  const std::vector<ErrorSource> sources = ErrorSources(world.Ledger(), {});
  REQUIRE(sources.size() > 3);
  const std::uint64_t left = 30 - CountLines(sources[0].open.lines) - CountLines(sources[1].open.lines);
  CHECK(Listed(world, {.filter = {}, .from = sources[2].id()})
            .contains(fmt::format(R"("dead_letters":[{{"stream":"orders-dead","records":{},"gone":0}}])", left)));
  Replayed(world, "DataFormatConversion.MalformedData");
  const std::string rest = Listed(world);
  CHECK(rest.starts_with(R"({"name":"orders-lake","replayed":20,)"));
  CHECK_FALSE(rest.contains("MalformedData"));
}

TEST_CASE("Verify: a replay that is not what the dead-letter stream says is found", "[delivery]") {
  Letters world;
  DeliverAndWiden(world);
  Replayed(world);
  Proof proof(world);
  REQUIRE(VerifyWithDeadLetters(world, proof.document()).ok());
  const auto has = [&](std::string_view kind) {
    const auto report = VerifyWithDeadLetters(world, proof.document());
    return std::ranges::any_of(report.problems, [&](const auto& problem) { return problem.kind == kind; });
  };
  std::vector<LedgerEntry>& entries = proof.document().entries;
  const LedgerEntry replay = entries.back();
  REQUIRE(replay.replays.front().shard == world.shard());
  LedgerEntry again = replay;  // the same records once more
  ++again.seq;
  entries.push_back(again);
  CHECK(has("records twice"));
  entries.pop_back();
  entries.back().replays[0].shard->index = ShardIndex(7);
  CHECK(has("ledger damaged"));
  entries.back() = replay;
  entries.back().replays[0].lines.back().last += 1;  // of somebody else
  CHECK(has("ledger damaged"));
  // What failed again was not among what was replayed.
  const std::uint64_t first = replay.replays[0].lines.front().first;
  entries.back().replays = {replay.replays[0]};
  entries.back().replays[0].lines = {{first, first}};
  CHECK(has("error record foreign"));
}

}  // namespace
}  // namespace sluice::delivery
