// Dead letters: each failed record is in the dead-letter stream once, whatever crashes, and whatever becomes of the
// stream meanwhile.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "broker/delivery/dead_letter_output.h"
#include "broker/delivery/error_record.h"
#include "tests/delivery/config_documents.h"
#include "tests/delivery/dead_letter_fixture.h"
#include "tests/delivery/delivery_world.h"

namespace sluice::delivery {
namespace {

using Fault = FaultyMetadata::Fault;
using AppendFault = FakeStreams::Fault;
/// Of `count` records of some KiB every second one is no JSON.
void FillMixed(World& world, int count = 40) {
  for (int i = 0; i < count; ++i) {
    const std::string bad = fmt::format("no json {} {}", i, std::string(12'000, 'x'));
    world.log.Append(static_cast<std::uint32_t>(i) % world.log.shards(), i % 2 == 0 ? bad : JsonRecord(i % 6, 12'000),
                     world.env.clock().WallMs() + i);
  }
}

std::vector<std::string> BadRecords(const World& world) {
  std::vector<std::string> bad;
  for (std::uint32_t shard = 0; shard < world.log.shards(); ++shard) {
    for (const FakeLog::Record& record : world.log.shard(shard)) {
      if (record.value.starts_with("no json")) bad.push_back(record.value);
    }
  }
  std::ranges::sort(bad);
  return bad;
}

/// Nothing failed twice or not at all, nothing of it is held, and the ledger is proven.
void CheckOnce(World& world) {
  CHECK(DeadRecords(world) == BadRecords(world));
  CHECK(world.dead_letter_holds.empty());
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(totals.dead_letters == BadRecords(world).size());
  CHECK(totals.errors == totals.dead_letters);
  const tools::VerifyReport report = VerifyWithDeadLetters(world);
  INFO(tools::VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.dead_letters == totals.dead_letters);
  CHECK(report.dead_letters_gone == 0);
}

/// A world that has delivered nothing yet.
struct Ready : World {
  explicit Ready(const DeliveryConfig& with = ParquetConfig()) : World(WithDeadLetters(with)) {
    streams.Create(kDead);
    FillMixed(*this);
    REQUIRE(Start().ok());
  }
};

}  // namespace

TEST_CASE("DeadLetterOutput Finish: a record for each error record, as its error object would hold it", "[delivery]") {
  World objects{ParquetConfig()};
  FillMixed(objects);
  REQUIRE(objects.Start().ok());
  REQUIRE(objects.Run());
  std::vector<std::string> lines;
  for (const auto& [key, bytes] : objects.Lake()) {
    if (!key.starts_with("errors/")) continue;
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t end = bytes.find('\n', begin);
      lines.push_back(bytes.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  REQUIRE(lines.size() == 20);
  Ready world;
  REQUIRE(world.Run());
  CheckOnce(world);
  std::vector<std::string> values;
  const std::vector<FakeRecord> records = world.streams.Records(kDead);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const FakeRecord& record = records[i];
    values.push_back(record.value);
    const ErrorRecordPlace place = *ParseErrorRecordLine(record.value);
    CHECK(record.key == "key");
    CHECK(record.headers ==
          std::map<std::string, std::string>{{"sluice-error-type", "format-conversion-failed"},
                                             {"sluice-delivery-stream", "orders-lake"},
                                             {"sluice-shard", std::to_string(place.shard.value)},
                                             {"sluice-offset", std::to_string(place.offset.value)},
                                             {"sluice-delivery", fmt::format("0123456789abcdef:1:{}", i)}});
  }
  CHECK(values == lines);
  for (const auto& [key, bytes] : world.Lake()) CHECK_FALSE(key.starts_with("errors/"));
  const LedgerEntry entry = world.Ledger().front();
  CHECK(entry.errors == 20);
  const ShardId shard{world.streams.at(kDead).id, ShardIndex(0)};
  CHECK(entry.dead_letters == std::vector<DeadLetters>{{kDead, shard, Offset(0), Offset(19)}});
  CHECK(*LedgerEntryFromJson(LedgerEntryToJson(entry)) == entry);
  CHECK(world.stream->status().counts.builds.errors.at("format-conversion-failed") == 20);
}

TEST_CASE("DeadLetterOutput Finish: nothing is asked of the stream where nothing fails", "[delivery]") {
  World world(WithDeadLetters(ParquetConfig()));  // there is no such stream
  Fill(world, 20);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.stream->status().failures == 0);
  CHECK(world.stream->status().checkpoint.totals.dead_letters == 0);
}

TEST_CASE("DeadLetterOutput Finish: each append fails in turn, done or not, with and without a restart", "[delivery]") {
  const DeliveryConfig config = GENERATE(ParquetConfig(), PartitionedByIdConfig());
  const auto fault = GENERATE(AppendFault::kBefore, AppendFault::kAfter);
  const bool restart = GENERATE(true, false);
  int batches = 0;
  for (int nth = 1;; ++nth) {
    Ready world(config);
    world.streams.before_append = [&] { world.streams.Append(kDead, {.key = "other", .value = "of somebody else"}); };
    world.streams.FailAppend(nth, fault);
    INFO("append " << nth << " fails");
    REQUIRE(nth < 100);
    for (int i = 0; i < 400 && !world.delivered() && world.streams.failures == 0; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.streams.failures == 0) {
      batches = world.streams.appends;
      break;
    }
    CHECK_FALSE(world.dead_letter_holds.empty());
    CHECK(world.stream->status().last_error.find("appending to dead-letter stream 'orders-dead'") != std::string::npos);
    if (restart) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
      CHECK_FALSE(world.dead_letter_holds.empty());
    }
    REQUIRE(world.Run());
    CheckOnce(world);
  }
  CHECK(batches > 5);  // more than the log remembers of an idempotent producer
}

TEST_CASE("DeadLetterOutput Finish: each commit fails in turn, done or not, with and without a restart", "[delivery]") {
  const DeliveryConfig config = GENERATE(ParquetConfig(), PartitionedByIdConfig());
  const auto fault = GENERATE(Fault::kBefore, Fault::kAfter);
  const bool restart = GENERATE(true, false);
  for (int nth = 1;; ++nth) {
    Ready world(config);
    world.metadata.FailCommit(nth, fault);
    INFO("commit " << nth << " fails");
    REQUIRE(nth < 100);
    for (int i = 0; i < 400 && !world.delivered() && world.metadata.failures() == 0; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.metadata.failures() == 0) {
      CHECK(nth > 3);  // intent, mark, checkpoint
      break;
    }
    if (restart) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
    }
    REQUIRE(world.Run());
    CheckOnce(world);
  }
}

TEST_CASE("DeadLetterOutput Finish: power is lost at every call to the disk", "[delivery]") {
  const DeliveryConfig config = GENERATE(ParquetConfig(), PartitionedByIdConfig());
  for (int nth = 1;; ++nth) {
    Ready world(config);
    if (!world.LosesPower(nth)) break;
    INFO("power off at call " << nth);
    world.env.PowerOn({});
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CheckOnce(world);
    REQUIRE(nth < 500);
  }
}

TEST_CASE("DeadLetterOutput Finish: power is lost between two appends", "[delivery]") {
  for (int nth = 1;; ++nth) {
    Ready world;
    int left = nth;
    world.streams.before_append = [&] {
      if (--left == 0) world.env.PowerOffAtCall(storage::MemoryEnv::Call::kAny, 1);
      if (left <= 0) (void)world.env.List("/");
    };
    for (int i = 0; i < 400 && !world.delivered() && world.env.powered(); ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.env.powered()) break;
    INFO("power off before append " << nth);
    REQUIRE(nth < 100);
    world.streams.before_append = [] {};
    CHECK(world.streams.appends == nth - 1);
    world.env.PowerOn({});
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CheckOnce(world);
  }
}

TEST_CASE("DeadLetterOutput Finish: the stream is split before each append", "[delivery]") {
  const auto fault = GENERATE(AppendFault::kNone, AppendFault::kBefore, AppendFault::kAfter);
  for (int nth = 1;; ++nth) {
    Ready world;
    int left = nth;
    world.streams.before_append = [&] {
      if (--left == 0) world.streams.Split(kDead);
    };
    if (fault != AppendFault::kNone) world.streams.FailAppend(nth, fault);
    REQUIRE(world.Run());
    if (left > 0) break;
    INFO("split before append " << nth);
    REQUIRE(nth < 100);
    CheckOnce(world);
    std::vector<std::uint32_t> shards;
    const LedgerEntry entry = world.Ledger().front();
    for (const DeadLetters& letters : entry.dead_letters) shards.push_back(letters.shard.index.value);
    CHECK(shards == (nth == 1 ? std::vector<std::uint32_t>{1} : std::vector<std::uint32_t>{0, 1}));
  }
}

TEST_CASE("DeadLetterOutput Finish: a stream that is not there is waited for, and nothing is lost", "[delivery]") {
  Ready world;
  world.streams.Delete(kDead);
  const bool begun = GENERATE(false, true);
  if (begun) {  // deleted between two tries
    world.streams.Create(kDead);
    world.streams.FailAppend(3, AppendFault::kBefore);
    while (world.streams.failures == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
    world.streams.Delete(kDead);
  }
  for (int i = 0; i < 400; ++i) world.env.manual_clock().AdvanceMs(world.stream->Step());
  const DeliveryStatus status = world.stream->status();
  CHECK(status.mode == DeliveryMode::kFailing);
  CHECK(status.last_error ==
        "not found: dead-letter stream 'orders-dead' does not exist, and 20 records of this delivery could not be "
        "delivered: make it again ('sluice stream create orders-dead'); delivery waits for it");
  CHECK(status.intent.has_value());
  world.streams.Create(kDead);
  REQUIRE(world.Run());
  CheckOnce(world);
}

TEST_CASE("DeadLetterOutput Finish: what the stream has lost meanwhile is appended again", "[delivery]") {
  Ready world;
  world.streams.FailAppend(4, AppendFault::kBefore);
  while (world.streams.failures == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.streams.at(kDead).shards[0].size() > 4);
  world.streams.at(kDead).shards[0][1].lost = true;
  world.streams.at(kDead).shards[0][2].lost = true;
  REQUIRE(world.Run());
  CheckOnce(world);
}

TEST_CASE("DeadLetterOutput Finish: copies and dead letters of other deliveries count for nothing", "[delivery]") {
  Ready world;
  FakeRecord earlier{.key = "key", .value = "x", .headers = {{"sluice-delivery", "0123456789abcdef:11:0"}}};
  world.streams.before_append = [&] {
    world.streams.Append(kDead, earlier);
    earlier.headers["sluice-delivery"] = "0123456789abcdef:1:none";
  };
  world.streams.FailAppend(3, AppendFault::kAfter);
  while (world.streams.failures == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  FakeRecord copy = world.streams.at(kDead).shards[0][1];
  REQUIRE(copy.headers.contains("sluice-delivery"));
  world.streams.Append(kDead, copy);  // somebody has read it and put it back
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.totals.dead_letters == 20);
  CHECK(CountDeadLetters(world.Ledger().front().dead_letters) == 20);
}

TEST_CASE("DeadLetterOutput Finish: where others fail than before, nothing is appended", "[delivery]") {
  Ready world;
  world.streams.FailAppend(3, AppendFault::kBefore);
  while (world.streams.failures == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  FakeStreams::Shard& records = world.streams.at(kDead).shards[0];
  const std::size_t before = records.size();
  REQUIRE(before > 2);
  if (GENERATE(true, false)) {
    records[1].headers["sluice-offset"] = "4711";
  } else {
    records[1].headers["sluice-delivery"] = "0123456789abcdef:1:20";
  }
  for (int i = 0; i < 5; ++i) world.env.manual_clock().AdvanceMs(world.stream->Step());
  CHECK(world.stream->status().last_error.find("has other records of this delivery than fail in it now") !=
        std::string::npos);
  CHECK(world.streams.at(kDead).shards[0].size() == before);
  world.streams.Delete(kDead);
  world.streams.Create(kDead);
  REQUIRE(world.Run());
  CheckOnce(world);
}

TEST_CASE("ErrorOutput AddLine: what is too large for a record of the stream is in an error object", "[delivery]") {
  Ready world;
  world.log.Append(0, "no json, and large " + std::string(60'000, 'y'), world.env.clock().WallMs());
  const bool lowered = GENERATE(false, true);  // the limit, between two tries
  if (lowered) {
    world.streams.FailAppend(4, AppendFault::kAfter);
    while (world.streams.failures == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
    world.streams.record_bytes_max = 90u << 10;
    REQUIRE(world.Start().ok());
  }
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.totals.errors == 21);
  CHECK(world.stream->status().checkpoint.totals.dead_letters == 20);
  CHECK(DeadRecords(world).size() == 20);
  std::size_t objects = 0;
  for (const auto& [key, bytes] : world.Lake()) objects += key.starts_with("errors/") ? 1 : 0;
  CHECK(objects == 1);
  const tools::VerifyReport report = VerifyWithDeadLetters(world);
  INFO(tools::VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_errors == 21);
}

TEST_CASE("DeliveryStream Reconfigure: another dead-letter stream, or none, counts from the next delivery on",
          "[delivery]") {
  Ready world;
  REQUIRE(world.Run());
  CheckOnce(world);
  DeliveryConfig config = WithDeadLetters(ParquetConfig());
  config.dead_letter_stream = GENERATE("", "others");
  world.streams.Create("others");
  const auto change = world.stream->Reconfigure(config);
  REQUIRE(change.has_value());
  CHECK(change->keys == std::vector<std::string>{"Sluice.DeadLetterStream"});
  world.log.Append(0, "no json at last", world.env.clock().WallMs());
  REQUIRE(world.Run());
  CHECK(DeadRecords(world).size() == 20);
  CHECK(world.streams.Records("others").size() == (config.dead_letter_stream.empty() ? 0 : 1));
  CHECK(world.stream->status().checkpoint.totals.errors == 21);
  const tools::VerifyReport report = VerifyWithDeadLetters(world);
  INFO(tools::VerifyReportText(report));
  CHECK(report.ok());
}

TEST_CASE("DeliveryStream Step: what fails again in a replay is a dead letter without a key", "[delivery]") {
  World world(ParquetConfig());
  FillMixed(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  world.streams.Create(kDead);
  REQUIRE(world.stream->Reconfigure(WithDeadLetters(ParquetConfig())).has_value());
  const std::uint64_t number = world.stream->replay().Begin({.reason = "", .seq_max = 1});
  world.streams.FailAppend(2, GENERATE(AppendFault::kBefore, AppendFault::kAfter));
  for (int i = 0; i < 100 && !world.stream->replay().Find(number)->done; ++i)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  CHECK(DeadRecords(world) == BadRecords(world));
  for (const FakeRecord& record : world.streams.Records(kDead)) CHECK_FALSE(record.key.has_value());
  const tools::VerifyReport report = VerifyWithDeadLetters(world);
  INFO(tools::VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_errors == 20);
  CHECK(report.dead_letters == 20);
  CHECK(report.replayed == 20);
}

TEST_CASE("DeliveryStream Step: a decision with dead letters is not taken back while they are there", "[delivery]") {
  World world(WithDeadLetters(ParquetConfig()));
  world.streams.Create(kDead);
  for (int i = 0; i < 10; ++i) world.log.Append(0, fmt::format("no json {}", i), world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  world.streams.FailAppend(1, AppendFault::kAfter);
  while (world.streams.failures == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  world.log.Lose(3, 5, true);
  for (int i = 0; i < 5; ++i) world.env.manual_clock().AdvanceMs(world.stream->Step());
  CHECK(
      world.stream->status().last_error.find("10 of them are in dead-letter stream 'orders-dead' already and would be "
                                             "there twice: delete that stream") != std::string::npos);
  CHECK(world.dead_letter_holds.empty());  // so that it can be deleted
  world.streams.Delete(kDead);
  world.streams.Create(kDead);
  REQUIRE(world.Run());
  CHECK(DeadRecords(world).size() == 8);
  CHECK(world.stream->status().checkpoint.totals.lost == 2);
}

TEST_CASE("ParseDeliveryConfig: a dead-letter stream by name or ARN, with its canonical form", "[delivery]") {
  const auto parse = [](std::string_view stream) {
    return ParseDeliveryConfig(
        Document("\"Prefix\": \"a/\"", fmt::format(R"("Sluice": {{"DeadLetterStream": "{}"}})", stream)), "f.json");
  };
  for (const char* const given : {"orders-dead", "arn:aws:kinesis:eu-west-1:123456789012:stream/orders-dead"}) {
    const auto parsed = parse(given);
    REQUIRE(parsed.has_value());
    CHECK(parsed->config.dead_letter_stream == "orders-dead");
    CHECK(parsed->warnings.empty());
    const auto again = ParseStoredDeliveryConfig(DeliveryConfigToJson(parsed->config));
    REQUIRE(again.has_value());
    CHECK(again->config.dead_letter_stream == "orders-dead");
  }
  CHECK(parse("orders").error().message() ==
        "f.json:2: Sluice.DeadLetterStream: 'orders' is the stream that is read: what fails would be delivered again "
        "without end; give another stream");
  for (const char* const wrong : {"", "a b", "delivery:orders", "arn:aws:sqs:eu-west-1:123456789012:orders-dead"}) {
    const auto parsed = parse(wrong);
    INFO(wrong);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message().starts_with(
        fmt::format("f.json:2: Sluice.DeadLetterStream: '{}' is no stream's name: ", wrong)));
  }
}

TEST_CASE("VerifyDelivery: dead letters that are missing, foreign or doubled are told", "[delivery][tools]") {
  Ready world;
  REQUIRE(world.Run());
  FakeStreams::Shard& records = world.streams.at(kDead).shards[0];
  const auto problem_of = [&] {
    const tools::VerifyReport report = VerifyWithDeadLetters(world);
    REQUIRE_FALSE(report.ok());
    CHECK(report.problems.front().object == kDead);
    return report.problems.front().kind;
  };
  SECTION("missing") {
    records.pop_back();
    CHECK(problem_of() == "error records missing");
  }
  SECTION("doubled") {
    records[3] = records[4];
    CHECK(problem_of() == "records twice");
  }
  SECTION("unreadable") {
    records[3].value = "x";
    CHECK(problem_of() == "error record unreadable");
  }
  SECTION("gone with its stream") {
    world.streams.Delete(kDead);
    world.streams.Create(kDead);
    const tools::VerifyReport report = VerifyWithDeadLetters(world);
    CHECK(report.ok());
    CHECK(report.dead_letters_gone == 20);
    CHECK(tools::VerifyReportText(report).find("(20 of a dead-letter stream) (20 of these are no longer there") !=
          std::string::npos);
  }
}

}  // namespace sluice::delivery
