// Delivery streams that load into a cluster, and clusters that fail on demand.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_terms.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/fake_cluster.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {

inline DeliveryConfig LoadingConfig(std::string url, std::uint64_t retry_s = 3600) {
  DeliveryConfig config = RawConfig();
  config.error_prefix = DefaultErrorPrefix(config.prefix);
  config.redshift = RedshiftConfig{.role_arn = "arn:aws:iam::123456789012:role/load",
                                   .url = std::move(url),
                                   .username = std::string(FakeCluster::kUser),
                                   .password = std::string(FakeCluster::kPassword),
                                   .table = "public.orders",
                                   .columns = "id, text",
                                   .copy_options = "json 'auto';",
                                   .retry_s = retry_s};
  return config;
}

/// Reacts to the nth statement that begins with `begin`.
inline FakeCluster::Handler Once(std::string begin, FakeCluster::Does does, std::size_t nth = 0) {
  return [begin = std::move(begin), does, nth](std::string_view sql, std::size_t count) {
    if (!sql.starts_with(begin) || count != nth) return FakeCluster::Reaction();
    return FakeCluster::Reaction{.does = does, .sql_state = "XX000", .message = "on demand"};
  };
}

inline FakeCluster::Handler Always(std::string begin, std::string sql_state, std::string message) {
  return [=](std::string_view sql, std::size_t) {
    if (!sql.starts_with(begin)) return FakeCluster::Reaction();
    return FakeCluster::Reaction{.does = FakeCluster::Does::kError, .sql_state = sql_state, .message = message};
  };
}

inline void Put(World& world, const std::string& value) { world.log.Append(0, value, world.env.clock().WallMs()); }

inline std::map<std::string, std::string> Below(World& world, std::string_view prefix) {
  auto lake = world.Lake();
  std::erase_if(lake, [&](const auto& object) { return !object.first.starts_with(prefix); });
  return lake;
}

inline void RunUntilFailing(World& world) {
  for (int i = 0; i < 400 && world.stream->status().mode != DeliveryMode::kFailing; ++i)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.stream->status().mode == DeliveryMode::kFailing);
}

/// Every manifest's load was committed once, and every row says so.
inline void CheckLoadedOnce(World& world, const FakeCluster& cluster, std::size_t loads, std::uint64_t rows) {
  std::vector<std::string> loaded = cluster.Loaded();
  CHECK(loaded.size() == loads);
  std::ranges::sort(loaded);
  CHECK(std::ranges::adjacent_find(loaded) == loaded.end());
  CHECK(Below(world, "orders/manifests/").size() == loads);
  for (const auto& [key, bytes] : Below(world, "orders/manifests/")) {
    INFO(key << ": " << bytes);
    CHECK(
        std::ranges::any_of(loaded, [&](const std::string& copy) { return copy.contains("'s3://lake/" + key + "'"); }));
  }
  CHECK(Below(world, "orders/errors/").empty());
  CHECK(world.stream->status().checkpoint.totals.loaded_rows == rows);
  CHECK(world.stream->status().checkpoint.totals.skipped_rows == 0);
  CheckLedger(world);
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_lake == rows);
  CHECK(report.loaded_rows == rows);
}

}  // namespace sluice::delivery
