// Splunk in the API: what is taken, how it is told, what is refused.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

Reply TryCreateSplunk(FirehoseCore& core, std::string_view url, std::string_view more = "",
                      std::string_view token = R"("HECToken":"t",)") {
  return core.Run("CreateDeliveryStream",
                  fmt::format(R"({{"DeliveryStreamName":"d","SplunkDestinationConfiguration":{{"HECEndpoint":"{}",{})"
                              R"("HECEndpointType":"Raw","S3Configuration":{}{}}}}})",
                              url, token, Destination(), more));
}

std::string At(FirehoseCore& core, std::string_view place) {
  return core.DescribedAt("d", fmt::format("Destinations.0.SplunkDestinationDescription.{}", place));
}

}  // namespace

TEST_CASE("CreateDeliveryStream: Splunk is told with AWS's defaults", "[firehose]") {
  FirehoseCore core;
  REQUIRE(!TryCreateSplunk(core, "https://h:8088").error);
  CHECK(At(core, "HECEndpoint") == "https://h:8088");
  CHECK(At(core, "HECEndpointType") == "Raw");
  CHECK(At(core, "HECToken") == "t");
  CHECK(At(core, "HECAcknowledgmentTimeoutInSeconds") == "180");
  CHECK(At(core, "BufferingHints.SizeInMBs") == "5");
  CHECK(At(core, "BufferingHints.IntervalInSeconds") == "60");
  CHECK(At(core, "RetryOptions.DurationInSeconds") == "3600");
  CHECK(At(core, "S3BackupMode") == "FailedEventsOnly");
  CHECK(At(core, "S3DestinationDescription.BucketARN") == "arn:aws:s3:::lake");
  CHECK(core.Config("d").contains(R"("Delimiter":"")"));  // as Firehose; a file's default is a line break
}

TEST_CASE("CreateDeliveryStream: a delimiter between Splunk's records", "[firehose]") {
  FirehoseCore core;
  REQUIRE(!TryCreateSplunk(core, "https://h",
                           R"(,"ProcessingConfiguration":{"Enabled":true,"Processors":[)"
                           R"({"Type":"AppendDelimiterToRecord"}]})")
               .error);
  CHECK(core.Config("d").contains("AppendDelimiterToRecord"));
}

TEST_CASE("CreateDeliveryStream: a Lambda of a destination without a role is told without one", "[firehose]") {
  FirehoseCore core;
  const std::string lambda =
      R"("Processors":[{"Type":"Lambda","Parameters":[{"ParameterName":"LambdaArn","ParameterValue":"http://h/f"}]}])";
  REQUIRE(
      !TryCreateSplunk(core, "https://h", fmt::format(R"(,"ProcessingConfiguration":{{"Enabled":true,{}}})", lambda))
           .error);
  const std::string told = core.Describe("d").body;
  CHECK(told.contains(R"({"ParameterName":"NumberOfRetries","ParameterValue":"3"})"));
  CHECK_FALSE(told.contains(R"("RoleArn")"));
  const std::string_view buffer = R"({"ParameterName":"BufferSizeInMBs","ParameterValue":"0.25"})";
  CHECK(told.contains(buffer));  // 1 of any other destination
  CHECK(core.Config("d").contains(buffer));
}

TEST_CASE("CreateDeliveryStream: what Splunk cannot be", "[firehose]") {
  FirehoseCore core;
  const auto refused = [&](std::string_view type, std::string_view message, const Reply& reply) {
    INFO(reply.message());
    CHECK(reply.type() == type);
    CHECK(reply.message().contains(message));
  };
  refused("InvalidArgumentException", "HECEndpoint must begin with https://",
          TryCreateSplunk(core, "http://splunk:8088"));
  refused("InvalidArgumentException", "HECEndpoint must begin with https://", TryCreateSplunk(core, ""));
  refused("InvalidArgumentException", "HECToken cannot be null", TryCreateSplunk(core, "https://h", "", ""));
  refused("InvalidArgumentException", "RoleARN of SecretsManagerConfiguration is required for Splunk",
          TryCreateSplunk(core, "https://h", "," + Secret("hec"), ""));
  refused("InvalidArgumentException", "HECToken cannot be null",
          TryCreateSplunk(core, "https://h", R"(,"SecretsManagerConfiguration":{"Enabled":false})", ""));
  refused("ValidationException", "Member must satisfy enum value set",
          TryCreateSplunk(core, "https://h", R"(,"S3BackupMode":"AllData")"));
  refused("ValidationException", "greater than or equal to 180",
          TryCreateSplunk(core, "https://h", R"(,"HECAcknowledgmentTimeoutInSeconds":179)"));
  refused("ValidationException", "less than or equal to 60",
          TryCreateSplunk(core, "https://h", R"(,"BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":61})"));
  CHECK(!TryCreateSplunk(core, "http://localhost:8088").error);
}

TEST_CASE("CreateDeliveryStream: Splunk with a secret in place of its token", "[firehose]") {
  FirehoseCore core;
  core.PutSecret("hec", R"({"hec_token":"c4n4ry"})");
  core.Restart();
  const std::string secret = "," + Secret("hec", fmt::format(R"(,"RoleARN":"{}")", kRole));
  const Reply reply = TryCreateSplunk(core, "https://h", secret, "");
  INFO(reply.message());
  REQUIRE(!reply.error);
  CHECK(At(core, "SecretsManagerConfiguration.SecretARN").ends_with(":secret:hec-a1b2c3"));
  CHECK(!core.Describe("d").body.contains("HECToken"));
  CHECK(!core.Describe("d").body.contains("c4n4ry"));
}

TEST_CASE("UpdateDestination: Splunk is merged", "[firehose]") {
  FirehoseCore core;
  REQUIRE(!TryCreateSplunk(core, "https://h").error);
  const Reply reply =
      core.Run("UpdateDestination", R"({"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"1",)"
                                    R"("DestinationId":"destinationId-000000000001","SplunkDestinationUpdate":)"
                                    R"({"HECToken":"next","S3Update":{"Prefix":"p/"}}})");
  INFO(reply.message());
  REQUIRE(!reply.error);
  CHECK(At(core, "HECToken") == "next");
  CHECK(At(core, "HECEndpoint") == "https://h");
  CHECK(At(core, "S3DestinationDescription.Prefix") == "p/");
}

}  // namespace sluice::broker::firehose
