// Dynamic partitioning: records to objects by the values in them, through crashes and in bounded memory.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/delivery/error_record.h"
#include "broker/delivery/staged_output.h"
#include "tests/delivery/delivery_world.h"

namespace sluice::delivery {
namespace {

using storage::MemoryEnv;
using Fault = FaultyMetadata::Fault;

DeliveryConfig PartitionedConfig() {
  DeliveryConfig config = RawConfig();
  config.prefix = "customer=!{partitionKeyFromQuery:customer}/day=!{partitionKeyFromQuery:day}/";
  config.processors = {
      {"MetadataExtraction",
       {{"MetadataExtractionQuery", "{customer: .customer, day: .time.day}"}, {"JsonParsingEngine", "JQ-1.6"}}}};
  config.dynamic_partitioning = true;
  return config;
}

std::string Order(int id, std::string_view customer, int day) {
  return fmt::format(R"({{"id":{},"customer":"{}","time":{{"day":{}}}}})", id, customer, day);
}

/// What stands before the object's name.
std::string PrefixOf(const std::string& key) { return key.substr(0, key.rfind('/') + 1); }

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// All lines by prefix, sorted; those of several objects together.
std::map<std::string, std::vector<std::string>> LinesByPrefix(World& world) {
  std::map<std::string, std::vector<std::string>> lines;
  for (const auto& [key, bytes] : world.Lake()) {
    std::vector<std::string>& all = lines[PrefixOf(key)];
    for (std::string& line : Lines(bytes)) all.push_back(std::move(line));
  }
  for (auto& [prefix, all] : lines) std::ranges::sort(all);
  return lines;
}

/// Orders of 7 customers on 3 days, and some that have no place.
std::map<std::string, std::vector<std::string>> FillOrders(World& world, int count) {
  std::map<std::string, std::vector<std::string>> expected;
  for (int i = 0; i < count; ++i) {
    const std::string customer = i % 7 == 6 ? "../x" : std::string(1, static_cast<char>('a' + i % 7));
    const std::string order = Order(i, customer, i % 3);
    const auto shard = static_cast<std::uint32_t>(i) % world.log.shards();
    world.log.Append(shard, order, world.env.clock().WallMs() + i);
    const std::string segment = i % 7 == 6 ? "..%2Fx" : customer;
    expected[fmt::format("customer={}/day={}/", segment, i % 3)].push_back(order);
  }
  for (auto& [prefix, all] : expected) std::ranges::sort(all);
  return expected;
}

void CheckCounts(World& world) {
  std::uint64_t rows = 0;
  std::set<std::string> keys;
  for (const LedgerEntry& entry : world.Ledger()) {
    CHECK(entry.rows + entry.errors + entry.filtered == entry.user_records);
    for (const DeliveredObject& object : entry.objects) {
      CHECK(keys.insert(object.key).second);
      if (!object.error) rows += object.rows;
    }
  }
  std::set<std::string> there;
  for (const auto& [key, bytes] : world.Lake()) there.insert(key);
  CHECK(keys == there);
  CHECK(rows == world.stream->status().checkpoint.totals.rows);
}

}  // namespace

TEST_CASE("Dynamic partitioning: each record in the object of its partition", "[delivery]") {
  World world(PartitionedConfig(), 3);
  const auto expected = FillOrders(world, 500);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(LinesByPrefix(world) == expected);
  CHECK(world.Lake().size() == 21);
  CheckCounts(world);
  CHECK_FALSE(world.env.Exists("/data/delivery/orders-lake.spill").value());
}

TEST_CASE("Dynamic partitioning: records without a place go to the error output, with the reason", "[delivery]") {
  World world(PartitionedConfig(), 1);
  const std::int64_t now = world.env.clock().WallMs();
  world.log.Append(0, Order(1, "a", 1), now);
  world.log.Append(0, "no json", now);
  world.log.Append(0, R"({"customer":"a"})", now);
  world.log.Append(0, R"({"customer":"","time":{"day":1}})", now);
  world.log.Append(0, R"({"customer":"a","time":7})", now);
  world.log.Append(0, Order(2, std::string(600, 'x'), 1), now);
  world.log.Append(0, Order(3, std::string(300, 'y'), 1), now);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckCounts(world);
  const auto lake = LinesByPrefix(world);
  REQUIRE(lake.size() == 2);
  CHECK(lake.at("customer=a/day=1/") == std::vector<std::string>{Order(1, "a", 1)});
  const std::vector<std::string>& errors = lake.at("errors/processing-failed/");
  REQUIRE(errors.size() == 6);
  const DeliveryStatus status = world.stream->status();
  CHECK(status.counts.builds.partitions == 1);
  CHECK(status.counts.builds.errors.at("processing-failed") == 6);
  CHECK(status.counts.processors.by_type.at("MetadataExtraction").batches == 1);
  CHECK(status.last_object.starts_with("customer=a/day=1/"));
  REQUIRE(world.Start().ok());  // another start of the broker
  CHECK(world.stream->status().last_object == status.last_object);
  const auto told = [&](std::string_view what) {
    return std::ranges::count_if(errors, [&](const std::string& line) { return line.find(what) != line.npos; });
  };
  CHECK(told(R"("errorCode":"DynamicPartitioning.MetadataExtractionFailed")") == 6);
  CHECK(told("the record is no JSON") == 1);
  CHECK(told("partitionKeys values must not be null or empty: 'day' is") == 1);
  CHECK(told("partitionKeys values must not be null or empty: 'customer' is") == 1);
  CHECK(told(R"(Cannot index number with string \"day\")") == 1);
  CHECK(told("at most 512 are allowed") == 1);
  CHECK(told("more than") == 1);  // a file's name would be too long
}

TEST_CASE("StagedOutput Records: what is above the partitions of one delivery is an error, and nothing is lost",
          "[delivery]") {
  constexpr std::int64_t kTimeMs = 1'700'000'000'000;
  MemoryEnv env;
  const DeliveryConfig config = PartitionedByIdConfig();
  const std::unique_ptr<ObjectStore> objects = NewLocalObjectStore(env, "/root", {});
  const DeliveryTerms terms{.config = config,
                            .zone = TimeZone::Utc(),
                            .prefix = *Prefix::Parse(config.prefix, PrefixKind::kObjects),
                            .error_prefix = *Prefix::Parse(config.error_prefix, PrefixKind::kErrors),
                            .backup_prefix = std::nullopt};
  Intent intent;
  intent.decided_ms = intent.time_ms = kTimeMs;
  SourceStream stream{StreamId(7), "orders", {{.shard = ShardIndex(0), .created_ms = kTimeMs}}};
  ErrorOutput errors(terms, intent, stream, *objects, nullptr);
  const Schema schema;
  const ObjectParts parts{terms, intent, schema, stream, *objects, errors, nullptr};
  const auto change_intent = [&](const std::function<void(Intent&)>& change) {
    change(intent);
    return Status();
  };
  const StagingParts staging{env, nullptr, "/data/orders-lake.spill", change_intent, nullptr};
  StagedOutput output(parts, staging, nullptr, 3);
  for (std::uint64_t i = 0; i < 20; ++i) {  // of five partitions, by turns
    const std::string id = std::to_string(i % 5);
    const std::string value = fmt::format("record {}", i);
    const RecordRef record{value, "key", ShardIndex(0), Offset(i), kTimeMs};
    const PartitionKey key{"id", id};
    const WorkRecord work{.record = record, .source = record.value, .query_keys = {&key, 1}};
    REQUIRE(output.Records({&record, 1}, {&work, 1}).ok());
  }
  LedgerEntry entry;
  REQUIRE(output.Stage(false, {}).ok());
  REQUIRE(output.Finish(entry).ok());
  CHECK(output.partitions() == 3);
  CHECK(output.over_partitions_max() == 8);
  CHECK(entry.rows == 12);
  CHECK(entry.errors == 8);
  std::set<std::string> found;
  for (const DeliveredObject& object : entry.objects) {
    for (const std::string& line : Lines(env.ReadByHand("/root/lake/" + object.key))) {
      const auto record = ReadErrorRecordLine(line);
      CHECK(record.has_value() == object.error);
      CHECK(found.insert(record ? record->raw : line).second);
      if (!record) continue;
      CHECK(record->code == "DynamicPartitioning.ActivePartitionLimitExceeded");
      CHECK(record->message == "one delivery has at most 3 partitions");
      CHECK(record->place.offset.value % 5 >= 3);
    }
  }
  CHECK(found.size() == 20);
}

TEST_CASE("Dynamic partitioning: the throughput of the largest partition is that of all its objects", "[delivery]") {
  World world(PartitionedConfig(), 1);
  const std::int64_t begin_ms = world.env.clock().WallMs();
  std::size_t bytes = 0;
  for (int i = 0; i < 3; ++i) {
    world.log.Append(0, Order(i, "a", 1).insert(1, fmt::format(R"("text":"{}",)", std::string(600'000, 'x'))),
                     begin_ms);
    bytes += world.log.shard(0).back().value.size();
  }
  for (int i = 0; i < 20; ++i) world.log.Append(0, Order(i, "b", 1), begin_ms);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(LinesByPrefix(world).size() == 2);
  REQUIRE(world.Ledger().size() == 1);
  const std::int64_t passed_ms = world.Ledger()[0].decided_ms - begin_ms;
  REQUIRE(passed_ms > 1000);
  CHECK(world.Ledger()[0].objects.size() == 3);
  CHECK(world.stream->status().counts.builds.partition_bytes_per_s ==
        static_cast<double>(bytes) / (static_cast<double>(passed_ms) / 1000.0));
}

TEST_CASE("Dynamic partitioning: objects are cut at the size, each with the time of its own oldest record",
          "[delivery]") {
  DeliveryConfig config = PartitionedConfig();
  config.prefix += "!{timestamp:mm}/";
  World world(config, 1);
  const std::int64_t minute = world.env.clock().WallMs() / 60'000 * 60'000;
  for (int i = 0; i < 250; ++i) {
    const std::string order = Order(i, "a", 1);
    world.log.Append(0, order.substr(0, order.size() - 1) + R"(,"text":")" + std::string(10'000, 'x') + "\"}",
                     minute + (i < 150 ? 0 : 60'000));
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckCounts(world);
  const auto ledger = world.Ledger();
  REQUIRE(ledger.size() == 1);
  REQUIRE(ledger[0].objects.size() == 3);
  CHECK(ledger[0].objects[0].rows == 105);  // the record that fills 1 MiB is the last
  CHECK(ledger[0].objects[1].rows == 105);
  CHECK(ledger[0].objects[2].rows == 40);
  CHECK(PrefixOf(ledger[0].objects[0].key) == PrefixOf(ledger[0].objects[1].key));
  CHECK(PrefixOf(ledger[0].objects[0].key) != PrefixOf(ledger[0].objects[2].key));
}

TEST_CASE("Dynamic partitioning: whichever transaction or call fails, each record is in the lake once", "[delivery]") {
  const auto [fault, restart] = GENERATE(table<Fault, bool>(
      {{Fault::kBefore, false}, {Fault::kAfter, false}, {Fault::kBefore, true}, {Fault::kAfter, true}}));
  for (int nth = 1;; ++nth) {
    World world(PartitionedConfig());
    const auto expected = FillOrders(world, 60);
    REQUIRE(world.Start().ok());
    world.metadata.FailCommit(nth, fault);
    for (int i = 0; i < 400 && !world.delivered() && world.metadata.failures() == 0; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.metadata.failures() == 0) {
      CHECK(nth == 4);  // intent, its keys, checkpoint
      break;
    }
    if (restart) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
    }
    REQUIRE(world.Run());
    CheckCounts(world);
    CHECK(LinesByPrefix(world) == expected);
    REQUIRE(nth < 100);
  }
}

TEST_CASE("Dynamic partitioning: a lake that fails in the middle of the objects gets the others later, and none twice",
          "[delivery]") {
  for (int nth = 1; nth < 200; nth += 7) {
    World world(PartitionedConfig());
    const auto expected = FillOrders(world, 60);
    REQUIRE(world.Start().ok());
    world.env.manual_clock().AdvanceMs(61'000);
    REQUIRE(world.stream->Step() == 0);  // decided
    world.env.FailCall(MemoryEnv::Call::kRename, nth);
    (void)world.stream->Step();
    world.env.Crash();
    world.env.ClearFailures();
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CheckCounts(world);
    CHECK(LinesByPrefix(world) == expected);
  }
}

}  // namespace sluice::delivery
