// A delivery stream whose configuration changes: from the next decision on, once, whatever fails in between.
#include <algorithm>

#include "broker/delivery/delivery_stream.h"
#include "tests/delivery/delivery_world.h"

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

}  // namespace

TEST_CASE("DeliveryStream Reconfigure: what is decided is finished as decided, killed at every call to the disk",
          "[delivery]") {
  const DeliveryConfig config = GENERATE(RawConfig(), ParquetConfig());
  // Decides 20 records, changes the configuration, adds 15 records.
  const auto begin = [&](World& world) {
    Fill(world, 20);
    REQUIRE(world.Start().ok());
    world.env.manual_clock().AdvanceMs(61'000);
    REQUIRE(world.stream->Step() == 0);
    REQUIRE(world.stream->status().intent.has_value());
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
  other.bucket = "sea";
  const auto refused = world.stream->Reconfigure(other);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Code::kFailedPrecondition);
  CHECK(*world.metadata.Scan("delivery/") == *before);
  CHECK(world.stream->config()->prefix == "orders/");
}

}  // namespace sluice::delivery
