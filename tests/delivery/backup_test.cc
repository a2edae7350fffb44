// The backup of source records: as they came, each once, whatever becomes of them on their way to the lake.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "tests/delivery/delivery_world.h"
#include "tests/delivery/fake_endpoint.h"
#include "tests/delivery/lambda_fixture.h"
#include "tests/delivery/proof.h"
#include "tools/lake/record_object.h"

namespace sluice::delivery {
namespace {

namespace fs = std::filesystem;

DeliveryConfig WithBackup(DeliveryConfig config) {
  config.backup = BackupConfig{.bucket = "backup", .prefix = "raw/", .size_mb = 64};
  return config;
}

/// Every third record is none that can be converted.
void FillMixed(World& world) {
  for (int i = 0; i < 60; ++i) {
    const std::string value = i % 3 == 1 ? fmt::format("no json {}", i) : JsonRecord(i % 4);
    world.log.Append(static_cast<std::uint32_t>(i) % world.log.shards(), value, world.env.clock().WallMs() + i);
  }
}

/// All source records in the order of a delivery, with a line break behind each.
std::string SourceText(World& world) {
  std::string text;
  for (std::uint32_t shard = 0; shard < world.log.shards(); ++shard) {
    for (const FakeLog::Record& record : world.log.shard(shard)) text += record.value + "\n";
  }
  return text;
}

std::string Decompressed(const std::string& key, const std::string& bytes) {
  const auto object = tools::DecodeRecordObject(bytes, key);
  REQUIRE(object.has_value());
  return object->text;
}

/// What a zip file calls its first entry.
std::string ZipEntryName(const std::string& bytes) {
  constexpr std::size_t kLengthAt = 26;
  constexpr std::size_t kNameAt = 30;
  REQUIRE(bytes.starts_with("PK\3\4"));
  return bytes.substr(kNameAt, static_cast<unsigned char>(bytes.at(kLengthAt)));
}

TEST_CASE("Backup and DataObject: a zip entry is named by a UUID, which is the object's own", "[delivery]") {
  DeliveryConfig config = WithBackup(RawConfig());
  config.compression = RawCompression::kZip;
  config.backup->compression = RawCompression::kZip;
  const auto names = [&] {
    World world(config, 1);
    world.log.Append(0, "a", world.env.clock().WallMs());
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    const std::vector<std::string> both = {ZipEntryName(world.Lake().begin()->second),
                                           ZipEntryName(world.Bucket("backup").begin()->second)};
    for (const std::string& name : both) {
      INFO(name);
      static const std::regex kUuid("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
      CHECK(std::regex_match(name, kUuid));
    }
    return both;
  };
  const std::vector<std::string> first = names();
  CHECK(first[0] != first[1]);
  CHECK(names() == first);
}

TEST_CASE("Backup: source records as they came, beside what becomes of them", "[delivery]") {
  const auto compression = GENERATE(RawCompression::kUncompressed, RawCompression::kGzip, RawCompression::kZip,
                                    RawCompression::kSnappy, RawCompression::kHadoopSnappy);
  DeliveryConfig config = WithBackup(GENERATE(RawConfig(), ParquetConfig(), PartitionedByIdConfig()));
  config.backup->compression = compression;
  World world(config);
  FillMixed(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const auto backup = world.Bucket("backup");
  REQUIRE(backup.size() == 1);
  const auto& [key, bytes] = *backup.begin();
  CHECK(key.starts_with("raw/20"));
  CHECK(key.ends_with(RawCompressionExtension(compression)));
  CHECK(Decompressed(key, bytes) == SourceText(world));
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(totals.backup_records == 60);
  CHECK(totals.backup_objects == 1);
  CHECK(totals.backup_bytes == bytes.size());
  CHECK(totals.objects == world.Lake().size());
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_backup == 60);
  CHECK(report.backup_objects == 1);
  CHECK(report.objects == world.Lake().size());
}

TEST_CASE("Backup: without a delimiter nothing stands between records", "[delivery]") {
  DeliveryConfig config = WithBackup(RawConfig());
  config.backup->delimiter = "";
  World world(config, 1);
  for (const char* value : {"a", "b", "c"}) world.log.Append(0, value, world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.Bucket("backup").begin()->second == "abc");
  CHECK(world.Lake().begin()->second == "a\nb\nc\n");
}

TEST_CASE("Backup: a delivery has an object for each size of its own, whatever the lake's", "[delivery]") {
  DeliveryConfig config = WithBackup(RawConfig());
  config.size_mb = 8;
  config.backup->size_mb = 1;
  World world(config, 1);
  Fill(world, 350);
  world.log.Append(0, std::string(3 << 20, 'x'), world.env.clock().WallMs());  // more than two objects by itself
  world.log.Append(0, "last", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  std::vector<std::uint64_t> rows;
  std::map<std::string, std::string> backup = world.Bucket("backup");
  std::string text;
  for (const LedgerEntry& entry : world.Ledger()) {
    for (const DeliveredObject& object : entry.objects) {
      if (!object.backup) continue;
      rows.push_back(object.rows);
      text += backup[object.key];
    }
  }
  CHECK(rows == std::vector<std::uint64_t>{105, 105, 104, 37, 1});
  CHECK(backup.size() == rows.size());
  CHECK(text == SourceText(world));
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Backup: power lost at every call, and in the end lake and backup are the same", "[delivery]") {
  DeliveryConfig config = WithBackup(GENERATE(RawConfig(), ParquetConfig(), PartitionedByIdConfig()));
  CheckPowerOffAtEveryCall(config, FillMixed, [](World& world) { world.log.records_per_visit = 3; });
}

TEST_CASE("Backup: what a Lambda answered once is not asked again, and its records are backed up", "[delivery]") {
  std::atomic<int> calls = 0;
  FakeEndpoint endpoint([&calls](const FakeEndpoint::Request& request) {
    ++calls;
    return FakeEndpoint::Answer{.body = Exclaim(request.body)};
  });
  DeliveryConfig config = WithBackup(RawConfig());
  config.processors = {LambdaOf(endpoint.Url("/"))};
  World world(config);
  FillMixed(world);
  REQUIRE(world.Start().ok());
  world.metadata.FailCommit(3, FaultyMetadata::Fault::kBefore);  // the objects are there, and nobody knows
  for (int i = 0; i < 400 && world.metadata.failures() == 0; ++i)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.metadata.failures() == 1);
  const auto before = world.Bucket("backup");
  const int calls_before = calls;
  world.env.Crash();
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(calls == calls_before);
  CHECK(world.Bucket("backup") == before);
  CHECK(before.begin()->second == SourceText(world));
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Backup: a place that cannot be written holds the delivery up, and nothing is there twice", "[delivery]") {
  World world(WithBackup(RawConfig()));
  FillMixed(world);
  REQUIRE(world.Start().ok());
  world.env.manual_clock().AdvanceMs(61'000);
  REQUIRE(world.stream->Step() == 0);                        // decided
  world.env.FailCall(storage::MemoryEnv::Call::kRename, 2);  // the lake's object goes first
  CHECK(world.stream->Step() > 0);
  CHECK(world.stream->status().mode == DeliveryMode::kFailing);
  CHECK(world.Lake().size() == 1);
  CHECK(world.Bucket("backup").empty());
  world.env.ClearFailures();
  REQUIRE(world.Run());
  CHECK(world.Lake().size() == 1);
  CHECK(world.Bucket("backup").begin()->second == SourceText(world));
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Backup: an intent of records that are given up is not taken back while its backup is there", "[delivery]") {
  World world(WithBackup(RawConfig()), 1);
  FillMixed(world);
  REQUIRE(world.Start().ok());
  world.metadata.FailCommit(2, FaultyMetadata::Fault::kBefore);
  for (int i = 0; i < 400 && world.metadata.failures() == 0; ++i)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  world.env.Crash();
  REQUIRE(world.Start().ok());
  for (const auto& [key, bytes] : world.Lake()) REQUIRE(world.env.Remove("/root/lake/" + key).ok());
  world.log.Lose(10, 20, true);
  CHECK_FALSE(world.Run(20));
  INFO(world.stream->status().last_error);
  CHECK(world.stream->status().last_error.contains("object 'raw/"));
  for (const auto& [key, bytes] : world.Bucket("backup")) REQUIRE(world.env.Remove("/root/backup/" + key).ok());
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.totals.backup_records == 50);
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Backup: verify misses what is gone from it, and what is there besides", "[delivery]") {
  World world(WithBackup(RawConfig()));
  Fill(world, 250);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  Proof proof(world);
  REQUIRE(proof.ledger().entries.size() >= 2);
  REQUIRE(proof.Verify().ok());
  const auto has = [&](std::string_view kind) {
    const auto report = proof.Verify();
    return std::ranges::any_of(report.problems, [&](const auto& problem) { return problem.kind == kind; });
  };
  const std::string key = world.Bucket("backup").begin()->first;
  const fs::path object = proof.backup_root() / key;
  const fs::path copy = object.string() + ".copy";
  fs::copy_file(object, copy);
  CHECK(has("object unknown"));
  fs::rename(copy, object);
  CHECK(proof.Verify().ok());
  std::ofstream(object, std::ios::app) << "more";
  CHECK(has("object changed"));
  fs::remove(object);
  CHECK(has("object missing"));
  std::erase_if(proof.ledger().entries.back().objects, [](const DeliveredObject& o) { return o.backup; });
  CHECK(has("records missing in the backup"));
  for (LedgerEntry& entry : proof.ledger().entries)
    std::erase_if(entry.objects, [](const DeliveredObject& o) { return o.backup; });
  CHECK(has("records missing in the backup"));
}

TEST_CASE("Backup: begins with the change of the configuration, and verify knows since when", "[delivery]") {
  World world(RawConfig());
  Fill(world, 120);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const std::uint64_t before = world.stream->status().checkpoint.totals.records;
  world.config = WithBackup(RawConfig());
  REQUIRE(world.stream->Reconfigure(world.config).has_value());
  Fill(world, 80);
  REQUIRE(world.Run());
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(before == 120);
  CHECK(totals.backup_records == 80);
  const auto report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.in_backup == 80);
}

}  // namespace
}  // namespace sluice::delivery
