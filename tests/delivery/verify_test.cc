// Every kind of tampering with a lake that was proven is found, with the exact records.
#include "tools/verify/verify.h"

#include <filesystem>
#include <fstream>

#include "storage/env/posix_env.h"
#include "tests/delivery/delivery_world.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

/// A delivered lake on the real disk, and its ledger.
class Delivered {
 public:
  explicit Delivered(delivery::DeliveryConfig config) : world_(std::move(config)) {
    for (int i = 0; i < 60; ++i) {
      const bool bad = world_.config.convert && (i % 10 == 4 || i % 10 == 7);
      world_.log.Append(static_cast<std::uint32_t>(i % 2),
                        bad ? "not json" : fmt::format("{{\"id\":{},\"text\":\"{}\"}}", i, std::string(40'000, 'x')),
                        world_.env.clock().WallMs());
    }
    REQUIRE(world_.Start().ok());
    REQUIRE(world_.Run());
    PutLake(world_);
    document_ = {.name = world_.config.name,
                 .uid = world_.stream->identity().uid,
                 .stream = "orders",
                 .stream_exists = true,
                 .bucket = "lake",
                 .directories = {{"lake", root().string()}},
                 .shards = world_.stream->status().checkpoint.shards,
                 .intent = std::nullopt,
                 .entries = world_.Ledger()};
    REQUIRE(document_.entries.size() >= 2);
  }

  void PutLake(delivery::World& world) {
    for (const auto& [key, bytes] : world.Lake()) {
      fs::create_directories((root() / key).parent_path());
      std::ofstream(root() / key, std::ios::binary) << bytes;
    }
  }
  fs::path root() const { return fs::path(temp_.path()) / "lake"; }
  delivery::LedgerDocument& ledger() { return document_; }
  fs::path Object(std::size_t entry, bool error) const {
    for (const auto& object : document_.entries.at(entry).objects) {
      if (object.error == error) return root() / object.key;
    }
    FAIL("no such object");
    return {};
  }
  VerifyReport Verify() {
    auto report = VerifyDelivery(document_, {});
    REQUIRE(report.has_value());
    return *report;
  }

 private:
  storage::TempDir temp_;
  delivery::World world_;
  delivery::LedgerDocument document_;
};

bool Has(const VerifyReport& report, std::string_view kind) {
  return std::any_of(report.problems.begin(), report.problems.end(),
                     [&](const VerifyProblem& p) { return p.kind == kind; });
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteText(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

TEST_CASE("VerifyDelivery: an untouched lake is proven", "[tools]") {
  const delivery::DeliveryConfig config =
      GENERATE(delivery::ParquetConfig(), delivery::OrcConfig(), delivery::RawConfig());
  Delivered delivered(config);
  const VerifyReport report = delivered.Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.records == 60);
  CHECK(report.in_lake == (config.convert ? 48 : 60));
  CHECK(report.in_errors == (config.convert ? 12 : 0));
  CHECK(report.rows == report.in_lake);
  CHECK(VerifyReportText(report).find("PROVEN: every record") != std::string::npos);
  CHECK(VerifyReportJson(report).find("\"proven\":true") != std::string::npos);
}

TEST_CASE("VerifyDelivery: a deleted object is found, with its records", "[tools]") {
  Delivered delivered(delivery::ParquetConfig());
  fs::remove(delivered.Object(0, false));
  const VerifyReport report = delivered.Verify();
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].kind == "object missing");
  CHECK(report.problems[0].ranges == delivered.ledger().entries[0].ranges);
  INFO(VerifyReportText(report));
  CHECK(VerifyReportText(report).find("(shard 0: 0-3, shard 1: 0-29)") != std::string::npos);
}

TEST_CASE("VerifyDelivery: a copy of an object is found under any name", "[tools]") {
  Delivered delivered(GENERATE(delivery::ParquetConfig(), delivery::OrcConfig()));
  const bool other_name = GENERATE(true, false);
  fs::create_directories(delivered.root() / "copy");
  const fs::path object = delivered.Object(0, false);
  fs::copy_file(object, delivered.root() / "copy" / (other_name ? fs::path("x.parquet") : object.filename()));
  const VerifyReport report = delivered.Verify();
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].kind == "object unknown");
  CHECK(report.problems[0].ranges == delivered.ledger().entries[0].ranges);
}

TEST_CASE("VerifyDelivery: objects of an earlier delivery stream of the name are told apart", "[tools]") {
  Delivered delivered(delivery::ParquetConfig());
  delivery::World earlier(delivery::ParquetConfig(), 4, "feedfacecafebeef");
  const std::uint32_t shard = GENERATE(1u, 3u);  // this one delivers from shards 0 and 1
  for (int i = 0; i < 5; ++i) earlier.log.Append(shard, delivery::JsonRecord(i), 1);
  REQUIRE(earlier.Start().ok());
  REQUIRE(earlier.Run());
  delivered.PutLake(earlier);
  const VerifyReport report = delivered.Verify();
  INFO(VerifyReportText(report));
  if (shard == 3) {
    CHECK(report.ok());
    CHECK(report.earlier == 1);
    CHECK(VerifyReportText(report).find("1 object of an earlier delivery stream") != std::string::npos);
  } else {
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems[0].kind == "records twice");
    CHECK(report.problems[0].ranges == std::vector<delivery::SourceRange>{{ShardIndex(1), Offset(0), Offset(4)}});
  }
}

TEST_CASE("VerifyDelivery: an earlier delivery stream's object in the place of one; nobody says who it is", "[tools]") {
  Delivered delivered(delivery::ParquetConfig());
  delivered.ledger().uid = "feedfacecafebeef";
  CHECK(Has(delivered.Verify(), "object changed"));
  delivered.ledger().uid.clear();  // the ledger of a broker before
  CHECK(delivered.Verify().ok());
}

TEST_CASE("VerifyDelivery: a raw object's copy is found by its name", "[tools]") {
  Delivered delivered(delivery::RawConfig());
  const fs::path object = delivered.Object(0, false);
  fs::create_directories(delivered.root() / "copy");
  fs::copy_file(object, delivered.root() / "copy" / object.filename());
  fs::copy_file(object, delivered.root() / "somebody-elses.txt");
  const VerifyReport report = delivered.Verify();
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].kind == "object unknown");
}

TEST_CASE("VerifyDelivery: a truncated object, a flipped byte", "[tools]") {
  const delivery::DeliveryConfig config =
      GENERATE(delivery::ParquetConfig(), delivery::OrcConfig(), delivery::RawConfig());
  Delivered delivered(config);
  const fs::path object = delivered.Object(1, false);
  const std::string text = ReadText(object);
  WriteText(object, std::string_view(text).substr(0, text.size() / 2));
  CHECK(Has(delivered.Verify(), "object changed"));
  CHECK(Has(delivered.Verify(), "object unreadable") == config.convert);
  std::string flipped = text;
  flipped[text.size() / 3] = static_cast<char>(flipped[text.size() / 3] ^ 1);
  WriteText(object, flipped);
  CHECK(Has(delivered.Verify(), "object changed"));
  WriteText(object, text);
  CHECK(delivered.Verify().ok());
}

TEST_CASE("VerifyDelivery: another delivery's object in the place of one", "[tools]") {
  Delivered delivered(delivery::ParquetConfig());
  fs::copy_file(delivered.Object(1, false), delivered.Object(0, false), fs::copy_options::overwrite_existing);
  const VerifyReport report = delivered.Verify();
  CHECK(Has(report, "object changed"));
  CHECK(VerifyReportText(report).find("says that it holds other records") != std::string::npos);
}

TEST_CASE("VerifyDelivery: an edited error file: a line less, a line twice, a foreign line, no line", "[tools]") {
  Delivered delivered(delivery::ParquetConfig());
  const fs::path object = delivered.Object(0, true);
  const std::string text = ReadText(object);
  const std::string first = text.substr(0, text.find('\n') + 1);
  WriteText(object, text.substr(first.size()));
  CHECK(Has(delivered.Verify(), "error records missing"));
  WriteText(object, text + first);
  CHECK(Has(delivered.Verify(), "records twice"));
  WriteText(object, text + ReadText(delivered.Object(1, true)));
  CHECK(Has(delivered.Verify(), "error record foreign"));
  WriteText(object, text + "{}\n");
  CHECK(Has(delivered.Verify(), "error record unreadable"));
}

TEST_CASE("VerifyDelivery: a ledger with a gap, an overlap, a lost range, a missing delivery", "[tools]") {
  Delivered delivered(delivery::RawConfig());
  const delivery::LedgerDocument good = delivered.ledger();
  delivered.ledger().shards[0].next = delivered.ledger().shards[0].next + 5;
  VerifyReport report = delivered.Verify();
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].kind == "records missing");
  CHECK(report.problems[0].ranges == std::vector<delivery::SourceRange>{{ShardIndex(0), Offset(30), Offset(34)}});

  delivered.ledger() = good;
  delivered.ledger().shards[1].next = Offset(29);
  CHECK(Has(delivered.Verify(), "ledger damaged"));

  delivered.ledger() = good;
  delivered.ledger().entries.erase(delivered.ledger().entries.begin());
  report = delivered.Verify();
  CHECK(Has(report, "records missing"));
  CHECK(Has(report, "object unknown"));
  CHECK(Has(report, "ledger damaged"));

  delivered.ledger() = good;
  delivered.ledger().entries.push_back(good.entries.back());
  delivered.ledger().entries.back().seq += 1;
  CHECK(Has(delivered.Verify(), "records twice"));

  delivered.ledger() = good;
  delivered.ledger().shards[0].start = Offset(0);
  const Offset next = delivered.ledger().shards[0].next;
  delivered.ledger().entries.back().lost = {{{ShardIndex(0), next, next + 3}, false}};
  delivered.ledger().shards[0].next = delivered.ledger().shards[0].next + 4;
  report = delivered.Verify();
  CHECK(Has(report, "records lost"));
  CHECK(report.lost == 4);

  delivered.ledger().entries.back().lost.front().accepted = true;
  report = delivered.Verify();
  CHECK(report.ok());
  CHECK(report.lost == 4);
  CHECK(report.given_up == std::vector<delivery::SourceRange>{{ShardIndex(0), next, next + 3}});
  CHECK(VerifyReportText(report).find("PROVEN: every record but those given up is in") != std::string::npos);
}

TEST_CASE("VerifyDelivery: without its source stream nothing is proven", "[tools]") {
  Delivered delivered(delivery::RawConfig());
  delivered.ledger().stream_exists = false;
  const VerifyReport report = delivered.Verify();
  CHECK_FALSE(report.ok());
  CHECK(Has(report, "source missing"));
}

TEST_CASE("VerifyDelivery: what cannot be looked at is an error, not a proof", "[tools]") {
  Delivered delivered(delivery::RawConfig());
  const auto collect = [](const std::string& json) {
    return CollectLedger([&](auto&) -> Result<std::string> { return json; });
  };
  CHECK(collect("{}").error().code() == Code::kCorruption);
  CHECK(collect("no json").error().code() == Code::kCorruption);
  CHECK(VerifyDelivery(delivered.ledger(), {.directory = "/does/not/exist"}).error().code() == Code::kNotFound);
}

TEST_CASE("VerifyDelivery: objects of a bucket that was left are looked for there, or where they are said to be",
          "[tools]") {
  Delivered delivered(delivery::RawConfig());
  auto& ledger = delivered.ledger();
  ledger.bucket = "sea";
  ledger.directories["sea"] = (delivered.root().parent_path() / "sea").string();
  CHECK(delivered.Verify().ok());
  const fs::path moved = delivered.root().parent_path() / "moved";
  fs::rename(delivered.root(), moved);
  const auto away = VerifyDelivery(ledger, {});
  REQUIRE_FALSE(away.has_value());
  CHECK(away.error().message().ends_with("name it with --bucket lake=DIR"));
  CHECK(VerifyDelivery(ledger, {.directory = moved.string()}).error().code() == Code::kNotFound);
  const auto found = VerifyDelivery(ledger, {.directory = "", .buckets = {{"lake", moved.string()}}});
  REQUIRE(found.has_value());
  CHECK(found->ok());
}

TEST_CASE("VerifyDelivery: objects of the delivery being made are no strangers", "[tools]") {
  Delivered delivered(delivery::RawConfig());
  auto& ledger = delivered.ledger();
  const delivery::LedgerEntry last = ledger.entries.back();
  ledger.entries.pop_back();
  for (const delivery::SourceRange& range : last.ranges) {
    for (delivery::ShardPosition& shard : ledger.shards) {
      if (shard.shard == range.shard) shard.next = range.first;
    }
  }
  CHECK(Has(delivered.Verify(), "object unknown"));
  ledger.intent = delivery::Intent{};
  ledger.intent->seq = last.seq;
  ledger.intent->ranges = last.ranges;
  ledger.intent->data_key = last.objects[0].key;
  CHECK(delivered.Verify().ok());
}

TEST_CASE("CollectLedger: pages add up to the ledger, a delivery of many objects over several of them", "[delivery]") {
  using delivery::LedgerEntry;
  delivery::LedgerDocument document;
  document.name = "d";
  document.uid = "u";
  document.shards.push_back({ShardIndex(0), Offset(0), Offset(30)});
  std::uint64_t next = 0;
  for (const std::size_t objects : {3u, 9000u, 0u, 5000u, 1u}) {
    LedgerEntry entry;
    entry.seq = document.entries.size() + 1;
    entry.ranges.push_back({ShardIndex(0), Offset(next), Offset(next + 5)});
    next += 6;
    entry.records = entry.user_records = 6;
    for (std::size_t i = 0; i < objects; ++i)
      entry.objects.push_back({.key = fmt::format("customer={}/{}", i, entry.seq), .rows = i, .bytes = 7});
    document.entries.push_back(std::move(entry));
  }
  document.intent.emplace();
  document.intent->data_key = "k";
  document.intent->other_keys.assign(5000, std::string(500, 'k'));
  int pages = 0;
  const auto collected = CollectLedger([&](const std::string& from) {
    Result<std::string> page = LedgerPageToJson(document, from);
    REQUIRE(page.has_value());
    CHECK(page->size() < 1'000'000);
    ++pages;
    return page;
  });
  REQUIRE(collected.has_value());
  CHECK(pages > 3);
  CHECK(collected->entries == document.entries);
  CHECK(collected->shards == document.shards);
  CHECK(collected->intent->data_key == "k");
  document.entries.push_back(document.entries.back());  // delivered while the pages were told
  document.entries.back().seq = 6;
  document.entries.back().ranges = {{ShardIndex(0), Offset(30), Offset(35)}};
  auto grown = *collected;
  delivery::AddLedgerPage(grown, document);
  CHECK(grown.entries.back().seq == 5);
  for (const std::string_view from : {"x", "1", "1:", "9:0", "1:4", "1:0x", ":"}) {
    INFO(from);
    CHECK(LedgerPageToJson(document, from).error().code() == Code::kInvalidArgument);
  }
}

}  // namespace sluice::tools
