// A delivery stream whose configuration changes: from the next decision on, once, whatever fails in between.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "broker/delivery/delivery_stream.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/proof.h"
#include "tests/delivery/replay_fixture.h"

namespace sluice::delivery {
namespace {

using storage::MemoryEnv;
using storage::Unsynced;

/// The same delivery stream by other terms: keys, bytes, schema and times.
DeliveryConfig Changed(DeliveryConfig config) {
  config.prefix = "changed/";
  config.compression = config.convert ? RawCompression::kUncompressed : RawCompression::kGzip;
  config.interval_s = 30;
  config.size_mb = 2;
  if (!config.convert) return config;
  config.parquet.compression = ParquetCompression::kZstd;
  config.parquet.sort_by = {{"id", true}};
  config.columns.push_back({"more", "string"});
  return config;
}

DeliveryConfig Moved(DeliveryConfig config) {
  config.bucket = "sea";
  config.backup = BackupConfig{.bucket = config.backup ? "lake" : "spare", .prefix = "raw/"};
  return config;
}

DeliveryConfig WithoutBackup(DeliveryConfig config) {
  config.backup.reset();
  return config;
}

DeliveryConfig Unconverted(DeliveryConfig config) {
  config.convert = false;
  config.columns.clear();
  return config;
}

}  // namespace

TEST_CASE("DeliveryStream Reconfigure: buckets, backup and conversion change, and each record is proven where it is",
          "[delivery]") {
  const std::vector<DeliveryConfig> changes =
      GENERATE(std::vector{ParquetConfig(), Moved(ParquetConfig()), ParquetConfig()},
               std::vector{RawConfig(), Moved(RawConfig()), Moved(Moved(RawConfig())), RawConfig()},
               std::vector{Moved(ParquetConfig()), WithoutBackup(Moved(ParquetConfig()))},
               std::vector{RawConfig(), ParquetConfig(), Unconverted(ParquetConfig()), ParquetConfig()});
  // Decides 20 records by each configuration, and takes the next one before they are delivered.
  const auto begin = [&](World& world) {
    REQUIRE(world.Start().ok());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (i > 0) REQUIRE(world.stream->Reconfigure(changes[i]).has_value());
      if (i > 0) REQUIRE(world.Run());
      Fill(world, 20);
      Decide(world);
    }
  };
  World whole(changes.front());
  begin(whole);
  REQUIRE(whole.Run());
  const tools::VerifyReport report = Proof(whole).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  std::set<std::string> buckets;
  for (const DeliveryConfig& config : changes) buckets.insert(config.bucket);
  CHECK(report.directories.size() == buckets.size());
  CHECK(report.in_lake == 20 * changes.size());
  CHECK(report.in_backup == whole.stream->status().checkpoint.totals.backup_records);
  for (int nth = 1;; ++nth) {
    World world(changes.front());
    begin(world);
    if (!world.LosesPower(nth)) break;  // past the last call
    INFO("power off at call " << nth);
    world.env.PowerOn({.unsynced = Unsynced::kRandom, .block_bytes = 4096});
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    for (const std::string bucket : {"lake", "sea", "spare"}) CHECK(world.Bucket(bucket) == whole.Bucket(bucket));
    CHECK(Proof(world).Verify().ok());
    REQUIRE(nth < 300);
  }
}

TEST_CASE("DeliveryStream: what an older version has written is in the buckets that could not change then",
          "[delivery]") {
  DeliveryConfig config = Moved(NarrowConfig());
  World world(config);
  FillMixed(world);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const std::vector<LedgerEntry> ledger = world.Ledger();
  const Checkpoint checkpoint = world.stream->status().checkpoint;
  world.stream.reset();
  // As it wrote them: nothing says a bucket.
  storage::Transaction transaction;
  for (LedgerEntry entry : ledger) {
    entry.bucket.clear();
    entry.backup_bucket.clear();
    transaction.Put(fmt::format("delivery/orders-lake/ledger/{:020}", entry.seq), LedgerEntryToJson(entry));
  }
  Checkpoint older = checkpoint;
  older.buckets.clear();
  transaction.Put("delivery/orders-lake/checkpoint", CheckpointToJson(older));
  REQUIRE(world.metadata.Commit(transaction).ok());
  REQUIRE(world.Start().ok());
  CHECK(world.stream->status().checkpoint == checkpoint);
  CHECK(world.Ledger() == ledger);
  REQUIRE(world.stream->Reconfigure(Moved(Moved(Widened(NarrowConfig())))).has_value());
  REQUIRE(world.Start().ok());
  CHECK(world.stream->status().checkpoint == checkpoint);
  CHECK(world.Ledger() == ledger);
  const ReplayProgress replayed = Replayed(world);
  CHECK(replayed.problem.empty());
  CHECK(replayed.records == 30);
  CheckReport(world, Proof(world).Verify());
}

TEST_CASE("DeliveryStream Reconfigure: a bucket that has objects has to be there, one that will have some not yet",
          "[delivery]") {
  World world(RawConfig());
  Fill(world, 20);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.buckets == std::vector<std::string>{"lake"});
  REQUIRE(world.stream->Reconfigure(Moved(RawConfig())).has_value());
  REQUIRE(world.Start().ok());
  CHECK(world.stream->status().checkpoint.buckets == std::vector<std::string>{"lake"});
  Fill(world, 20);
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.buckets == std::vector<std::string>{"lake", "sea", "spare"});
}

TEST_CASE("DeliveryStream Reconfigure: what is decided is finished as decided, killed at every call to the disk",
          "[delivery]") {
  const DeliveryConfig config = GENERATE(RawConfig(), ParquetConfig());
  // Decides 20 records, changes the configuration, adds 15 records.
  const auto begin = [&](World& world) {
    Fill(world, 20);
    REQUIRE(world.Start().ok());
    Decide(world);
    const auto change = world.stream->Reconfigure(Changed(config));
    REQUIRE(change.has_value());
    CHECK(change->keys.size() > 2);
    CHECK(world.stream->identity().version == 2);
    Fill(world, 15);
  };
  std::map<std::string, std::string> reference = ReferenceLake(config, 20);
  REQUIRE(reference.size() == 1);
  const auto decided = *reference.begin();
  for (int nth = 0;; ++nth) {
    World world(config);
    begin(world);
    if (nth > 0) world.env.PowerOffAtCall(MemoryEnv::Call::kAny, nth);
    world.Run();
    INFO("power off at call " << nth);
    if (nth > 0 && world.env.powered()) break;  // past the last call
    if (nth > 0) {
      world.env.PowerOn({.unsynced = Unsynced::kRandom, .block_bytes = 4096});
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
    }
    CheckLedger(world);
    if (nth == 0) reference = world.Lake();
    CHECK(world.Lake() == reference);
    REQUIRE(reference.size() == 2);
    CHECK(reference[decided.first] == decided.second);
    const auto& next =
        *std::ranges::find_if(reference, [&](const auto& object) { return object.first != decided.first; });
    CHECK(next.first.starts_with("changed/2023/11/14/22/orders-lake-2-"));
    REQUIRE(nth < 300);
  }
}

TEST_CASE("DeliveryStream Reconfigure: stored once or not at all, whichever commit fails", "[delivery]") {
  const auto fault = GENERATE(FaultyMetadata::Fault::kBefore, FaultyMetadata::Fault::kAfter);
  const bool restart = GENERATE(true, false);
  const bool decided = GENERATE(true, false);
  World world(ParquetConfig());
  Fill(world, 20);
  REQUIRE(world.Start().ok());
  world.env.manual_clock().AdvanceMs(61'000);
  if (decided) REQUIRE(world.stream->Step() == 0);
  world.metadata.FailCommit(1, fault);
  CHECK_FALSE(world.stream->Reconfigure(Changed(world.config)).has_value());
  if (restart) REQUIRE(world.Start().ok());
  const auto again = world.stream->Reconfigure(Changed(world.config));
  REQUIRE(again.has_value());
  CHECK(again->keys.empty() == (fault == FaultyMetadata::Fault::kAfter));
  CHECK(world.stream->identity().version == 2);
  CHECK(world.stream->status().schema_version == 2);
  CHECK(world.stream->config()->prefix == "changed/");
  REQUIRE(world.Run());
  CheckLedger(world);
  CHECK(world.Ledger().front().schema_version == (decided ? 1 : 2));
  CHECK(world.Lake().begin()->first.starts_with(decided ? "orders/" : "changed/"));
}

TEST_CASE("DeliveryStream Reconfigure: the same configuration and a refused one change nothing", "[delivery]") {
  World world(RawConfig());
  REQUIRE(world.Start().ok());
  const auto before = world.metadata.Scan("delivery/");
  REQUIRE(before.has_value());
  const auto same = world.stream->Reconfigure(RawConfig());
  REQUIRE(same.has_value());
  CHECK(same->keys.empty());
  DeliveryConfig other = RawConfig();
  other.prefix = "other/";
  other.source_stream = "others";
  const auto refused = world.stream->Reconfigure(other);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Code::kFailedPrecondition);
  CHECK(*world.metadata.Scan("delivery/") == *before);
  CHECK(world.stream->config()->prefix == "orders/");
}

}  // namespace sluice::delivery
