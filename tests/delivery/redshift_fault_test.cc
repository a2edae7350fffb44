// Delivery to Redshift over connections that break, servers that hang, power cuts and failing commits: each delivery is
// loaded once.
#include <atomic>
#include <string>

#include "tests/delivery/redshift_fixture.h"

namespace sluice::delivery {
namespace {

using Does = FakeCluster::Does;
using Fault = FaultyMetadata::Fault;
using Reaction = FakeCluster::Reaction;

}  // namespace

TEST_CASE("Redshift: a connection that breaks at any statement leads to one load", "[delivery]") {
  for (const char* statement : {"SET", "LOCK", "SELECT", "COPY", "INSERT", "COMMIT"}) {
    for (const Does does : {Does::kCutBefore, Does::kCutAfter, Does::kError}) {
      INFO(statement << " " << static_cast<int>(does));
      FakeCluster cluster(Once(statement, does, std::string_view(statement) == "LOCK" ? 1 : 0));
      World world(LoadingConfig(cluster.Url()), 1);
      Put(world, "{}");
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
      CheckLoadedOnce(world, cluster, 1, 1);
      CHECK(world.stream->status().failures == 1);
      CHECK(world.Ledger().front().load->attempts == 2);
    }
  }
}

TEST_CASE("Redshift: a server that is still at a COMMIT whose connection broke is waited for", "[delivery]") {
  FakeCluster cluster(Once("COMMIT", Does::kCutAndWork));
  World world(LoadingConfig(cluster.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLoadedOnce(world, cluster, 1, 1);
  CHECK(cluster.Count("COPY") == 1);
}

TEST_CASE("Redshift: without a table of loads a COMMIT that broke is loaded twice, and only that", "[delivery]") {
  for (const Does does : {Does::kCutBefore, Does::kCutAfter}) {
    FakeCluster cluster(Once("COMMIT", does));
    DeliveryConfig config = LoadingConfig(cluster.Url());
    config.redshift->loads_table.clear();
    World world(config, 1);
    Put(world, "{}");
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CHECK(cluster.Loaded().size() == (does == Does::kCutAfter ? 2 : 1));
    for (const char* own : {"LOCK", "CREATE", "SELECT", "INSERT"}) CHECK(cluster.Count(own) == 0);
    CHECK(Proof(world).Verify().ok());
  }
}

TEST_CASE("Redshift: what was given up after a COMMIT that broke says that it may be loaded", "[delivery]") {
  std::atomic<bool> away = false;
  FakeCluster cluster([&](std::string_view sql, std::size_t) {
    if (away) return Reaction{.does = Does::kCutBefore};
    if (sql != "COMMIT") return Reaction();
    away = true;
    return Reaction{.does = Does::kCutAfter};
  });
  World world(LoadingConfig(cluster.Url(), 10), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(cluster.Loaded().size() == 1);
  const LedgerEntry entry = world.Ledger().front();
  CHECK_FALSE(entry.load->loaded);
  CHECK(entry.load->message.contains("the objects may be loaded nevertheless: look for 'orders/manifests/"));
  CHECK(entry.load->message.ends_with("in sluice_loads before they are loaded by hand"));
}

TEST_CASE("Redshift: a failing power or commit at any time loads each delivery once", "[delivery]") {
  SECTION("power") {
    for (int nth = 1;; ++nth) {
      FakeCluster cluster;
      World world(LoadingConfig(cluster.Url()), 1);
      Fill(world, 150);
      REQUIRE(world.Start().ok());
      if (!world.LosesPower(nth)) break;  // past the last call
      INFO("power off at call " << nth);
      world.env.PowerOn({});
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
      CheckLoadedOnce(world, cluster, 2, 150);
      REQUIRE(nth < 500);
    }
  }
  SECTION("commits") {
    for (const Fault fault : {Fault::kBefore, Fault::kAfter}) {
      for (int nth = 1; nth <= 4; ++nth) {  // intent and checkpoint, twice
        for (const bool restart : {false, true}) {
          FakeCluster cluster;
          World world(LoadingConfig(cluster.Url()), 1);
          Fill(world, 150);
          REQUIRE(world.Start().ok());
          world.metadata.FailCommit(nth, fault);
          while (world.metadata.failures() == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
          if (restart) REQUIRE(world.Start().ok());
          REQUIRE(world.Run());
          CheckLoadedOnce(world, cluster, 2, 150);
        }
      }
    }
  }
}

TEST_CASE("Redshift: a failing power or commit at any time changes nothing of what was given up", "[delivery]") {
  const auto check = [](World& world) {
    CHECK(Below(world, "orders/errors/manifests/").size() == 1);
    CHECK(world.stream->status().checkpoint.totals.skipped_rows == 1);
    CheckLedger(world);
    CHECK(Proof(world).Verify().ok());
  };
  SECTION("power") {
    for (int nth = 1;; ++nth) {
      FakeCluster cluster(Always("COPY", "42601", "syntax error"));
      World world(LoadingConfig(cluster.Url(), 0), 1);
      Put(world, "{}");
      REQUIRE(world.Start().ok());
      if (!world.LosesPower(nth)) break;
      INFO("power off at call " << nth);
      world.env.PowerOn({});
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
      check(world);
      REQUIRE(nth < 500);
    }
  }
  SECTION("the cluster would take it after a restart") {
    std::atomic<bool> closed = true;
    FakeCluster cluster([&](std::string_view sql, std::size_t) {
      if (!closed || !sql.starts_with("COPY")) return Reaction();
      return Reaction{.does = Does::kError, .sql_state = "42601", .message = "syntax error"};
    });
    World world(LoadingConfig(cluster.Url(), 0), 1);
    Put(world, "{}");
    REQUIRE(world.Start().ok());
    world.metadata.FailCommit(3, Fault::kBefore);  // the checkpoint
    while (world.metadata.failures() == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
    closed = false;
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CHECK(cluster.Loaded().empty());
    CHECK(world.Ledger().front().load->code == "Redshift.SyntaxError");
    check(world);
  }
}

TEST_CASE("Redshift: a COPY that does not end is cancelled after delivery.load_timeout", "[delivery]") {
  FakeCluster cluster(Once("COPY", Does::kHang));
  World world(LoadingConfig(cluster.Url()), 1);
  world.processors.load_timeout_ms = 2000;
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains("COPY: no answer within 2 s (delivery.load_timeout)"));
  CHECK(cluster.cancels() == 1);
  CHECK(cluster.Statements().front() == "SET statement_timeout TO 2000");
  REQUIRE(world.Run());
  CheckLoadedOnce(world, cluster, 1, 1);
}

TEST_CASE("Redshift: nobody waits for a cluster on a thread, and a pause or the end cancels a load", "[delivery]") {
  FakeCluster cluster(Once("COPY", Does::kHang));
  World world(LoadingConfig(cluster.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  while (cluster.Count("COPY") == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  for (int i = 0; i < 3; ++i) CHECK(world.stream->Step() > 0);  // each comes back
  CHECK(world.stream->status().mode == DeliveryMode::kActive);
  CHECK(world.stream->status().failures == 0);
  SECTION("pause") {
    REQUIRE(world.stream->SetPaused(true).ok());
    world.stream->Step();
    CHECK(cluster.cancels() == 1);
    REQUIRE(world.stream->SetPaused(false).ok());
  }
  SECTION("end") {
    world.stream.reset();
    CHECK(cluster.cancels() == 1);
    REQUIRE(world.Start().ok());
  }
  REQUIRE(world.Run());
  CheckLoadedOnce(world, cluster, 1, 1);
}

TEST_CASE("Redshift: a server that wants to copy over the connection is refused", "[delivery]") {
  FakeCluster cluster(Once("COPY", Does::kCopyIn));
  World world(LoadingConfig(cluster.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains("COPY has to read from s3://"));
  REQUIRE(world.Run());
  CheckLoadedOnce(world, cluster, 1, 1);
}

}  // namespace sluice::delivery
