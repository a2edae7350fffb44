// The delivery loop under crashes, failures and bad records: each record exactly once, the same keys, the same bytes.
#include "broker/delivery/delivery_stream.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "broker/delivery/error_record.h"
#include "tests/delivery/delivery_world.h"

namespace sluice::delivery {
namespace {

using storage::CrashOptions;
using storage::MemoryEnv;
using storage::Unsynced;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The lines of all data objects, sorted.
std::vector<std::string> DeliveredLines(World& world) {
  std::vector<std::string> lines;
  for (const auto& [key, bytes] : world.Lake()) {
    if (key.starts_with("errors/")) continue;
    for (std::string& line : Lines(bytes)) lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> LogLines(World& world) {
  std::vector<std::string> lines;
  for (std::uint32_t shard = 0; shard < world.log.shards(); ++shard) {
    for (const FakeLog::Record& record : world.log.shard(shard)) lines.push_back(record.value);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

DeliveryConfig SortedConfig() {
  DeliveryConfig config = ParquetConfig();
  config.parquet.sort_by = {{"text", false}, {"id", true}};
  return config;
}

}  // namespace

TEST_CASE("DeliveryStream Step: objects of the asked size, the rest after the interval, holds follow", "[delivery]") {
  World world(RawConfig());
  Fill(world, 250);
  REQUIRE(world.Start().ok());
  CHECK(world.holds == std::map<std::uint32_t, std::uint64_t>{{0, 0}, {1, 0}});
  while (world.stream->Step() == 0) {
  }
  CHECK(world.Lake().size() == 2);
  CHECK(world.stream->status().pending_records > 0);
  CHECK(world.stream->status().pending_records == 250 - world.stream->status().checkpoint.totals.records);
  world.env.manual_clock().AdvanceMs(59'000);
  CHECK(world.stream->Step() > 0);
  CHECK(world.Lake().size() == 2);
  world.env.manual_clock().AdvanceMs(1'300);
  REQUIRE(world.Run());
  CHECK(world.Lake().size() == 3);
  CHECK(DeliveredLines(world) == LogLines(world));
  CHECK(world.holds == std::map<std::uint32_t, std::uint64_t>{{0, 125}, {1, 125}});
  CheckLedger(world);
  CHECK(world.stream->status().lag_records == 0);
  CHECK(world.stream->status().checkpoint.totals.records == 250);
  for (const auto& [key, bytes] : world.Lake())
    CHECK(key.starts_with("orders/2023/11/14/22/orders-lake-1-2023-11-14-22-13-"));
}

TEST_CASE("DeliveryStream Step: killed at every call to the lake's disk, the lake is the same in the end",
          "[delivery]") {
  const DeliveryConfig config = GENERATE(RawConfig(), ParquetConfig(), SortedConfig());
  const Unsynced unsynced = GENERATE(Unsynced::kLost, Unsynced::kRandom, Unsynced::kKept);
  const auto reference = ReferenceLake(config, 210);
  for (int nth = 1;; ++nth) {
    World world(config);
    Fill(world, 210);
    REQUIRE(world.Start().ok());
    if (!world.LosesPower(nth)) break;  // past the last call
    INFO("power off at call " << nth);
    world.env.PowerOn({.unsynced = unsynced, .block_bytes = 4096});
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CheckLedger(world);
    CHECK(world.Lake() == reference);
    REQUIRE(nth < 500);
  }
}

TEST_CASE("DeliveryStream Step: every call to the lake's disk fails once, nothing is lost or twice", "[delivery]") {
  const auto reference = ReferenceLake(RawConfig(), 210);
  for (int nth = 1;; ++nth) {
    World world(RawConfig());
    Fill(world, 210);
    REQUIRE(world.Start().ok());
    world.env.FailCall(MemoryEnv::Call::kAny, nth);
    INFO("call " << nth << " fails");
    REQUIRE(world.Run());
    if (world.env.failures() == 0) break;
    CHECK(world.stream->status().mode == DeliveryMode::kActive);
    CheckLedger(world);
    CHECK(world.Lake() == reference);
    REQUIRE(nth < 500);
  }
}

TEST_CASE("DeliveryStream Step: every metadata commit fails, before or after it is done, with and without a restart",
          "[delivery]") {
  const auto fault = GENERATE(FaultyMetadata::Fault::kBefore, FaultyMetadata::Fault::kAfter);
  const bool restart = GENERATE(true, false);
  const auto reference = ReferenceLake(RawConfig(), 210);
  for (int nth = 1;; ++nth) {
    World world(RawConfig());
    Fill(world, 210);
    REQUIRE(world.Start().ok());
    world.metadata.FailCommit(nth, fault);
    INFO("commit " << nth << " fails");
    for (int i = 0; i < 400 && !world.delivered() && world.metadata.failures() == 0; ++i) {
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    }
    if (world.metadata.failures() == 0) break;
    if (restart) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
    }
    REQUIRE(world.Run());
    CheckLedger(world);
    CHECK(DeliveredLines(world) == LogLines(world));
    CHECK(world.Lake().size() == reference.size());
    REQUIRE(nth < 100);
  }
}

TEST_CASE("DeliveryStream Step: a decided delivery keeps its boundary, keys and bytes whatever comes later",
          "[delivery]") {
  World world(RawConfig());
  Fill(world, 20);
  REQUIRE(world.Start().ok());
  world.env.manual_clock().AdvanceMs(61'000);
  REQUIRE(world.stream->Step() == 0);  // decided, not yet delivered
  const auto intent = world.stream->status().intent;
  REQUIRE(intent.has_value());
  CHECK(world.Lake().empty());
  Fill(world, 300);  // more records, another time, another way of reading
  world.env.manual_clock().AdvanceMs(3'600'000);
  world.log.records_per_visit = 3;
  world.env.Crash();
  REQUIRE(world.Start().ok());
  CHECK(world.stream->status().intent == intent);
  REQUIRE(world.stream->Step() == 0);
  const auto lake = world.Lake();
  REQUIRE(lake.size() == 1);
  CHECK(lake.begin()->first == intent->data_key);
  CHECK(Lines(lake.begin()->second).size() == 20);
  REQUIRE(world.Run());
  CheckLedger(world);
}

TEST_CASE("DeliveryStream Step: a lake that is not there costs nothing but time", "[delivery]") {
  World world(RawConfig());
  Fill(world, 150);
  world.env.FailEvery(MemoryEnv::Call::kOpen);
  REQUIRE(world.Start().ok());
  std::set<std::int64_t> waits_ms;
  for (int i = 0; i < 40; ++i) world.env.manual_clock().AdvanceMs(*waits_ms.insert(world.stream->Step()).first);
  const DeliveryStatus failing = world.stream->status();
  CHECK(failing.mode == DeliveryMode::kFailing);
  CHECK(failing.failures > 5);
  CHECK(failing.last_error.find("'/root/lake'") != std::string::npos);
  CHECK(failing.last_error.find("nothing is lost") != std::string::npos);
  // A minute in the end, but not to the second: others wait for the same lake.
  CHECK(*waits_ms.rbegin() > 60'000);
  CHECK(*waits_ms.rbegin() <= 69'000);
  CHECK(waits_ms.size() > 10);
  CHECK(world.holds[0] == 0);
  world.env.ClearFailures();
  REQUIRE(world.Run());
  CHECK(world.stream->status().mode == DeliveryMode::kActive);
  CHECK(world.stream->status().last_error.empty());
  CHECK(DeliveredLines(world) == LogLines(world));
  CheckLedger(world);
}

TEST_CASE("DeliveryStream Step: another object under our key stops delivery with an alarm, not with an overwrite",
          "[delivery]") {
  World world(RawConfig());
  Fill(world, 20);
  REQUIRE(world.Start().ok());
  world.env.manual_clock().AdvanceMs(61'000);
  REQUIRE(world.stream->Step() == 0);
  const std::string path = "/root/lake/" + world.stream->status().intent->data_key;
  REQUIRE(world.env.MakeDirs(path.substr(0, path.rfind('/'))).ok());
  world.env.WriteByHand(path, "somebody else's");
  CHECK_FALSE(world.Run(20));
  CHECK(world.stream->status().mode == DeliveryMode::kFailing);
  CHECK(world.stream->status().last_error.find("corruption") != std::string::npos);
  CHECK(world.env.ReadByHand(path) == "somebody else's");
  REQUIRE(world.env.Remove(path).ok());
  CHECK(world.Run());
}

TEST_CASE("DeliveryStream Step: a broker that was replaced changes nothing any more", "[delivery]") {
  World world(RawConfig());
  Fill(world, 20);
  REQUIRE(world.Start().ok());
  world.env.manual_clock().AdvanceMs(61'000);
  REQUIRE(world.stream->Step() == 0);  // decided
  const std::unique_ptr<DeliveryStream> old = std::move(world.stream);
  const std::unique_ptr<ObjectStore> old_store = std::move(world.store);
  REQUIRE(world.Start().ok());  // the new owner
  for (int i = 0; i < 5; ++i) old->Step();
  CHECK(old->status().mode == DeliveryMode::kFenced);
  REQUIRE(world.Run());
  CheckLedger(world);
  for (int i = 0; i < 5; ++i) old->Step();
  CHECK(world.Ledger().size() == 1);
}

TEST_CASE("DeliveryStream Step: records that do not convert go to the error output, each once, also over a crash",
          "[delivery]") {
  World world(ParquetConfig());
  std::map<std::string, std::pair<std::uint32_t, std::uint64_t>> bad;  // raw bytes -> place
  const std::vector<std::string> poison = {"",
                                           "not json",
                                           "{\"id\":",
                                           "[1,2]",
                                           "\"text\"",
                                           "12",
                                           std::string("\x00\xff\xfe", 3),
                                           R"({"id":"not a number"})",
                                           R"({"id":{"a":1}})",
                                           std::string(300, '[')};
  for (int i = 0; i < 200; ++i) {
    const auto shard = static_cast<std::uint32_t>(i % 2);
    const bool is_bad = i % 20 == 3;
    const std::string value = is_bad ? poison[static_cast<std::size_t>(i / 20)] : JsonRecord(i);
    if (is_bad) bad[value] = {shard, world.log.shard(shard).size()};
    world.log.Append(shard, value, world.env.clock().WallMs());
  }
  REQUIRE(world.Start().ok());
  world.env.manual_clock().AdvanceMs(61'000);
  world.env.PowerOffAtCall(MemoryEnv::Call::kRename, 2);  // after the data object, before the error object
  for (int i = 0; i < 10 && world.env.powered(); ++i) world.stream->Step();
  REQUIRE_FALSE(world.env.powered());
  world.env.PowerOn();
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLedger(world);
  const auto ledger = world.Ledger();
  REQUIRE(ledger.size() == 1);
  CHECK(ledger[0].errors == bad.size());
  CHECK(ledger[0].rows == 200 - bad.size());
  REQUIRE(ledger[0].objects.size() == 2);
  CHECK(ledger[0].objects[1].key.starts_with("errors/format-conversion-failed/orders-lake-1-"));
  std::set<std::pair<std::uint32_t, std::uint64_t>> places;
  for (const std::string& line : Lines(world.Lake()[ledger[0].objects[1].key])) {
    const auto place = ParseErrorRecordLine(line);
    INFO(line);
    REQUIRE(place.has_value());
    CHECK(places.emplace(place->shard.value, place->offset.value).second);
    CHECK(line.find("\"lastErrorCode\":\"DataFormatConversion.") != std::string::npos);
  }
  for (const auto& [value, place] : bad) CHECK(places.contains(place));
  CHECK(places.size() == bad.size());
}

TEST_CASE("DeliveryStream Step: nothing but bad records makes no data object", "[delivery]") {
  DeliveryConfig config = ParquetConfig();
  config.columns.clear();
  config.infer_schema = true;
  World world(config);
  for (int i = 0; i < 10; ++i) world.log.Append(0, "not json", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const auto lake = world.Lake();
  REQUIRE(lake.size() == 1);
  CHECK(lake.begin()->first.starts_with("errors/"));
  CheckLedger(world);
}

TEST_CASE("DeliveryStream Step: an inferred schema is pinned with the intent, widened later, and replayed as pinned",
          "[delivery]") {
  DeliveryConfig config = ParquetConfig();
  config.columns.clear();
  config.infer_schema = true;
  World world(config);
  world.log.Append(0, R"({"id":1})", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.stream->status().schema_version == 1);
  world.log.Append(0, R"({"id":2})", world.env.clock().WallMs());
  REQUIRE(world.Run());
  CHECK(world.stream->status().schema_version == 1);
  world.log.Append(0, R"({"id":3,"more":"text"})", world.env.clock().WallMs());
  Decide(world);
  CHECK(world.stream->status().intent->schema_version == 2);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.Ledger().back().schema_version == 2);
  const auto schema = DeliveryStore(world.metadata, config.name).LoadSchema(2);
  REQUIRE(schema.has_value());
  CHECK(schema->columns.size() == 2);
  CHECK(DeliveryStore(world.metadata, config.name).LoadSchema(1)->columns.size() == 1);
}

TEST_CASE("DeliveryStream Step: a field that the sample misses is in the overflow column, then a column of its own",
          "[delivery]") {
  DeliveryConfig config = ParquetConfig();
  config.columns.clear();
  config.infer_schema = true;
  World world(config, 1);
  world.log.Append(0, R"({"id":1})", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  for (int i = 0; i < 2000; ++i)
    world.log.Append(0, i == 1501 ? R"({"id":2,"rare":"x"})" : R"({"id":2})", world.env.clock().WallMs());
  REQUIRE(world.Run());
  CHECK(world.stream->status().schema_version == 1);
  CHECK(world.Ledger().back().overflow_fields == 1);
  world.log.Append(0, R"({"id":3})", world.env.clock().WallMs());
  REQUIRE(world.Run());
  CHECK(world.Ledger().back().schema_version == 2);
  CHECK(DeliveryStore(world.metadata, config.name).LoadSchema(2)->columns.back().name == "rare");
}

TEST_CASE("DeliveryStream Step: a large backlog is read in bounded pieces and shards take turns", "[delivery]") {
  DeliveryConfig config = RawConfig();
  config.size_mb = 20;
  World world(config, 3);
  for (int i = 0; i < 60; ++i) world.log.Append(0, std::string(1 << 20, 'x'), world.env.clock().WallMs());
  for (int i = 0; i < 30; ++i) world.log.Append(1, std::string(1 << 20, 'y'), world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.log.bytes_read_max <= (5u << 20));
  const auto ledger = world.Ledger();
  CHECK(ledger.front().ranges.size() == 2);  // the second shard did not wait for the first one's backlog
  for (const LedgerEntry& entry : ledger) CHECK(entry.bytes_in <= (24u << 20));
  CheckLedger(world);
}

TEST_CASE("DeliveryStream RequestFlush: what is there goes at once", "[delivery]") {
  World world(RawConfig());
  REQUIRE(world.Start().ok());
  std::uint64_t flush = world.stream->RequestFlush();
  CHECK_FALSE(world.stream->flushed(flush));
  world.stream->Step();
  CHECK(world.stream->flushed(flush));  // nothing was there
  Fill(world, 10);
  CHECK(world.stream->Step() > 0);
  flush = world.stream->RequestFlush();
  for (int i = 0; i < 10 && !world.stream->flushed(flush); ++i) world.stream->Step();
  CHECK(world.stream->flushed(flush));
  CHECK(world.delivered());
  CHECK_FALSE(world.stream->flushed(world.stream->RequestFlush()));
  CHECK(world.stream->flushed(flush));  // it is not asked for more by a later one
  CHECK(world.stream->KnowsFlush(flush));
  world.env.manual_clock().AdvanceMs(100);
  REQUIRE(world.Start().ok());
  CHECK_FALSE(world.stream->KnowsFlush(flush));
}

TEST_CASE("DeliveryStream SetPaused: nothing moves until it is resumed, also over a restart", "[delivery]") {
  World world(RawConfig());
  Fill(world, 150);
  REQUIRE(world.Start().ok());
  REQUIRE(world.stream->SetPaused(true).ok());
  CHECK_FALSE(world.Run(20));
  CHECK(world.Lake().empty());
  CHECK(world.stream->status().mode == DeliveryMode::kPaused);
  REQUIRE(world.Start().ok());
  CHECK(world.stream->status().mode == DeliveryMode::kPaused);
  CHECK(world.stream->status().lag_records == 150);
  Fill(world, 7);
  CHECK_FALSE(world.Run(20));
  CHECK(world.stream->status().lag_records == 157);
  CHECK(world.stream->status().oldest_pending_ms == world.log.shard(0)[0].append_time_ms);
  REQUIRE(world.stream->SetPaused(false).ok());
  CHECK(world.Run());
  CheckLedger(world);
}

TEST_CASE("DeliveryStream Step: what retention removed is said and counted, and delivery goes on behind it",
          "[delivery]") {
  World world(RawConfig());
  Fill(world, 60);
  world.log.RemoveBelow(1, 12);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const auto ledger = world.Ledger();
  REQUIRE(!ledger.empty());
  CHECK(ledger[0].lost == std::vector<LostRange>{{{ShardIndex(1), Offset(0), Offset(11)}, false}});
  CHECK(world.stream->status().checkpoint.totals.lost == 12);
  CHECK(world.stream->status().checkpoint.totals.records == 48);
}

TEST_CASE("DeliveryStream Step: what the log lost holds delivery up until it is given up", "[delivery]") {
  World world(RawConfig());
  Fill(world, 60);
  world.log.Lose(10, 15, false);
  REQUIRE(world.Start().ok());
  CHECK_FALSE(world.Run(20));
  CHECK(world.stream->status().last_error.find("damaged") != std::string::npos);
  world.log.Lose(10, 15, true);
  const std::uint64_t flush = world.stream->RequestFlush();
  while (!world.stream->flushed(flush)) world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.delivered());
  const auto ledger = world.Ledger();
  REQUIRE(ledger.size() == 2);
  CHECK(ledger[0].lost.empty());
  CHECK(ledger[0].records == 20);
  CHECK(ledger[1].lost == std::vector<LostRange>{{{ShardIndex(0), Offset(10), Offset(14)}, true},
                                                 {{ShardIndex(1), Offset(10), Offset(14)}, true}});
  CHECK(DeliveredLines(world).size() == 50);
  CHECK(world.stream->status().checkpoint.totals.lost == 10);
}

TEST_CASE("DeliveryStream Step: a delivery that was decided with records that are given up since", "[delivery]") {
  World world(RawConfig());
  Fill(world, 60);
  const bool written = GENERATE(false, true);  // its objects, before the checkpoint
  REQUIRE(world.Start().ok());
  world.stream->RequestFlush();
  if (written) world.metadata.FailCommit(2, FaultyMetadata::Fault::kBefore);
  while (!world.stream->status().intent) REQUIRE(world.stream->Step() == 0);
  if (written) world.stream->Step();
  REQUIRE(world.Lake().size() == (written ? 1 : 0));
  world.log.Lose(10, 15, true);
  if (written) {
    CHECK_FALSE(world.Run(20));
    const std::string key = world.stream->status().intent->data_key;
    CHECK(world.stream->status().last_error.find("object '" + key + "' was written before") != std::string::npos);
    world.env.RemoveByHand("/root/lake/" + key);
  }
  REQUIRE(world.Run());
  CHECK(DeliveredLines(world).size() == 50);
  const auto ledger = world.Ledger();
  REQUIRE(ledger.size() == 2);
  CHECK(ledger[1].lost.size() == 2);
}

TEST_CASE("DeliveryStream Step: a deleted source is an error that is tried again", "[delivery]") {
  World world(RawConfig());
  Fill(world, 10);
  REQUIRE(world.Start().ok());
  world.log.deleted = true;
  CHECK_FALSE(world.Run(5));
  CHECK(world.stream->status().last_error.find("deleted") != std::string::npos);
}

}  // namespace sluice::delivery
