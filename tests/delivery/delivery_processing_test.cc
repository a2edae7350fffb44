// Processors through the whole stage: rows, objects, error objects by type, counts and their proof, and the same bytes
// after a crash.
#include <algorithm>
#include <array>

#include "broker/delivery/error_record.h"
#include "protocol/base64.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/log_documents.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {
namespace {

DeliveryConfig OpeningLogs(DeliveryConfig config) {
  config.processors = {{"RecordDeAggregation", {{"SubRecordType", "JSON"}}},
                       {"CloudWatchLogProcessing", {{"DataMessageExtraction", "true"}}},
                       {"Decompression", {{"CompressionFormat", "GZIP"}}}};
  return config;
}

/// Of ten records: one is filtered, one is not gzip, one no document; seven hold five records each, of which one is no
/// JSON and one does not fit the columns.
std::string Log(int number) {
  switch (number % 10) {
    case 3:
      return Gzip(LogDocument({"Checking health"}, "CONTROL_MESSAGE"));
    case 5:
      return "not gzip";
    case 7:
      return Gzip("[]");
    default:
      return Gzip(LogDocument({JsonRecord(number), JsonRecord(number + 1000) + "\n" + JsonRecord(number + 2000),
                               "not json", R"({"id":"x"})"}));
  }
}

void FillWithLogs(World& world) {
  for (int i = 0; i < 40; ++i) {
    world.log.Append(static_cast<std::uint32_t>(i) % world.log.shards(), Log(i), world.env.clock().WallMs());
  }
}

/// The error records of a type, in the lake.
std::vector<std::string> ErrorLines(World& world, std::string_view type) {
  std::vector<std::string> lines;
  for (const auto& [key, bytes] : world.Lake()) {
    if (!key.starts_with(fmt::format("errors/{}/", type))) continue;
    for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(lines.back().size() + 1)) {
      lines.emplace_back(rest.substr(0, rest.find('\n')));
    }
  }
  return lines;
}

TEST_CASE("DeliveryStream Step: every record that comes out of one is a row, an error or filtered, and that is proven",
          "[delivery]") {
  const bool convert = GENERATE(true, false);
  World world(OpeningLogs(convert ? ParquetConfig() : RawConfig()));
  FillWithLogs(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(totals.records == 40);
  CHECK(totals.user_records == 152);
  CHECK(totals.filtered == 4);
  CHECK(totals.errors == (convert ? 64 : 36));
  CHECK(totals.rows == (convert ? 84 : 112));
  CHECK(ErrorLines(world, kDecompressionFailed).size() == 4);
  CHECK(ErrorLines(world, kProcessingFailed).size() == 4 + 28);
  CHECK(ErrorLines(world, kFormatConversionFailed).size() == (convert ? 28 : 0));
  Proof proof(world);
  const tools::VerifyReport report = proof.Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.user_records == report.in_lake + report.in_errors + report.filtered);
  CHECK(report.rows == totals.rows);
}

TEST_CASE("DeliveryStream Step: objects hold what processors made, error records what was put", "[delivery]") {
  World world(OpeningLogs(RawConfig()), 1);
  for (const std::string& value : {Gzip(LogDocument({R"({"a":1} {"a":2})", "broken", R"({"a":3})"})),
                                   std::string("plain"), Gzip("{}"), Gzip(LogDocument({"alone"}))}) {
    world.log.Append(0, value, world.env.clock().WallMs());
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const auto lake = world.Lake();
  const auto data = std::ranges::find_if(lake, [](const auto& object) { return object.first.starts_with("orders/"); });
  REQUIRE(data != lake.end());
  CHECK(data->second == "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  const std::vector<std::string> compressed = ErrorLines(world, kDecompressionFailed);
  REQUIRE(compressed.size() == 1);
  CHECK(compressed[0].contains(R"("errorCode":"Decompression failed.","errorMessage":"gzip data is damaged: )"));
  CHECK(compressed[0].contains(fmt::format(R"("rawData":"{}","sequenceNumber")", protocol::EncodeBase64("plain"))));
  const std::vector<std::string> failed = ErrorLines(world, kProcessingFailed);
  REQUIRE(failed.size() == 3);
  // What no longer is whole when it fails is a record of its own; the others are told as they were put.
  const std::array<std::string, 3> raw = {"broken", Gzip("{}"), Gzip(LogDocument({"alone"}))};
  for (std::size_t i = 0; i < failed.size(); ++i) {
    INFO(failed[i]);
    CHECK(std::ranges::any_of(raw, [&](const std::string& bytes) {
      return failed[i].contains(fmt::format(R"("rawData":"{}",)", protocol::EncodeBase64(bytes)));
    }));
    CHECK(failed[i].contains("subSequenceNumber") == failed[i].contains(protocol::EncodeBase64("broken")));
  }
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("DeliveryStream Step: an inferred schema has the fields of what processors made", "[delivery]") {
  DeliveryConfig config = OpeningLogs(ParquetConfig());
  config.columns.clear();
  config.infer_schema = true;
  World world(config);
  for (int i = 0; i < 20; ++i) {
    world.log.Append(static_cast<std::uint32_t>(i % 2), Gzip(LogDocument({JsonRecord(i), JsonRecord(i + 100)})),
                     world.env.clock().WallMs());
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.totals.rows == 40);
  CHECK(world.stream->status().checkpoint.totals.overflow_fields == 0);
  CHECK(world.stream->status().checkpoint.totals.errors == 0);
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("DeliveryStream Step: nothing but filtered records makes no object, and that is proven", "[delivery]") {
  World world(OpeningLogs(ParquetConfig()), 1);
  for (int i = 0; i < 3; ++i) world.log.Append(0, Log(3), world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.Lake().empty());
  CHECK(world.stream->status().checkpoint.totals.filtered == 3);
  const tools::VerifyReport report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.filtered == 3);
}

TEST_CASE("DeliveryStream Step: with processors killed at every call, the lake is the same in the end", "[delivery]") {
  CheckPowerOffAtEveryCall(OpeningLogs(GENERATE(RawConfig(), ParquetConfig())), FillWithLogs, [](World& world) {
    world.log.records_per_visit = 3;  // reads are cut elsewhere
  });
}

}  // namespace
}  // namespace sluice::delivery
