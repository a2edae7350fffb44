// Error records that are delivered again: each once, whatever crashes, and told from those that still wait.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "broker/delivery/checksum.h"
#include "broker/delivery/error_listing.h"
#include "broker/delivery/replay_planner.h"
#include "broker/delivery/replay_reader.h"
#include "protocol/base64.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/log_documents.h"
#include "tests/delivery/proof.h"
#include "tests/delivery/replay_fixture.h"

namespace sluice::delivery {
namespace {

using Fault = FaultyMetadata::Fault;

void CheckProven(World& world) { CheckReport(world, Proof(world).Verify()); }

TEST_CASE("Replay: what the configuration takes now is in the lake, the rest in the error output again", "[delivery]") {
  World world(NarrowConfig());
  FillMixed(world);
  DeliverAndWiden(world);
  const DeliveryTotals before = world.stream->status().checkpoint.totals;
  CHECK(before.rows == 30);
  CHECK(before.errors == 30);
  const auto lake_before = world.Lake();
  const ReplayProgress done = Replayed(world);
  CHECK(done.problem.empty());
  CHECK(done.records == 30);
  CHECK(done.failed == 10);
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(totals.rows == 50);
  CHECK(totals.errors == 40);
  CHECK(totals.replayed == 30);
  CHECK(totals.records == 60);
  CHECK(totals.user_records == 60);
  const auto lake = world.Lake();
  CHECK(lake.size() == lake_before.size() + 2);
  for (const auto& [key, bytes] : lake_before) CHECK(lake.at(key) == bytes);  // nothing is removed or changed
  CheckProven(world);
}

TEST_CASE("Replay: of error objects in a bucket that was left since", "[delivery]") {
  World world(NarrowConfig());
  FillMixed(world);
  DeliverAndWiden(world);
  const auto left = world.Lake();
  world.config.bucket = "sea";
  REQUIRE(world.stream->Reconfigure(world.config).has_value());
  CHECK(Listed(world).contains("\"unreadable\":[]"));
  const ReplayProgress replayed = Replayed(world);
  CHECK(replayed.problem.empty());
  CHECK(replayed.records == 30);
  CHECK(replayed.failed == 10);
  CHECK(world.Lake() == left);
  CHECK(world.Bucket("sea").size() == 2);
  CheckReport(world, Proof(world).Verify());
}

TEST_CASE("Replay: where nothing is converted any more, records go as they are", "[delivery]") {
  World world(NarrowConfig());
  FillMixed(world);
  DeliverAndWiden(world);
  world.config.convert = false;
  world.config.columns.clear();
  REQUIRE(world.stream->Reconfigure(world.config).has_value());
  CHECK(world.stream->status().schema_version == 0);
  const ReplayProgress replayed = Replayed(world);
  CHECK(replayed.records == 30);
  CHECK(replayed.failed == 0);
  CHECK(world.Ledger().back().schema_version == 0);
  CheckReport(world, Proof(world).Verify());
}

TEST_CASE("Replay: by reason and by time, and nothing twice", "[delivery]") {
  World world(NarrowConfig());
  FillMixed(world);
  DeliverAndWiden(world);
  const std::int64_t later = world.env.clock().WallMs() + 1;
  CHECK(Replayed(world, "", later).records == 0);
  CHECK(Replayed(world, "processing-failed").records == 0);
  CHECK(Replayed(world, "DataFormatConversion.MalformedData").records == 20);
  CheckProven(world);
  CHECK(Replayed(world, "DataFormatConversion.MalformedData").records == 0);
  CHECK(Replayed(world, "DataFormatConversion").records == 10);
  CHECK(Replayed(world, "format-conversion-failed").failed == 10);  // those that had failed again
  CheckProven(world);
  CHECK(world.stream->status().checkpoint.totals.rows == 50);
}

TEST_CASE("Replay: only of what had failed when it was asked for, and a new request in place of the old",
          "[delivery]") {
  World world(NarrowConfig(), 1);
  world.log.Append(0, "no json", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const std::uint64_t first = Ask(world);
  world.log.Append(0, "no json either", world.env.clock().WallMs());
  world.env.manual_clock().AdvanceMs(61'000);
  const auto done = Finish(world, first);
  REQUIRE(done.has_value());
  CHECK(done->records == 1);
  REQUIRE(world.Run());
  const std::uint64_t second = Ask(world);
  const std::uint64_t third = Ask(world, "none");
  CHECK_FALSE(world.stream->replay().Find(second).has_value());
  CHECK(Finish(world, third)->records == 0);
  CheckProven(world);
}

TEST_CASE("Replay: more than one delivery has goes in several, by turns with what is new", "[delivery]") {
  World world(NarrowConfig(), 1);
  for (int i = 0; i < 250; ++i)
    world.log.Append(0, fmt::format(R"({{"id":5000000000,"text":"{}"}})", std::string(10'000, 'x')),
                     world.env.clock().WallMs());
  DeliverAndWiden(world);
  for (int i = 0; i < 250; ++i) world.log.Append(0, JsonRecord(i, 10'000), world.env.clock().WallMs());
  const std::size_t before = world.Ledger().size();
  const ReplayProgress done = Replayed(world);
  CHECK(done.records == 250);
  std::vector<bool> replays;
  for (const LedgerEntry& entry : world.Ledger()) replays.push_back(!entry.replays.empty());
  replays.erase(replays.begin(), replays.begin() + static_cast<std::ptrdiff_t>(before));
  CHECK(replays == std::vector<bool>{true, false, true, false, true});
  REQUIRE(world.Run());
  CheckProven(world);
}

TEST_CASE("Replay: power lost at every call, and in the end the lake is the same", "[delivery]") {
  World whole(NarrowConfig());
  FillMixed(whole);
  DeliverAndWiden(whole);
  Replayed(whole, "DataFormatConversion.MalformedData");
  for (int nth = 1;; ++nth) {
    World world(NarrowConfig());
    FillMixed(world);
    DeliverAndWiden(world);
    const std::uint64_t number = Ask(world, "DataFormatConversion.MalformedData");
    world.env.PowerOffAtCall(storage::MemoryEnv::Call::kAny, nth);
    for (int i = 0; i < 50 && world.env.powered() && !world.stream->replay().Find(number)->done; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.env.powered()) break;  // past the last call
    INFO("power off at call " << nth);
    world.env.PowerOn({});
    REQUIRE(world.Start().ok());
    CHECK(Replayed(world, "DataFormatConversion.MalformedData").problem.empty());
    CHECK(world.Lake() == whole.Lake());
    CHECK(world.stream->status().checkpoint.totals == whole.stream->status().checkpoint.totals);
    REQUIRE(nth < 200);
  }
}

TEST_CASE("Replay: whichever transaction fails, nothing is delivered twice", "[delivery]") {
  const auto fault = GENERATE(Fault::kBefore, Fault::kAfter);
  const bool restart = GENERATE(false, true);
  for (int nth = 1;; ++nth) {
    World world(NarrowConfig());
    FillMixed(world);
    DeliverAndWiden(world);
    const std::uint64_t number = Ask(world);
    world.metadata.FailCommit(nth, fault);
    for (int i = 0; i < 100 && world.metadata.failures() == 0 && !world.stream->replay().Find(number)->done; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.metadata.failures() == 0) {
      CHECK(nth == 3);  // intent, checkpoint
      break;
    }
    if (restart) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
    }
    REQUIRE(world.Run());
    Replayed(world, "DataFormatConversion.MalformedData");
    const DeliveryTotals totals = world.stream->status().checkpoint.totals;
    CHECK(totals.rows == 50);
    CHECK(totals.errors - totals.replayed == 10);
    CheckProven(world);
  }
}

TEST_CASE("Replay: an error object that is gone or changed is told, and the others are delivered", "[delivery]") {
  World world(NarrowConfig(), 1);
  for (int i = 0; i < 3; ++i) {
    world.log.Append(0, fmt::format(R"({{"id":{}}})", 5'000'000'000 + i), world.env.clock().WallMs());
    REQUIRE((i > 0 || world.Start().ok()));
    REQUIRE(world.Run());
  }
  REQUIRE(world.stream->Reconfigure(Widened(NarrowConfig())).has_value());
  const std::string gone = world.Ledger().at(0).objects.at(0).key;
  const std::string changed = world.Ledger().at(1).objects.at(0).key;
  REQUIRE(world.env.Remove("/root/lake/" + gone).ok());
  world.env.WriteByHand("/root/lake/" + changed, "{}\n");
  const std::string listed = Listed(world);
  CHECK(listed.contains(R"("records":1,)"));
  CHECK(listed.contains(fmt::format("there is no object '/root/lake/{}'", gone)));
  CHECK(listed.contains("an error record"));
  const ReplayProgress done = Replayed(world);
  CHECK(done.records == 1);
  CHECK(done.problem.contains(fmt::format("there is no object '/root/lake/{}' (and 1 more)", gone)));
  CHECK(world.stream->status().mode == DeliveryMode::kActive);
}

TEST_CASE("Replay: one whose error object goes after it was decided is taken back", "[delivery]") {
  World world(NarrowConfig(), 1);
  world.log.Append(0, R"({"id":5000000000})", world.env.clock().WallMs());
  DeliverAndWiden(world);
  const std::uint64_t number = Ask(world);
  while (!world.stream->status().intent) world.env.manual_clock().AdvanceMs(world.stream->Step());
  for (const auto& [key, bytes] : world.Lake()) REQUIRE(world.env.Remove("/root/lake/" + key).ok());
  const auto done = Finish(world, number);
  REQUIRE(done.has_value());
  CHECK(done->problem.contains("there is no object"));
  CHECK_FALSE(world.stream->status().intent.has_value());
  world.log.Append(0, JsonRecord(1), world.env.clock().WallMs());
  CHECK(world.Run());
}

TEST_CASE("Replay: of a shard that the source has forgotten", "[delivery]") {
  World world(NarrowConfig(), 2);
  FillMixed(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  world.log.forgotten = {1};
  CHECK(Replayed(world).failed == 30);
  world.log.forgotten.clear();
  CheckProven(world);
}

TEST_CASE("Replay: parts of opened records are not opened again", "[delivery]") {
  DeliveryConfig config = NarrowConfig();
  config.processors = {{"Decompression", {}}, {"CloudWatchLogProcessing", {{"DataMessageExtraction", "true"}}}};
  World world(config, 1);
  world.log.Append(0, Gzip(LogDocument({JsonRecord(1), R"({"id":5000000000})", "no json", R"({"id":6000000000})"})),
                   world.env.clock().WallMs());
  world.log.Append(0, Gzip(LogDocument({R"({"id":7000000000})"})), world.env.clock().WallMs());
  world.log.Append(0, "not gzip", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  DeliveryConfig wide = config;
  wide.columns = Widened(NarrowConfig()).columns;
  REQUIRE(world.stream->Reconfigure(wide).has_value());
  const ReplayProgress done = Replayed(world);
  CHECK(done.records == 5);
  CHECK(done.failed == 2);
  CHECK(world.stream->status().checkpoint.totals.rows == 4);
  CheckProven(world);
}

TEST_CASE("EntryOf: by what a record failed on", "[delivery]") {
  const std::vector<ProcessorConfig> none;
  const std::vector<ProcessorConfig> logs = {
      {"Decompression", {}}, {"CloudWatchLogProcessing", {}}, {"RecordDeAggregation", {}}};
  const auto entry = [](std::string code, bool part, const std::vector<ProcessorConfig>& processors) {
    ErrorRecord record;
    record.code = std::move(code);
    if (part) record.place.sub_sequence = 3;
    return EntryOf(record, processors);
  };
  CHECK(entry("DataFormatConversion.ParseError", false, logs) == PipelineEntry::kLog);
  CHECK(entry("DataFormatConversion.ParseError", true, logs) == PipelineEntry::kOpened);
  CHECK(entry("DataFormatConversion.ParseError", true, none) == PipelineEntry::kPart);
  CHECK(entry("Decompression failed.", true, logs) == PipelineEntry::kPart);
  CHECK(entry("CloudWatchLogProcessing.MalformedData", true, logs) == PipelineEntry::kPart);
  CHECK(entry("RecordDeAggregation.ParseError", true, logs) == PipelineEntry::kText);
  CHECK(entry("RecordDeAggregation.ParseError", true, {{"RecordDeAggregation", {}}}) == PipelineEntry::kPart);
}

TEST_CASE("ListErrors: by type, code and message, with samples, without what was delivered again", "[delivery]") {
  World world(NarrowConfig(), 1);
  FillMixed(world);
  DeliverAndWiden(world);
  const std::string all = Listed(world, {.filter = {}, .samples = 1});
  CHECK(all.contains(R"("type":"format-conversion-failed","code":"DataFormatConversion.ParseError",)"));
  CHECK(all.contains(fmt::format(R"("data":"{}")", protocol::EncodeBase64("no json 1"))));
  CHECK_FALSE(all.contains(protocol::EncodeBase64("no json 7")));
  CHECK(all.ends_with(R"("unreadable":[],"next":""})"));
  CHECK(all.contains(
      R"("message":"Data does not match the schema. Column 'id' of type int does not take #.","records":20,"objects":1,)"));
  const std::string some = Listed(world, {.filter = {.reason = "DataFormatConversion.ParseError"}});
  CHECK_FALSE(some.contains("MalformedData"));
  Replayed(world, "DataFormatConversion.MalformedData");
  const std::string left = Listed(world);
  CHECK_FALSE(left.contains("MalformedData"));
  CHECK(left.starts_with(R"({"name":"orders-lake","replayed":20,)"));
  ErrorReader reader(*world.store, "lake", nullptr);
  CHECK(ListErrors(reader, "orders-lake", world.Ledger(), {.filter = {}, .from = "x"}).error().code() ==
        Code::kInvalidArgument);
}

TEST_CASE("ListErrors: what an endpoint did not take has its type", "[delivery]") {
  World world(NarrowConfig(), 1);
  REQUIRE(world.Start().ok());
  const std::string type(GENERATE(kHttpEndpointFailed, kSplunkFailed, kElasticsearchFailed, kOpenSearchFailed));
  const RecordRef record{.value = "a", .key = "k", .shard = ShardIndex(0), .offset = Offset(4)};
  const std::string line = ErrorRecordLine({.delivery_stream = "orders-lake"}, {record, type, "Endpoint.Why", "why"});
  Checksum checksum;
  checksum.Add(line);
  const std::string key = fmt::format("errors/{}/processing", type);
  REQUIRE(world.env.MakeDirs("/root/lake/errors/" + type).ok());
  world.env.WriteByHand("/root/lake/" + key, line);
  LedgerEntry entry;
  entry.objects = {{key, true, 1, line.size(), checksum.value()}};
  ErrorReader reader(*world.store, "lake", nullptr);
  for (const std::string& reason : {std::string(), type}) {
    const auto listed = ListErrors(reader, "orders-lake", {entry}, {.filter = {.reason = reason}});
    REQUIRE(listed.has_value());
    CHECK(listed->contains(fmt::format(R"("type":"{}","code":"Endpoint.Why","message":"why","records":1)", type)));
  }
}

TEST_CASE("ErrorListingRequestFromJson, ReplayCallFromJson: what is said, and what is none", "[delivery]") {
  const auto listing = ErrorListingRequestFromJson(R"({"reason":"a","since_ms":5,"samples":2,"from":"k"})");
  REQUIRE(listing.has_value());
  CHECK(listing->filter == ErrorFilter{.reason = "a", .since_ms = 5});
  CHECK(listing->samples == 2);
  CHECK(listing->from == "k");
  CHECK(ErrorListingRequestFromJson("").has_value());
  CHECK(ErrorListingRequestFromJson("[").error().code() == Code::kInvalidArgument);
  CHECK(ErrorListingRequestFromJson(R"({"samples":-1})").error().code() == Code::kInvalidArgument);
  const auto call = ReplayCallFromJson(R"({"up_to":7,"number":9})");
  REQUIRE(call.has_value());
  CHECK(call->filter.seq_max == 7);
  CHECK(call->number == 9);
}

TEST_CASE("LineRanges: added one by one, found, merged and taken away", "[delivery]") {
  LineRanges lines;
  for (const std::uint64_t line : {0, 1, 2, 5, 7, 8}) AddLine(lines, line);
  CHECK(lines == LineRanges{{0, 2}, {5, 5}, {7, 8}});
  CHECK(CountLines(lines) == 6);
  for (const std::uint64_t line : {0, 2, 5, 8}) CHECK(HasLine(lines, line));
  for (const std::uint64_t line : {3, 4, 6, 9}) CHECK_FALSE(HasLine(lines, line));
  CHECK_FALSE(AddRanges(lines, {{4, 5}}));
  CHECK(lines.size() == 3);
  CHECK(AddRanges(lines, {{3, 4}, {10, 12}}));
  CHECK(lines == LineRanges{{0, 5}, {7, 8}, {10, 12}});
  CHECK(Without(lines, {}) == lines);
  CHECK(Without({}, lines).empty());
  CHECK(Without(lines, {{0, 20}}).empty());
  CHECK(Without(lines, {{0, 1}, {5, 7}, {11, 11}}) == LineRanges{{2, 4}, {8, 8}, {10, 10}, {12, 12}});
  CHECK(Without({{3, 9}}, lines) == LineRanges{{6, 6}, {9, 9}});
}

TEST_CASE("Verify: a replay that is not what the error output says is found", "[delivery]") {
  World world(NarrowConfig(), 1);
  FillMixed(world);
  DeliverAndWiden(world);
  Replayed(world);
  Proof proof(world);
  REQUIRE(proof.Verify().ok());
  const auto has = [&](std::string_view kind) {
    const auto report = proof.Verify();
    return std::ranges::any_of(report.problems, [&](const auto& problem) { return problem.kind == kind; });
  };
  const LedgerEntry replay = proof.ledger().entries.back();
  REQUIRE(!replay.replays.empty());
  LedgerEntry again = replay;  // the same records once more
  ++again.seq;
  proof.ledger().entries.push_back(again);
  CHECK(has("records twice"));
  proof.ledger().entries.pop_back();
  proof.ledger().entries.back().replays[0].key += "x";
  CHECK(has("ledger damaged"));
  proof.ledger().entries.back() = replay;
  proof.ledger().entries.back().replays[0].lines.back().last += 1;
  CHECK(has("ledger damaged"));
  proof.ledger().entries.back() = replay;
  // What failed again was not among what was replayed.
  proof.ledger().entries.back().replays[0].lines = {{0, 0}};
  CHECK(has("error record foreign"));
}

TEST_CASE("AddLedgerPage: a replay that came after the first page is not in it", "[delivery]") {
  LedgerDocument document;
  document.shards = {{ShardIndex(0), Offset(0), Offset(10)}};
  const auto entry = [](std::uint64_t seq, std::vector<SourceRange> ranges) {
    LedgerEntry made;
    made.seq = seq;
    if (ranges.empty()) made.replays = {{"k", 1, 1, {{0, 0}}}};
    made.ranges = std::move(ranges);
    return made;
  };
  document.entries = {entry(1, {{ShardIndex(0), Offset(0), Offset(9)}})};
  LedgerDocument page;
  page.entries = {entry(2, {}), entry(3, {{ShardIndex(0), Offset(10), Offset(19)}}), entry(4, {})};
  AddLedgerPage(document, page);
  REQUIRE(document.entries.size() == 2);
  CHECK(document.entries.back().seq == 2);
}

}  // namespace
}  // namespace sluice::delivery
