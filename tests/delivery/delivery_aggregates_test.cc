// KPL aggregates through the whole stage: rows, counts, error records and their proof.
#include <algorithm>

#include "tests/delivery/delivery_world.h"
#include "tests/delivery/proof.h"
#include "tests/protocol/kpl_aggregates.h"

namespace sluice::delivery {
namespace {

/// An aggregate of `count` JSON records with ids from `first`; every record whose id ends in 7 is none.
std::string AggregateOf(int first, int count) {
  std::vector<std::string> texts;
  for (int id = first; id < first + count; ++id) {
    texts.push_back(id % 10 == 7 ? "no json" : fmt::format(R"({{"id":{},"text":"t{}"}})", id, id));
  }
  std::vector<protocol::KplRecord> records;
  for (const std::string& text : texts)
    records.push_back({.partition_key = "k", .explicit_hash_key = {}, .data = text});
  return protocol::MakeKplAggregate(records);
}

/// Aggregates of ten on both shards between plain records: 66 records of the log, 10 x 30 + 36 with them opened.
void FillWithAggregates(World& world) {
  for (int i = 0; i < 66; ++i) {
    const bool aggregate = i < 60 && i % 2 == 0;
    world.log.Append(static_cast<std::uint32_t>(i / 2 % 2),
                     aggregate ? AggregateOf(i * 10, 10) : fmt::format(R"({{"id":{},"text":"p"}})", 10'000 + i),
                     world.env.clock().WallMs());
  }
}

DeliveryConfig Opening(DeliveryConfig config) {
  config.deaggregate_kpl = true;
  return config;
}

constexpr std::uint64_t kRecords = 66, kUserRecords = 336, kBad = 30;

TEST_CASE("DeliveryStream Step: each record of an aggregate is a row or an error record, and that is proven",
          "[delivery]") {
  World world(Opening(ParquetConfig()));
  FillWithAggregates(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(totals.records == kRecords);
  CHECK(totals.user_records == kUserRecords);
  CHECK(totals.errors == kBad);
  CHECK(totals.rows == kUserRecords - kBad);
  Proof proof(world);
  const tools::VerifyReport report = proof.Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.records == kRecords);
  CHECK(report.in_lake == kUserRecords - kBad);
  CHECK(report.in_errors == kBad);
  CHECK(report.rows == kUserRecords - kBad);
  CHECK(VerifyReportText(report).contains("66 records of 2 shards, 336 with aggregates opened"));
}

TEST_CASE("DeliveryStream Step: error records of one aggregate are told apart, and one there twice is found",
          "[delivery]") {
  World world(Opening(ParquetConfig()), 1);
  world.log.Append(0,
                   protocol::MakeKplAggregate(std::vector<protocol::KplRecord>{
                       {.partition_key = "a", .explicit_hash_key = {}, .data = "same"},
                       {.partition_key = "a", .explicit_hash_key = {}, .data = R"({"id":1})"},
                       {.partition_key = "a", .explicit_hash_key = {}, .data = "same"}}),
                   world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  Proof proof(world);
  CHECK(proof.Verify().ok());
  std::ifstream file(proof.error_object);
  std::string first, second;
  REQUIRE((std::getline(file, first) && std::getline(file, second)));
  CHECK(first.contains(R"("subSequenceNumber":0,)"));
  CHECK(second.contains(R"("subSequenceNumber":2,)"));
  file.close();
  std::ofstream(proof.error_object) << first << '\n' << first << '\n';
  const tools::VerifyReport report = proof.Verify();
  CHECK(std::ranges::any_of(report.problems, [](const auto& problem) { return problem.kind == "records twice"; }));
}

TEST_CASE("DeliveryStream Step: nothing but bad records in an aggregate makes no data object", "[delivery]") {
  World world(Opening(ParquetConfig()), 1);
  world.log.Append(0,
                   protocol::MakeKplAggregate(std::vector<protocol::KplRecord>{
                       {.partition_key = "a", .explicit_hash_key = {}, .data = "bad"},
                       {.partition_key = "a", .explicit_hash_key = {}, .data = "worse"}}),
                   world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.Lake().size() == 1);
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("DeliveryStream Step: aggregates in objects without conversion, or left as they are", "[delivery]") {
  const bool opened = GENERATE(true, false);
  DeliveryConfig config = RawConfig();
  config.deaggregate_kpl = opened;
  World world(config, 1);
  const std::string broken = protocol::WrapKplMessage("broken");
  const std::string good = AggregateOf(0, 3);
  for (const std::string& value : {std::string("plain"), good, broken}) {
    world.log.Append(0, value, world.env.clock().WallMs());
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  REQUIRE(world.Lake().size() == 1);
  const std::string inside = R"({"id":0,"text":"t0"})"
                             "\n"
                             R"({"id":1,"text":"t1"})"
                             "\n"
                             R"({"id":2,"text":"t2"})";
  CHECK(world.Lake().begin()->second == "plain\n" + (opened ? inside : good) + "\n" + broken + "\n");
  const LedgerEntry entry = world.Ledger().at(0);
  CHECK(entry.records == 3);
  CHECK(entry.user_records == (opened ? 5 : 3));
  CHECK(entry.rows == entry.user_records);
  CHECK(entry.bytes_in == 5 + good.size() + broken.size());
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("DeliveryStream Step: an inferred schema has the fields of records within aggregates", "[delivery]") {
  DeliveryConfig config = ParquetConfig();
  config.columns.clear();
  config.infer_schema = true;
  World world(Opening(config));
  FillWithAggregates(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.totals.rows == kUserRecords - kBad);
  CHECK(world.stream->status().checkpoint.totals.overflow_fields == 0);
  CHECK(world.stream->status().schema_version == 1);
}

TEST_CASE("DeliveryStream Step: with aggregates killed at every call, the lake is the same in the end", "[delivery]") {
  CheckPowerOffAtEveryCall(Opening(GENERATE(RawConfig(), ParquetConfig())), FillWithAggregates);
}

}  // namespace
}  // namespace sluice::delivery
