// HTTP endpoints in the API: what is taken, how it is told, what is refused, and a record on its way.
#include "tests/broker/firehose/firehose_fixture.h"
#include "tests/delivery/endpoint_fixture.h"

namespace sluice::broker::firehose {
namespace {

/// Of CreateDeliveryStream; `endpoint` and `more` are further members of the endpoint and of the destination.
Reply TryCreateHttp(FirehoseCore& core, std::string_view url, std::string_view endpoint = "",
                    std::string_view more = "", std::string_view s3 = "") {
  return core.Run("CreateDeliveryStream",
                  fmt::format(R"({{"DeliveryStreamName":"d","HttpEndpointDestinationConfiguration":{{)"
                              R"("EndpointConfiguration":{{"Url":"{}"{}}},"S3Configuration":{}{}}}}})",
                              url, endpoint, Destination(s3), more));
}

void CreateHttp(FirehoseCore& core, std::string_view url, std::string_view endpoint = "", std::string_view more = "") {
  const Reply reply = TryCreateHttp(core, url, endpoint, more);
  INFO(reply.type() << ": " << reply.message());
  REQUIRE(!reply.error);
}

Reply UpdateHttp(FirehoseCore& core, std::string_view version, std::string_view update) {
  return core.Run(
      "UpdateDestination",
      fmt::format(R"({{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"{}",)"
                  R"("DestinationId":"destinationId-000000000001","HttpEndpointDestinationUpdate":{{{}}}}})",
                  version, update));
}

constexpr std::string_view kAt = "Destinations.0.HttpEndpointDestinationDescription.";

std::string At(FirehoseCore& core, std::string_view place) {
  return core.DescribedAt("d", fmt::format("{}{}", kAt, place));
}

}  // namespace

TEST_CASE("CreateDeliveryStream: an HTTP endpoint is told with AWS's defaults, and without its key", "[firehose]") {
  FirehoseCore core;
  CreateHttp(core, "https://h/in", R"(,"Name":"n","AccessKey":"secret")");
  CHECK(At(core, "EndpointConfiguration.Url") == "https://h/in");
  CHECK(At(core, "EndpointConfiguration.Name") == "n");
  CHECK(At(core, "BufferingHints.SizeInMBs") == "5");
  CHECK(At(core, "BufferingHints.IntervalInSeconds") == "300");
  CHECK(At(core, "RetryOptions.DurationInSeconds") == "300");
  CHECK(At(core, "RequestConfiguration.ContentEncoding") == "NONE");
  CHECK(At(core, "RequestConfiguration.CommonAttributes") == "0");
  CHECK(At(core, "CloudWatchLoggingOptions.Enabled") == "false");
  CHECK(At(core, "S3BackupMode") == "FailedDataOnly");
  CHECK(At(core, "S3DestinationDescription.BucketARN") == "arn:aws:s3:::lake");
  CHECK(At(core, "S3DestinationDescription.CompressionFormat") == "UNCOMPRESSED");
  const std::string body = core.Describe("d").body;
  CHECK(!body.contains("secret"));
  CHECK(!body.contains("S3Configuration"));
  CHECK(!body.contains("ExtendedS3DestinationDescription"));
  CHECK(core.Config("d").contains(R"("AccessKey":"secret")"));
}

TEST_CASE("CreateDeliveryStream: what an HTTP endpoint cannot be", "[firehose]") {
  FirehoseCore core;
  const auto refused = [&](std::string_view type, std::string_view message, const Reply& reply) {
    INFO(reply.message());
    CHECK(reply.type() == type);
    CHECK(reply.message().contains(message));
  };
  const std::string_view pattern = "Member must satisfy regular expression pattern: https://.*";
  refused("ValidationException", pattern, TryCreateHttp(core, "http://collector/in"));
  refused("ValidationException", pattern, TryCreateHttp(core, "http://localhost.example/in"));
  refused("ValidationException", pattern, TryCreateHttp(core, "ftp://h"));
  refused("ValidationException", "s3Configuration",
          core.Run("CreateDeliveryStream", R"({"DeliveryStreamName":"d","HttpEndpointDestinationConfiguration":)"
                                           R"({"EndpointConfiguration":{"Url":"https://h"}}})"));
  refused("ValidationException", "less than or equal to 64",
          TryCreateHttp(core, "https://h", "", R"(,"BufferingHints":{"SizeInMBs":65,"IntervalInSeconds":1})"));
  refused("InvalidArgumentException", "BufferingHints must have both",
          TryCreateHttp(core, "https://h", "", R"(,"BufferingHints":{"SizeInMBs":6})"));
  refused("ValidationException", "less than or equal to 7200",
          TryCreateHttp(core, "https://h", "", R"(,"RetryOptions":{"DurationInSeconds":7201})"));
  refused("InvalidArgumentException", "SecretARN is required when SecretsManagerConfiguration is enabled",
          TryCreateHttp(core, "https://h", "", R"(,"SecretsManagerConfiguration":{"Enabled":true})"));
  refused("ValidationException", "secretsManagerConfiguration.enabled",
          TryCreateHttp(core, "https://h", "", R"(,"SecretsManagerConfiguration":{})"));
  refused("ValidationException", "arn:.*:secretsmanager:",
          TryCreateHttp(core, "https://h", "", R"(,"SecretsManagerConfiguration":{"Enabled":true,"SecretARN":"key"})"));
  refused("InvalidArgumentException", "set delivery.secrets_dir to a folder",
          TryCreateHttp(core, "https://h", "", "," + Secret("key")));
  refused("InvalidArgumentException", "ErrorOutputPrefix",
          TryCreateHttp(core, "https://h", "", "", R"("Prefix":"!{timestamp:yyyy}/")"));
  refused("InvalidArgumentException", "A maximum of 5",
          TryCreateHttp(core, "https://h", "", R"(,"ProcessingConfiguration":{"Enabled":true})"));
  CHECK(core.Run("ListDeliveryStreams", "{}").At("DeliveryStreamNames") == "0");
  for (const std::string_view url : {"http://127.0.0.1:1/in", "http://localhost", "http://[::1]:80?a"}) {
    const Reply reply = TryCreateHttp(core, url);
    INFO(url << ": " << reply.message());
    CHECK(!reply.error);
    core.MustRun("DeleteDeliveryStream", R"({"DeliveryStreamName":"d"})");
  }
}

TEST_CASE("PutRecord: a record goes to the HTTP endpoint", "[firehose]") {
  delivery::FakeEndpoint server(delivery::TakeAll);
  FirehoseCore core;
  CreateHttp(core, server.Url("/in"), R"(,"AccessKey":"secret")");
  core.Put("d", "hello");
  CHECK(core.Delivered("d").empty());
  REQUIRE(server.Requests().size() == 1);
  const auto request = server.Requests().front();
  CHECK(request.Header("x-amz-firehose-access-key") == "secret");
  CHECK(delivery::ReadEndpointRequest(request.body).values == std::vector<std::string>{"hello"});
}

TEST_CASE("PutRecord: a record goes to the HTTP endpoint with the key of a secret", "[firehose]") {
  delivery::FakeEndpoint server(delivery::TakeAll);
  FirehoseCore core;
  core.PutSecret("key", R"({"api_key":"c4n4ry-1"})");
  core.Restart();
  CHECK(TryCreateHttp(core, "https://h", "", "," + Secret("other")).message().contains("other.json; put {"));
  CreateHttp(core, server.Url("/in"), "", "," + Secret("key"));
  CHECK(At(core, "SecretsManagerConfiguration.Enabled") == "true");
  CHECK(At(core, "SecretsManagerConfiguration.SecretARN").ends_with(":secret:key-a1b2c3"));
  core.Put("d", "one");
  CHECK(core.Delivered("d").empty());
  core.PutSecret("key", R"({"api_key":"c4n4ry-2"})");
  core.Put("d", "two");
  CHECK(core.Delivered("d").empty());
  REQUIRE(server.Requests().size() == 2);
  CHECK(server.Requests().front().Header("x-amz-firehose-access-key") == "c4n4ry-1");
  CHECK(server.Requests().back().Header("x-amz-firehose-access-key") == "c4n4ry-2");
  CHECK(!core.Describe("d").body.contains("c4n4ry"));
  CHECK(!core.Config("d").contains("c4n4ry"));
  // Switched off, it is the endpoint's own key again.
  REQUIRE(!UpdateHttp(core, "1", R"("SecretsManagerConfiguration":{"Enabled":false})").error);
  core.Put("d", "three");
  CHECK(core.Delivered("d").empty());
  CHECK(server.Requests().back().Header("x-amz-firehose-access-key").empty());
}

TEST_CASE("UpdateDestination: an HTTP endpoint is merged, and keeps a key that is not given", "[firehose]") {
  FirehoseCore core;
  CreateHttp(core, "https://h/in", R"(,"AccessKey":"secret")", R"(,"RetryOptions":{"DurationInSeconds":9})");
  CHECK(!UpdateHttp(core, "1", R"("EndpointConfiguration":{"Url":"https://other"},"S3Update":{"Prefix":"p/"})").error);
  CHECK(core.DescribedAt("d", "VersionId") == "2");
  CHECK(At(core, "EndpointConfiguration.Url") == "https://other");
  CHECK(At(core, "RetryOptions.DurationInSeconds") == "9");
  CHECK(At(core, "S3DestinationDescription.Prefix") == "p/");
  CHECK(At(core, "S3DestinationDescription.BucketARN") == "arn:aws:s3:::lake");
  CHECK(core.Config("d").contains("secret"));
  CHECK(!UpdateHttp(core, "2", R"("EndpointConfiguration":{"Url":"https://other","AccessKey":"next"})").error);
  CHECK(core.DescribedAt("d", "VersionId") == "3");
  CHECK(core.Config("d").contains(R"("AccessKey":"next")"));
  CHECK(!UpdateHttp(core, "3", R"("EndpointConfiguration":{"Url":"https://other","AccessKey":""})").error);
  CHECK(!core.Config("d").contains("AccessKey"));
  CHECK(!UpdateHttp(core, "4", R"("RetryOptions":{"DurationInSeconds":9})").error);
  CHECK(core.DescribedAt("d", "VersionId") == "4");  // nothing has changed
}

TEST_CASE("UpdateDestination: a destination of another kind takes the place of the one that was", "[firehose]") {
  FirehoseCore core;
  core.Create("d", R"("Prefix":"p/","CompressionFormat":"GZIP")");
  const std::string s3 = fmt::format(R"("RoleARN":"{}","BucketARN":"arn:aws:s3:::spare")", kRole);
  const std::string endpoint = R"("EndpointConfiguration":{"Url":"https://h/in","AccessKey":"secret"})";
  const Reply part = UpdateHttp(core, "1", endpoint);
  CHECK(part.type() == "InvalidArgumentException");
  CHECK(part.message() ==
        "HttpEndpointDestinationUpdate is of another kind than the destination and has to give all that a new one "
        "needs: 1 validation error detected: Value null at 's3Configuration' failed to satisfy constraint: Member must "
        "not be null");
  CHECK(
      UpdateHttp(core, "1", endpoint + R"(,"S3Update":{"Prefix":"x/"})").message().contains("s3Configuration.roleARN"));
  CHECK(UpdateHttp(core, "1", fmt::format(R"({},"S3Update":{{{}}})", endpoint, s3)).body == "{}");
  CHECK(core.DescribedAt("d", "VersionId") == "2");
  CHECK(At(core, "EndpointConfiguration.Url") == "https://h/in");
  CHECK(At(core, "S3DestinationDescription.BucketARN") == "arn:aws:s3:::spare");
  CHECK(At(core, "S3DestinationDescription.Prefix").empty());
  CHECK(At(core, "S3DestinationDescription.CompressionFormat") == "UNCOMPRESSED");
  CHECK(core.DescribedAt("d", "Destinations.0.ExtendedS3DestinationDescription.Prefix").empty());
  core.Restart();
  CHECK(core.Update("d", "2", R"("Prefix":"back/")")
            .message()
            .contains("ExtendedS3DestinationUpdate is of another kind"));
  CHECK(core.Update("d", "2", s3 + R"(,"Prefix":"back/")").body == "{}");
  core.Put("d", "a");
  core.Delivered("d");
  CHECK(core.Lake().begin()->first.starts_with("spare/back/"));
  CHECK_FALSE(core.Config("d").contains("secret"));
}

TEST_CASE("UpdateDestination: the backup of an endpoint may end", "[firehose]") {
  FirehoseCore core;
  CreateHttp(core, "https://h/in", "", R"(,"S3BackupMode":"AllData")");
  CHECK(UpdateHttp(core, "1", R"("S3BackupMode":"FailedDataOnly")").body == "{}");
  CHECK(At(core, "S3BackupMode") == "FailedDataOnly");
}

}  // namespace sluice::broker::firehose
