// Redshift in the API: what is taken, how it is told, what is refused, and a record on its way.
#include "tests/broker/firehose/firehose_fixture.h"
#include "tests/delivery/fake_cluster.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::string_view kUrl = "jdbc:redshift://c.abc.us-east-1.redshift.amazonaws.com:5439/dev";
constexpr std::string_view kLogin = R"(,"Username":"loader","Password":"Geheim99")";
constexpr std::string_view kCopy = R"({"DataTableName":"orders","CopyOptions":"json 'auto'"})";

/// `more` are further members of the destination, `s3` of its bucket.
Reply TryCreateRedshift(FirehoseCore& core, std::string_view url = kUrl, std::string_view more = "",
                        std::string_view s3 = "", std::string_view login = kLogin, std::string_view copy = kCopy) {
  return core.Run("CreateDeliveryStream",
                  fmt::format(R"({{"DeliveryStreamName":"d","RedshiftDestinationConfiguration":{{"RoleARN":"{}",)"
                              R"("ClusterJDBCURL":"{}","CopyCommand":{},"S3Configuration":{}{}{}}}}})",
                              kRole, url, copy, Destination(s3), login, more));
}

void CreateRedshift(FirehoseCore& core, std::string_view url = kUrl, std::string_view more = "") {
  const Reply reply = TryCreateRedshift(core, url, more);
  INFO(reply.type() << ": " << reply.message());
  REQUIRE(!reply.error);
}

Reply UpdateRedshift(FirehoseCore& core, std::string_view version, std::string_view update) {
  return core.Run("UpdateDestination",
                  fmt::format(R"({{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"{}",)"
                              R"("DestinationId":"destinationId-000000000001","RedshiftDestinationUpdate":{{{}}}}})",
                              version, update));
}

std::string At(FirehoseCore& core, std::string_view place) {
  return core.DescribedAt("d", fmt::format("Destinations.0.RedshiftDestinationDescription.{}", place));
}

}  // namespace

TEST_CASE("CreateDeliveryStream: Redshift is told with AWS's defaults, and without its password", "[firehose]") {
  FirehoseCore core;
  CreateRedshift(core, kUrl, fmt::format(",{}", Backup()));
  CHECK(At(core, "RoleARN") == kRole);
  CHECK(At(core, "ClusterJDBCURL") == kUrl);
  CHECK(At(core, "CopyCommand.DataTableName") == "orders");
  CHECK(At(core, "CopyCommand.CopyOptions") == "json 'auto'");
  CHECK(At(core, "Username") == "loader");
  CHECK(At(core, "RetryOptions.DurationInSeconds") == "3600");
  CHECK(At(core, "S3BackupMode") == "Enabled");
  CHECK(At(core, "S3BackupDescription.BucketARN") == "arn:aws:s3:::spare");
  CHECK(At(core, "S3BackupDescription.CompressionFormat") == "UNCOMPRESSED");
  CHECK(At(core, "S3DestinationDescription.BucketARN") == "arn:aws:s3:::lake");
  CHECK(At(core, "S3DestinationDescription.BufferingHints.SizeInMBs") == "5");
  CHECK(At(core, "S3DestinationDescription.BufferingHints.IntervalInSeconds") == "300");
  CHECK(At(core, "CloudWatchLoggingOptions.Enabled") == "false");
  const std::string body = core.Describe("d").body;
  CHECK(!body.contains("Geheim99"));
  CHECK(!body.contains("Password"));
  CHECK(!body.contains("S3Configuration"));
  CHECK(!body.contains("S3BackupConfiguration"));
  CHECK(!body.contains("ExtendedS3DestinationDescription"));
  CHECK(core.Config("d").contains(R"("Password":"Geheim99")"));
  CHECK(core.Config("d").contains(R"("Delimiter":"")"));  // as Firehose; a file's default is a line break
}

TEST_CASE("CreateDeliveryStream: what Redshift cannot be", "[firehose]") {
  FirehoseCore core;
  const auto refused = [&](std::string_view type, std::string_view message, const Reply& reply) {
    INFO(reply.message());
    CHECK(reply.type() == type);
    CHECK(reply.message().contains(message));
  };
  refused("ValidationException", "jdbc:(redshift|postgresql)://", TryCreateRedshift(core, "redshift://h:5439/dev"));
  refused("InvalidArgumentException", "ClusterJDBCURL names no database",
          TryCreateRedshift(core, "jdbc:redshift://h:5439"));
  refused("InvalidArgumentException", "ClusterJDBCURL cannot have sslmode=disable",
          TryCreateRedshift(core, "jdbc:redshift://h:5439/dev?ssl=false"));
  refused("InvalidArgumentException", "Password cannot be null or empty",
          TryCreateRedshift(core, kUrl, "", "", R"(,"Username":"loader")"));
  refused("InvalidArgumentException", "Username cannot be null or empty",
          TryCreateRedshift(core, kUrl, "", "", R"(,"Password":"Geheim99")"));
  refused("ValidationException", "greater than or equal to 6",
          TryCreateRedshift(core, kUrl, "", "", R"(,"Username":"u","Password":"short")"));
  refused("ValidationException", "dataTableName", TryCreateRedshift(core, kUrl, "", "", kLogin, "{}"));
  refused("InvalidArgumentException", "CopyCommand: CopyOptions has a ';' in it",
          TryCreateRedshift(core, kUrl, "", "", kLogin, R"({"DataTableName":"o","CopyOptions":"csv; drop table o"})"));
  refused("InvalidArgumentException", "CompressionFormat Snappy is not supported by the Redshift COPY operation",
          TryCreateRedshift(core, kUrl, "", R"("CompressionFormat":"Snappy")"));
  refused("InvalidArgumentException", "S3BackupConfiguration cannot be null when S3BackupMode is Enabled",
          TryCreateRedshift(core, kUrl, R"(,"S3BackupMode":"Enabled")"));
  refused("ValidationException", "less than or equal to 7200",
          TryCreateRedshift(core, kUrl, R"(,"RetryOptions":{"DurationInSeconds":7201})"));
  refused("InvalidArgumentException", "SecretARN is required when SecretsManagerConfiguration is enabled",
          TryCreateRedshift(core, kUrl, R"(,"SecretsManagerConfiguration":{"Enabled":true})"));
  refused("InvalidArgumentException", "Username cannot be null or empty",
          TryCreateRedshift(core, kUrl, R"(,"SecretsManagerConfiguration":{"Enabled":false})", "", ""));
  refused("InvalidArgumentException", "set delivery.secrets_dir to a folder",
          TryCreateRedshift(core, kUrl, "", "", "," + Secret("db")));
  refused("InvalidArgumentException", "ErrorOutputPrefix",
          TryCreateRedshift(core, kUrl, "", R"("Prefix":"!{timestamp:yyyy}/")"));
  refused("ValidationException", "clusterJDBCURL",
          core.Run("CreateDeliveryStream",
                   fmt::format(R"({{"DeliveryStreamName":"d","RedshiftDestinationConfiguration":{{"RoleARN":"{}",)"
                               R"("CopyCommand":{},"S3Configuration":{}}}}})",
                               kRole, kCopy, Destination())));
  CHECK(core.Run("ListDeliveryStreams", "{}").At("DeliveryStreamNames") == "0");
}

TEST_CASE("PutRecord: a record goes to Redshift", "[firehose]") {
  delivery::FakeCluster cluster;
  FirehoseCore core;
  CreateRedshift(core, cluster.Url());
  core.Put("d", "{}");
  CHECK(core.Delivered("d").contains("{}"));
  REQUIRE(cluster.Loaded().size() == 1);
  CHECK(cluster.Loaded().front().starts_with("COPY orders FROM 's3://lake/manifests/2"));
  CHECK(cluster.Loaded().front().ends_with(fmt::format("IAM_ROLE '{}' MANIFEST json 'auto'", kRole)));
}

TEST_CASE("PutRecord: a record goes to Redshift with the user of a secret", "[firehose]") {
  delivery::FakeCluster cluster;
  FirehoseCore core;
  core.PutSecret("db", fmt::format(R"({{"username":"{}","password":"{}"}})", delivery::FakeCluster::kUser,
                                   delivery::FakeCluster::kPassword));
  core.Restart();
  const Reply reply = TryCreateRedshift(core, cluster.Url(), "", "", "," + Secret("db"));
  INFO(reply.message());
  REQUIRE(!reply.error);
  CHECK(At(core, "SecretsManagerConfiguration.Enabled") == "true");
  CHECK(!core.Describe("d").body.contains("Username"));
  core.Put("d", "{}");
  CHECK(core.Delivered("d").contains("{}"));
  CHECK(cluster.Loaded().size() == 1);
  CHECK(!core.Config("d").contains(delivery::FakeCluster::kPassword));
}

TEST_CASE("UpdateDestination: Redshift is merged, and keeps what is not given", "[firehose]") {
  FirehoseCore core;
  CreateRedshift(core);
  const Reply reply = UpdateRedshift(
      core, "1",
      R"("CopyCommand":{"DataTableName":"other"},"S3Update":{"Prefix":"p/"},"S3BackupMode":"Enabled",)"
      R"("S3BackupUpdate":{"RoleARN":"arn:aws:iam::123456789012:role/b","BucketARN":"arn:aws:s3:::spare"})");
  INFO(reply.message());
  REQUIRE(!reply.error);
  CHECK(core.DescribedAt("d", "VersionId") == "2");
  CHECK(At(core, "CopyCommand.DataTableName") == "other");
  CHECK(!core.Describe("d").body.contains("CopyOptions"));
  CHECK(At(core, "S3DestinationDescription.Prefix") == "p/");
  CHECK(At(core, "S3DestinationDescription.BucketARN") == "arn:aws:s3:::lake");
  CHECK(At(core, "S3BackupDescription.BucketARN") == "arn:aws:s3:::spare");
  CHECK(core.Config("d").contains("Geheim99"));
  CHECK(!UpdateRedshift(core, "2", R"("S3BackupUpdate":{"Prefix":"b/"})").error);
  CHECK(At(core, "S3BackupDescription.Prefix") == "b/");
  CHECK(At(core, "S3BackupDescription.BucketARN") == "arn:aws:s3:::spare");
  CHECK(!UpdateRedshift(core, "3", R"("Password":"Anders99")").error);
  CHECK(core.DescribedAt("d", "VersionId") == "4");
  CHECK(core.Config("d").contains(R"("Password":"Anders99")"));
  CHECK(!UpdateRedshift(core, "4", R"("Password":"Anders99")").error);
  CHECK(core.DescribedAt("d", "VersionId") == "4");  // nothing has changed
  CHECK(UpdateRedshift(core, "4", R"("S3BackupMode":"Disabled")").message().contains("S3BackupMode cannot be changed"));
  CHECK(core.Update("d", "4", R"("Prefix":"p/")").type() == "InvalidArgumentException");
}

}  // namespace sluice::broker::firehose
