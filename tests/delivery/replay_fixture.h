// A world whose delivery stream has failed records that another configuration takes, and asking for their replay.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "broker/delivery/error_listing.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {

inline DeliveryConfig NarrowConfig() {
  DeliveryConfig config = ParquetConfig();
  config.columns = {{"id", "int"}, {"text", "string"}};
  return config;
}

/// What has no place in a narrow column has one in this.
inline DeliveryConfig Widened(DeliveryConfig config) {
  config.columns[0].type = "bigint";
  return config;
}

/// Of 60 records 20 are too wide, and 10 are none at all.
inline void FillMixed(World& world) {
  for (int i = 0; i < 60; ++i) {
    std::string value = JsonRecord(i);
    if (i % 3 == 0) value = fmt::format(R"({{"id":{},"text":"wide"}})", 5'000'000'000 + i);
    if (i % 6 == 1) value = fmt::format("no json {}", i);
    world.log.Append(static_cast<std::uint32_t>(i) % world.log.shards(), value, world.env.clock().WallMs() + i);
  }
}

/// Delivered by its narrow configuration, which is changed to the wide one.
inline void DeliverAndWiden(World& world) {
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  world.config = Widened(world.config);
  REQUIRE(world.stream->Reconfigure(world.config).has_value());
}

/// Asks for a replay of what has failed so far.
inline std::uint64_t Ask(World& world, std::string reason = "", std::int64_t since_ms = 0) {
  return world.stream->replay().Begin(
      {.reason = std::move(reason), .since_ms = since_ms, .seq_max = world.stream->status().checkpoint.next_seq - 1});
}

/// Steps until it is done; nullopt where it is not, after many steps.
inline std::optional<ReplayProgress> Finish(World& world, std::uint64_t number) {
  for (int i = 0; i < 200; ++i) {
    const auto progress = world.stream->replay().Find(number);
    if (!progress || progress->done) return progress;
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  }
  return std::nullopt;
}

inline ReplayProgress Replayed(World& world, const std::string& reason = "", std::int64_t since_ms = 0) {
  const auto progress = Finish(world, Ask(world, reason, since_ms));
  REQUIRE(progress.has_value());
  return *progress;
}

inline std::string Listed(World& world, const ErrorListingRequest& request = {}) {
  FakeAppender streams(world.streams, world.env);
  ErrorReader reader(*world.store, "lake", &streams);
  const auto page = ListErrors(reader, "orders-lake", world.Ledger(), request);
  REQUIRE(page.has_value());
  return *page;
}

/// The proof holds, and says of each record what the delivery stream counts.
inline void CheckReport(const World& world, const tools::VerifyReport& report) {
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.user_records == report.in_lake + report.in_errors + report.filtered);
  const DeliveryTotals totals = world.stream->status().checkpoint.totals;
  CHECK(report.in_errors == totals.errors - totals.replayed);
  CHECK(report.user_records == totals.user_records);
  CHECK(report.replayed == totals.replayed);
}

}  // namespace sluice::delivery
