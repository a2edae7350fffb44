// Delivery to Redshift: objects, their manifest, and a COPY that is committed once; what is given up, and other
// configurations meanwhile.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/delivery/fake_endpoint.h"
#include "tests/delivery/redshift_fixture.h"

namespace sluice::delivery {

TEST_CASE("Redshift: objects are loaded by their manifests, in one transaction each", "[delivery]") {
  FakeCluster cluster;
  World world(LoadingConfig(cluster.Url()), 1);
  Fill(world, 250);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLoadedOnce(world, cluster, 3, 250);
  const auto manifests = Below(world, "orders/manifests/");
  const auto objects = Below(world, "orders/2");
  REQUIRE(objects.size() == 3);
  std::size_t listed = 0;
  for (const auto& [key, bytes] : manifests) {
    for (const auto& [object, content] : objects)
      listed += bytes == fmt::format(R"({{"entries":[{{"url":"s3://lake/{}","mandatory":true}}]}})", object) ? 1 : 0;
  }
  CHECK(listed == 3);
  const std::string manifest = world.Ledger().front().objects.at(1).key;
  CHECK(cluster.Rows().front() == std::pair(std::string("orders-lake"), manifest));
  const std::vector<std::string> statements = cluster.Statements();
  const std::string where = fmt::format("WHERE delivery_stream = 'orders-lake' AND manifest = '{}' LIMIT 1", manifest);
  const std::vector<std::string> expected = {
      "SET statement_timeout TO 900000",
      "BEGIN",
      "LOCK TABLE sluice_loads",  // is missing
      "SET statement_timeout TO 900000",
      "CREATE TABLE IF NOT EXISTS sluice_loads (delivery_stream VARCHAR(64) NOT NULL, manifest VARCHAR(1024) NOT NULL, "
      "loaded_at TIMESTAMP NOT NULL)",
      "BEGIN",
      "LOCK TABLE sluice_loads",
      "SELECT 1 FROM sluice_loads " + where,
      fmt::format("COPY public.orders (id, text) FROM 's3://lake/{}' IAM_ROLE 'arn:aws:iam::123456789012:role/load' "
                  "MANIFEST json 'auto'",
                  manifest)};
  REQUIRE(statements.size() > expected.size() + 2);
  CHECK(std::vector(statements.begin(), statements.begin() + 9) == expected);
  CHECK(statements[9].starts_with(fmt::format(
      "INSERT INTO sluice_loads (delivery_stream, manifest, loaded_at) VALUES ('orders-lake', '{}', '20", manifest)));
  CHECK(statements[10] == "COMMIT");
  CHECK(cluster.Count("CREATE") == 1);
}

TEST_CASE("Redshift: a compressed object is loaded as such", "[delivery]") {
  FakeCluster cluster;
  DeliveryConfig config = LoadingConfig(cluster.Url());
  config.compression = RawCompression::kGzip;
  World world(config, 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLoadedOnce(world, cluster, 1, 1);
  CHECK(cluster.Loaded().front().ends_with("MANIFEST GZIP json 'auto'"));
}

TEST_CASE("Redshift: a delivery without a row has nothing to load", "[delivery]") {
  FakeCluster cluster;
  DeliveryConfig config = LoadingConfig(cluster.Url());
  config.processors = {{.type = "RecordDeAggregation", .parameters = {{"SubRecordType", "JSON"}}}};
  World world(config, 1);
  Put(world, "no JSON");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(cluster.connections() == 0);
  CHECK(Below(world, "orders/manifests/").empty());
  CHECK(world.stream->status().checkpoint.totals.errors == 1);
  CHECK_FALSE(world.Ledger().front().load.has_value());
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Redshift: a load that fails is tried again with pauses that double, then its manifest is an error",
          "[delivery]") {
  FakeCluster cluster(Always("COPY", "XX000", "Load into table 'orders' failed."));
  World world(LoadingConfig(cluster.Url(), 300), 1);
  Fill(world, 150);
  REQUIRE(world.Start().ok());
  std::vector<std::int64_t> waits;
  while (!world.delivered()) {
    const std::int64_t wait_ms = world.stream->Step();
    const DeliveryStatus status = world.stream->status();
    if (status.failures > waits.size()) {
      waits.push_back(wait_ms);
      CHECK(status.mode == DeliveryMode::kFailing);
      CHECK(status.last_error.contains("Redshift.DataLoadFailed: 127.0.0.1:"));
      CHECK(status.last_error.contains("/dev: COPY: Load into table 'orders' failed."));
      CHECK(status.last_error.contains("the objects are not loaded, and their manifest goes to errors/manifests/ in "));
      CHECK_FALSE(status.last_error.contains(FakeCluster::kPassword));
    }
    world.env.manual_clock().AdvanceMs(wait_ms);
  }
  REQUIRE(waits.size() == 18);  // of each delivery: 1, 2, .. 64, 120 s, and what is left
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(waits[i] >= (1000 << i) * 85 / 100);
    CHECK(waits[i] <= (1000 << i) * 115 / 100);
  }
  CHECK(cluster.Loaded().empty());
  CHECK(cluster.Rows().empty());
  const auto manifests = Below(world, "orders/manifests/");
  const auto skipped = Below(world, "orders/errors/manifests/2");
  REQUIRE(manifests.size() == 2);
  REQUIRE(skipped.size() == 2);
  std::vector<std::string> contents, skipped_contents;
  for (const auto& [key, bytes] : manifests) contents.push_back(bytes);
  for (const auto& [key, bytes] : skipped) skipped_contents.push_back(bytes);
  std::ranges::sort(contents);
  std::ranges::sort(skipped_contents);
  CHECK(contents == skipped_contents);
  const DeliveredLoad load = *world.Ledger().front().load;
  CHECK_FALSE(load.loaded);
  CHECK(load.attempts == 10);
  CHECK(load.code == "Redshift.DataLoadFailed");
  CHECK_FALSE(load.message.contains("COMMIT"));
  CHECK(world.stream->status().checkpoint.totals.skipped_rows == 150);
  CheckLedger(world);
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_lake == 150);
  CHECK(report.skipped_rows == 150);
  CHECK(VerifyReportText(report).contains("0 rows (committed by the cluster), 150 skipped"));
}

TEST_CASE("Redshift: while a load is tried again, its objects are not made again", "[delivery]") {
  FakeCluster cluster(Always("COPY", "42P01", "relation \"orders\" does not exist"));
  World world(LoadingConfig(cluster.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains("Redshift.TableNotFound"));
  world.log.Lose(0, 1, false);  // who reads it now, fails otherwise
  for (int i = 0; i < 20; ++i) world.env.manual_clock().AdvanceMs(world.stream->Step());
  CHECK(world.stream->status().last_error.contains("Redshift.TableNotFound"));
  CHECK(cluster.Count("COPY") > 2);
}

TEST_CASE("Redshift: what is wrong with the connection is told in Firehose's words, without the password",
          "[delivery]") {
  FakeCluster cluster;
  const std::string nobody = UrlOfNobody();  // "http://127.0.0.1:PORT/"
  struct Case {
    std::string url;
    std::string password;
    std::string_view said;
  };
  const std::string other_password = "Falsch99";
  const std::string password(FakeCluster::kPassword);
  const Case cases[] = {
      {"jdbc:redshift" + nobody.substr(4) + "dev?sslmode=disable", password, "Redshift.ConnectionFailed: 127.0.0.1:"},
      {cluster.Url(), other_password, "Redshift.AuthenticationFailed: 127.0.0.1:"},
      {cluster.Url(""), password, "server does not support SSL, but SSL was required"}};
  for (const Case& each : cases) {
    DeliveryConfig config = LoadingConfig(each.url, 10);
    config.redshift->password = each.password;
    World world(config, 1);
    Put(world, "{}");
    REQUIRE(world.Start().ok());
    RunUntilFailing(world);
    const std::string error = world.stream->status().last_error;
    INFO(error);
    CHECK(error.contains(each.said));
    CHECK_FALSE(error.contains(each.password));
    REQUIRE(world.Run());
    CHECK(Below(world, "orders/errors/manifests/").size() == 1);
    CHECK(Proof(world).Verify().ok());
  }
  CHECK(cluster.Loaded().empty());
}

TEST_CASE("Redshift: a table of loads that cannot be made is told with the setting", "[delivery]") {
  FakeCluster cluster(Always("CREATE", "42501", "permission denied for schema public"));
  World world(LoadingConfig(cluster.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains("Redshift.InsufficientPrivilege: 127.0.0.1:"));
  CHECK(world.stream->status().last_error.contains("CREATE TABLE of sluice_loads (Sluice.LoadsTable)"));
  DeliveryConfig changed = world.config;
  changed.redshift->loads_table.clear();
  REQUIRE(world.stream->Reconfigure(changed).has_value());
  REQUIRE(world.Run());
  CHECK(cluster.Loaded().size() == 1);
}

TEST_CASE("Redshift: a delivery that was decided goes to the cluster and table that are configured now", "[delivery]") {
  FakeCluster gone(Always("COPY", "42P01", "no such table")), here;
  World world(LoadingConfig(gone.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  DeliveryConfig changed = world.config;
  changed.redshift->url = here.Url();
  changed.redshift->table = "other";
  REQUIRE(world.stream->Reconfigure(changed).has_value());
  SECTION("and its options") {
    changed.redshift->copy_options = "csv";
    REQUIRE(world.stream->Reconfigure(changed).has_value());
    REQUIRE(world.Run());
    CHECK(here.Loaded().front().ends_with("MANIFEST csv"));
  }
  SECTION("but not options of objects that are compressed otherwise") {
    changed.redshift->copy_options = "json 'auto' gzip";
    changed.compression = RawCompression::kGzip;
    REQUIRE(world.stream->Reconfigure(changed).has_value());
    REQUIRE(world.Run());
    CHECK(here.Loaded().front().ends_with("MANIFEST json 'auto'"));
  }
  CHECK(here.Loaded().front().starts_with("COPY other (id, text) FROM "));
  CHECK(gone.Loaded().empty());
}

TEST_CASE("Redshift: a lake becomes a cluster and a lake again, and what was decided is loaded", "[delivery]") {
  FakeCluster cluster;
  World world(RawConfig(), 1);
  const auto decide = [&](const std::string& value) {
    Put(world, value);
    Decide(world);
  };
  REQUIRE(world.Start().ok());
  decide("a");
  REQUIRE(world.stream->Reconfigure(LoadingConfig(cluster.Url())).has_value());
  REQUIRE(world.Run());
  CHECK(cluster.connections() == 0);
  decide("b");
  REQUIRE(world.stream->Reconfigure(RawConfig()).has_value());
  REQUIRE(world.Run());
  CHECK(cluster.Loaded().size() == 1);
  CHECK(world.stream->status().checkpoint.totals.loaded_rows == 1);
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_lake == 2);
}

TEST_CASE("Redshift: verify tells a manifest that is gone or changed", "[delivery]") {
  FakeCluster cluster;
  World world(LoadingConfig(cluster.Url()), 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  for (const bool gone : {true, false}) {
    Proof proof(world);
    const auto path = proof.root() / Below(world, "orders/manifests/").begin()->first;
    if (gone) std::filesystem::remove(path);
    if (!gone) std::ofstream(path) << "{}";
    const tools::VerifyReport report = proof.Verify();
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems.front().kind == (gone ? "object missing" : "object changed"));
  }
}

}  // namespace sluice::delivery
