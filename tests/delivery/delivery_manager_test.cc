// All delivery streams over the broker's core: made, listed, paused, flushed, restarted, deleted, and proven.
#include "broker/delivery/delivery_manager.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "broker/delivery/ledger_document.h"
#include "broker/reshard.h"
#include "tests/delivery/managed.h"
#include "tools/verify/verify.h"

namespace sluice::delivery {

TEST_CASE("DeliveryManager Handle: create, deliver, prove, delete", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Append("orders", 0, 10);
  managed.Append("orders", 1, 5);
  CHECK(Contains(managed.Answer(DeliveryAction::kCheck, "", Document("d", "orders")), "\"example_key\":\""));
  CHECK(Contains(managed.Answer(DeliveryAction::kList, ""), "\"delivery_streams\":[]"));
  CHECK(Contains(managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders")), "\"mode\":\"active\""));
  CHECK(managed.core.holds.KeepFrom({StreamId(1), ShardIndex(0)}) == Offset(0));
  const std::string flushed = managed.Answer(DeliveryAction::kFlush, "d");
  CHECK(Contains(flushed, "\"records\":15"));
  CHECK(Contains(flushed, "\"lag_records\":0"));
  CHECK(managed.core.holds.KeepFrom({StreamId(1), ShardIndex(0)}) == Offset(10));
  CHECK(Contains(managed.Answer(DeliveryAction::kList, ""), "\"name\":\"d\""));
  const auto report = tools::VerifyDelivery(managed.Ledger("d"), {});
  REQUIRE(report.has_value());
  INFO(tools::VerifyReportText(*report));
  CHECK(report->ok());
  CHECK(report->records == 15);
  CHECK(Contains(managed.Answer(DeliveryAction::kLedger, "d"), R"("stream_exists":true)"));
  REQUIRE(managed.core.catalog->Delete("orders").has_value());
  REQUIRE(managed.core.catalog->Create("orders", 2, {}).has_value());
  CHECK(Contains(managed.Answer(DeliveryAction::kLedger, "d"), R"("stream_exists":false)"));
  CHECK(managed.Answer(DeliveryAction::kDelete, "d") == R"({"name":"d","deleted":true})");
  CHECK(managed.Do(DeliveryAction::kDescribe, "d").error().code() == Code::kNotFound);
  CHECK(managed.core.holds.KeepFrom({StreamId(1), ShardIndex(0)}) == kMaxOffset);
  CHECK(managed.core.metadata->Scan("delivery/")->empty());
  CHECK(report->objects == 1);
  CHECK(std::filesystem::exists(managed.options.lake_dir + "/lake"));
}

TEST_CASE("DeliveryManager Handle: a flush that takes long is answered, and goes on", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Append("orders", 0, 10);
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  managed.metadata.Hold(true);
  const std::string waiting = managed.Answer(DeliveryAction::kFlush, "d");
  INFO(waiting);
  const std::size_t at = waiting.find(R"("flush":{"number":)");
  REQUIRE(at != waiting.npos);
  const std::string number = waiting.substr(at + 18, waiting.find(',', at) - at - 18);
  CHECK(Contains(waiting, fmt::format(R"("flush":{{"number":{},"done":false}})", number)));
  CHECK(Contains(waiting, R"("lag_records":10)"));
  managed.metadata.Hold(false);
  const std::string done = fmt::format(R"("flush":{{"number":{},"done":true}})", number);
  while (!Contains(managed.Answer(DeliveryAction::kFlush, "d", number), done)) {
  }
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "d"), R"("lag_records":0)"));
}

TEST_CASE("DeliveryManager Start: goes on where it was, with the holds set first", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Append("orders", 0, 10);
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  managed.Answer(DeliveryAction::kFlush, "d");
  managed.manager.reset();
  managed.core.holds.RemoveAll("d");
  managed.Append("orders", 0, 7);
  managed.Start();
  CHECK(managed.core.holds.KeepFrom({StreamId(1), ShardIndex(0)}) >= Offset(10));
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), "\"records\":17"));
  const auto report = tools::VerifyDelivery(managed.Ledger("d"), {});
  REQUIRE(report.has_value());
  CHECK(report->ok());
  CHECK(report->objects == 2);
}

TEST_CASE("DeliveryManager Handle: direct put has a hidden stream of its own, which goes with it", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("direct", ""));
  const auto hidden = managed.core.catalog->Find("delivery:direct");
  REQUIRE(hidden.has_value());
  CHECK((*hidden)->hidden);
  CHECK(managed.core.catalog->List().size() == 1);
  CHECK(broker::StreamCatalog::Open(*managed.core.metadata, managed.core.env->clock()).has_value());
  managed.Append("delivery:direct", 0, 3);
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "direct"), "\"records\":3"));
  managed.Answer(DeliveryAction::kDelete, "direct");
  CHECK(managed.forgotten == std::vector<std::string>{"delivery:direct"});
  CHECK_FALSE(managed.core.catalog->Find("delivery:direct").has_value());
}

TEST_CASE("DeliveryManager Handle: direct put is deleted with undelivered records only where it is paused",
          "[delivery]") {
  Managed managed;
  managed.WriteFile("lake-root", "a file where the lake should be");
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("direct", ""));
  managed.Append("delivery:direct", 0, 3);
  const auto refused = managed.Do(DeliveryAction::kDelete, "direct");
  REQUIRE_FALSE(refused.has_value());
  CHECK(Contains(refused.error().message(), "has not delivered 3 records yet"));
  CHECK(managed.core.catalog->Find("delivery:direct").has_value());
  managed.Answer(DeliveryAction::kPause, "direct");
  managed.Answer(DeliveryAction::kDelete, "direct");
  CHECK_FALSE(managed.core.catalog->Find("delivery:direct").has_value());
}

TEST_CASE("DeliveryManager Handle: pause survives a restart; a paused one is not flushed", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  CHECK(Contains(managed.Answer(DeliveryAction::kPause, "d"), "\"mode\":\"paused\""));
  managed.Append("orders", 0, 4);
  CHECK(managed.Do(DeliveryAction::kFlush, "d").error().code() == Code::kFailedPrecondition);
  managed.Start();
  const std::string paused = managed.Answer(DeliveryAction::kDescribe, "d");
  CHECK(Contains(paused, "\"mode\":\"paused\""));
  CHECK(Contains(paused, "\"lag_records\":4"));
  CHECK(Contains(managed.Answer(DeliveryAction::kResume, "d"), "\"mode\":\"active\""));
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), "\"records\":4"));
}

TEST_CASE("DeliveryManager Handle: mistakes are told with what to do", "[delivery]") {
  Managed managed;
  managed.Start();
  const auto problem = [&](std::string_view document) {
    const auto answer = managed.Do(DeliveryAction::kCreate, "", document);
    REQUIRE_FALSE(answer.has_value());
    return answer.error();
  };
  CHECK(problem(Document("d", "order")).code() == Code::kNotFound);
  CHECK(Contains(problem(Document("d", "order")).message(), "did you mean 'orders'?"));
  CHECK(Contains(problem("{").message(), "file.json:1: not valid JSON"));
  CHECK(Contains(problem(Document("d", "orders", R"(, "Nonsense": 1)")).message(), "Sluice.Nonsense: unknown key"));
  const std::string convert =
      R"({"DeliveryStreamName": "d", "S3DestinationConfiguration": {"BucketARN": "lake", "CompressionFormat": "parquet"},
      "Sluice": {"TableFile": "table.json"}})";
  CHECK(Contains(problem(convert).message(), "Sluice.TableFile 'table.json'"));
  managed.WriteFile("table.json",
                    R"({"Table": {"StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}]}}})");
  const std::string created = managed.Answer(DeliveryAction::kCreate, "", convert);
  CHECK(Contains(created, R"("Columns":[{"Name":"id","Type":"bigint"}])"));
  CHECK_FALSE(Contains(created, "TableFile"));
  CHECK(Contains(created, "\"schema_version\":1"));
  const std::string zone =
      R"({"DeliveryStreamName": "z", "ExtendedS3DestinationConfiguration": {"BucketARN": "lake", "CustomTimeZone": "Mars/Olympus"}})";
  CHECK(Contains(problem(zone).message(), "does not know the time zone 'Mars/Olympus'"));
  managed.Answer(DeliveryAction::kCreate, "", Document("orders-lake", "orders"));
  CHECK(Contains(managed.Do(DeliveryAction::kFlush, "order-lake").error().message(),
                 "delivery stream 'order-lake' does not exist; did you mean 'orders-lake'?"));
}

TEST_CASE("DeliveryManager Handle: a lake that cannot be written is said by create, flush and describe", "[delivery]") {
  Managed managed;
  managed.WriteFile("lake-root", "a file where the lake should be");
  managed.Start();
  managed.Append("orders", 0, 4);
  const auto created = managed.Do(DeliveryAction::kCreate, "", Document("d", "orders"));
  REQUIRE(created.has_value());
  REQUIRE_FALSE(created->warnings.empty());
  CHECK(Contains(created->warnings.back(), "cannot write to the lake directory"));
  const auto flush = managed.Do(DeliveryAction::kFlush, "d");
  REQUIRE_FALSE(flush.has_value());
  CHECK(flush.error().code() == Code::kUnavailable);
  CHECK(Contains(flush.error().message(), "nothing is lost"));
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "d"), "\"mode\":\"failing\""));
  CHECK(managed.core.holds.KeepFrom({StreamId(1), ShardIndex(0)}) == Offset(0));
}

TEST_CASE("DeliveryManager Start: a lake that is not mounted any more is not made anew", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Append("orders", 0, 4);
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  managed.Answer(DeliveryAction::kFlush, "d");
  managed.manager.reset();
  std::filesystem::rename(managed.options.lake_dir, managed.temp.path() + "/away");
  managed.Start();
  managed.Append("orders", 0, 3);
  const auto flush = managed.Do(DeliveryAction::kFlush, "d");
  REQUIRE_FALSE(flush.has_value());
  CHECK(Contains(flush.error().message(), "is not what it was"));
  CHECK_FALSE(std::filesystem::exists(managed.options.lake_dir));
  std::filesystem::rename(managed.temp.path() + "/away", managed.options.lake_dir);
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), "\"records\":7"));
}

TEST_CASE("DeliveryManager Start: delivery streams from files of the folder, once each", "[delivery]") {
  Managed managed;
  managed.options.config_dir = managed.temp.path() + "/conf";
  std::filesystem::create_directories(managed.options.config_dir);
  managed.WriteFile("conf/a.json", Document("a", "orders"));
  managed.WriteFile("conf/b.yaml", "DeliveryStreamName: b\nS3DestinationConfiguration: {BucketARN: lake}\n");
  managed.WriteFile("conf/broken.json", "{");
  managed.WriteFile("conf/waits.json", Document("waits", "not-yet"));
  managed.WriteFile("conf/readme.txt", "not for us");
  managed.Start();
  CHECK(managed.manager->Statuses().size() == 2);
  managed.Start();
  CHECK(managed.manager->Statuses().size() == 2);
  REQUIRE(managed.core.catalog->Create("not-yet", 1, {}).has_value());
  managed.Start();
  CHECK(managed.manager->Statuses().size() == 3);
}

TEST_CASE("DeliveryManager Handle: create of an existing one compares, applies or refuses", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Append("orders", 0, 3);
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  managed.Answer(DeliveryAction::kFlush, "d");
  const std::string same = managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  CHECK(Contains(same, R"("changes":[])"));
  CHECK(Contains(same, R"("version":1)"));
  const std::string other = Document("d", "orders", R"(, "Delimiter": "|")");
  CHECK(Contains(managed.Answer(DeliveryAction::kCheck, "", other), R"("changes":["Sluice.Delimiter"])"));
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "d"), R"("version":1)"));
  const std::string changed = managed.Answer(DeliveryAction::kCreate, "", other);
  CHECK(Contains(changed, R"("changes":["Sluice.Delimiter"])"));
  CHECK(Contains(changed, R"("version":2)"));
  CHECK(Contains(changed, R"("Delimiter":"|")"));
  REQUIRE(managed.core.catalog->Create("others", 1, {}).has_value());
  for (const DeliveryAction action : {DeliveryAction::kCreate, DeliveryAction::kCheck}) {
    const auto refused = managed.Do(action, "", Document("d", "others"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == Code::kFailedPrecondition);
    CHECK(Contains(refused.error().message(), "the source is 'orders' and cannot become 'others'"));
  }
  managed.Append("orders", 1, 4);
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), "\"records\":7"));
  managed.Start();
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "d"), R"("version":2)"));
  const auto report = tools::VerifyDelivery(managed.Ledger("d"), {});
  REQUIRE(report.has_value());
  INFO(tools::VerifyReportText(*report));
  CHECK(report->ok());
  CHECK(report->objects == 2);
}

TEST_CASE("DeliveryManager Start: a changed file is applied, one that cannot be is passed over", "[delivery]") {
  Managed managed;
  managed.options.config_dir = managed.temp.path() + "/conf";
  std::filesystem::create_directories(managed.options.config_dir);
  managed.WriteFile("conf/a.json", Document("a", "orders"));
  managed.Start();
  managed.Start();
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "a"), R"("version":1)"));
  managed.WriteFile("conf/a.json", Document("a", "orders", R"(, "FileSizeMB": 9)"));
  managed.WriteFile("conf/b.json", Document("a", "orders", R"(, "FileSizeMB": 11)"));  // the same name: passed over
  managed.Start();
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "a"), R"("version":2)"));
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "a"), R"("SizeInMBs":9)"));
  managed.WriteFile("conf/a.json", Document("a", "", R"(, "FileSizeMB": 10)"));
  managed.Start();
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "a"), R"("version":2)"));
  CHECK(Contains(managed.Answer(DeliveryAction::kDescribe, "a"), R"("SizeInMBs":9)"));
}

TEST_CASE("DeliveryManager Handle: the page's example is right, without a warning", "[delivery]") {
  std::ifstream file("docs/delivery.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const std::size_t begin = text.find("```json\n");
  REQUIRE(begin != std::string::npos);
  const std::string example = text.substr(begin + 8, text.find("```\n", begin + 8) - begin - 8);
  Managed managed;
  managed.Start();
  const auto answer = managed.Do(DeliveryAction::kCreate, "", example);
  INFO((answer ? "" : answer.error().message()));
  REQUIRE(answer.has_value());
  CHECK(answer->warnings.empty());
}

TEST_CASE("DeliveryManager: follows a split and a merge, parents first, and proves it", "[delivery]") {
  Managed managed;
  managed.Start();
  broker::Resharder resharder(managed.core.shards, *managed.core.catalog, managed.core.env->clock());
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  managed.Append("orders", 0, 10);
  managed.Append("orders", 1, 5);
  REQUIRE(resharder.Split("orders", ShardIndex(0), {std::uint64_t{1} << 62, 0}).has_value());
  CHECK(managed.core.holds.KeepFrom({StreamId(1), ShardIndex(2)}) == Offset(0));  // before delivery has seen it
  managed.Append("orders", 2, 3);
  managed.Append("orders", 3, 4);
  REQUIRE(resharder.Merge("orders", ShardIndex(3), ShardIndex(1)).has_value());
  managed.Append("orders", 4, 6);
  if (GENERATE(false, true)) managed.Start();
  const auto prove = [&](std::uint64_t records) {
    const std::string flushed = managed.Answer(DeliveryAction::kFlush, "d");
    CHECK(Contains(flushed, "\"lag_records\":0"));
    const auto report = tools::VerifyDelivery(managed.Ledger("d"), {});
    REQUIRE(report.has_value());
    INFO(tools::VerifyReportText(*report));
    CHECK(report->ok());
    CHECK(report->records == records);
  };
  prove(28);
  // A shard's records come after those of its parents, in a delivery of their own.
  const auto ledger = LedgerDocumentFromJson(managed.Answer(DeliveryAction::kLedger, "d"));
  REQUIRE(ledger.has_value());
  std::map<std::uint32_t, std::uint64_t> first;
  std::map<std::uint32_t, std::uint64_t> last;
  for (const LedgerEntry& entry : ledger->entries) {
    for (const SourceRange& range : entry.ranges) {
      first.emplace(range.shard.value, entry.seq);
      last[range.shard.value] = entry.seq;
    }
  }
  REQUIRE(first.size() == 5);
  CHECK(first[2] > last[0]);
  CHECK(first[3] > last[0]);
  CHECK(first[4] > last[3]);
  CHECK(first[4] > last[1]);
  // The stream forgets its closed shards; what was delivered of them stays proven.
  REQUIRE(managed.core.catalog
              ->Change("orders",
                       [](broker::StreamInfo& stream) {
                         std::erase_if(stream.all_shards, &broker::ShardInfo::closed);
                         return Status();
                       })
              .has_value());
  if (GENERATE(false, true)) managed.Start();
  managed.Append("orders", 4, 2);
  prove(30);
}

}  // namespace sluice::delivery
