// OpenSearch and Elasticsearch in the API: what is taken, how it is told, what is refused.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

Reply TryCreateSearch(FirehoseCore& core, std::string_view kind, std::string_view more,
                      std::string_view cluster = R"("ClusterEndpoint":"https://h",)",
                      std::string_view index = "orders") {
  return core.Run("CreateDeliveryStream",
                  fmt::format(R"({{"DeliveryStreamName":"d","{}DestinationConfiguration":{{"RoleARN":"{}",{})"
                              R"("IndexName":"{}","S3Configuration":{}{}}}}})",
                              kind, kRole, cluster, index, Destination(), more));
}

constexpr std::string_view kDomain = R"("DomainARN":"arn:aws:es:us-east-1:123456789012:domain/orders",)";

}  // namespace

TEST_CASE("CreateDeliveryStream: OpenSearch and Elasticsearch are told with AWS's defaults", "[firehose]") {
  for (const std::string_view kind : {"Amazonopensearchservice", "Elasticsearch"}) {
    FirehoseCore core;
    const Reply reply = TryCreateSearch(core, kind, "");
    INFO(reply.message());
    REQUIRE(!reply.error);
    const auto at = [&](std::string_view place) {
      return core.DescribedAt("d", fmt::format("Destinations.0.{}DestinationDescription.{}", kind, place));
    };
    CHECK(at("ClusterEndpoint") == "https://h");
    CHECK(at("IndexName") == "orders");
    CHECK(at("IndexRotationPeriod") == "OneDay");
    CHECK(at("BufferingHints.SizeInMBs") == "5");
    CHECK(at("BufferingHints.IntervalInSeconds") == "300");
    CHECK(at("RetryOptions.DurationInSeconds") == "300");
    CHECK(at("S3BackupMode") == "FailedDocumentsOnly");
    CHECK(at("DocumentIdOptions.DefaultDocumentIdFormat").empty());  // told where it was given only
    CHECK(at("S3DestinationDescription.BucketARN") == "arn:aws:s3:::lake");
    const Reply update = core.Run(
        "UpdateDestination",
        fmt::format(
            R"({{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"1",)"
            R"("DestinationId":"destinationId-000000000001","{}DestinationUpdate":{{"IndexRotationPeriod":"OneWeek"}}}})",
            kind));
    INFO(update.message());
    REQUIRE(!update.error);
    CHECK(at("IndexRotationPeriod") == "OneWeek");
    CHECK(at("IndexName") == "orders");
  }
}

TEST_CASE("CreateDeliveryStream: a VPC is kept and told, also after an update", "[firehose]") {
  for (const std::string_view kind : {"Amazonopensearchservice", "Elasticsearch"}) {
    FirehoseCore core;
    const Reply reply =
        TryCreateSearch(core, kind,
                        fmt::format(R"(,"VpcConfiguration":{{"SubnetIds":["subnet-1","subnet-2"],"RoleARN":"{}",)"
                                    R"("SecurityGroupIds":["sg-1"]}})",
                                    kRole));
    INFO(reply.message());
    REQUIRE(!reply.error);
    const std::string told =
        fmt::format(R"("VpcConfigurationDescription":{{"SubnetIds":["subnet-1","subnet-2"],"RoleARN":"{}",)"
                    R"("SecurityGroupIds":["sg-1"],"VpcId":"vpc-00000000000000000"}})",
                    kRole);
    CHECK(core.Describe("d").body.contains(told));
    core.MustRun("UpdateDestination",
                 fmt::format(R"({{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"1",)"
                             R"("DestinationId":"destinationId-000000000001","{}DestinationUpdate":{{)"
                             R"("IndexName":"other"}}}})",
                             kind));
    CHECK(core.Describe("d").body.contains(told));
    CHECK_FALSE(core.Describe("d").body.contains(R"("VpcConfiguration":)"));
  }
}

TEST_CASE("CreateDeliveryStream: what OpenSearch cannot be", "[firehose]") {
  FirehoseCore core;
  const auto refused = [&](std::string_view message, const Reply& reply) {
    INFO(reply.message());
    CHECK(reply.error);
    CHECK(reply.message().contains(message));
  };
  constexpr std::string_view kKind = "Amazonopensearchservice";
  refused("Exactly one of DomainARN and ClusterEndpoint is required", TryCreateSearch(core, kKind, "", ""));
  refused("Exactly one of DomainARN and ClusterEndpoint is required",
          TryCreateSearch(core, kKind, R"(,"ClusterEndpoint":"https://h")", kDomain));
  refused("name it in [delivery.domains]", TryCreateSearch(core, kKind, "", kDomain));
  refused("arn:.*:es:", TryCreateSearch(core, kKind, "", R"("DomainARN":"orders",)"));
  refused("pattern: https:.*", TryCreateSearch(core, kKind, "", R"("ClusterEndpoint":"http://search:9200",)"));
  refused("IndexName 'Orders' can be no index",
          TryCreateSearch(core, kKind, "", R"("ClusterEndpoint":"https://h",)", "Orders"));
  refused("Member must satisfy enum value set", TryCreateSearch(core, kKind, R"(,"S3BackupMode":"AllData")"));
  refused("Value null at 'amazonopensearchserviceDestinationConfiguration.vpcConfiguration.subnetIds'",
          TryCreateSearch(core, kKind, R"(,"VpcConfiguration":{})"));
  refused("less than or equal to 100",
          TryCreateSearch(core, kKind, R"(,"BufferingHints":{"SizeInMBs":101,"IntervalInSeconds":1})"));
  CHECK(!TryCreateSearch(core, kKind, "", R"("ClusterEndpoint":"http://127.0.0.1:9200",)").error);
}

TEST_CASE("CreateDeliveryStream: a domain is told as it was given, and an address of the other form replaces it",
          "[firehose]") {
  for (const std::string_view kind : {"Amazonopensearchservice", "Elasticsearch"}) {
    FirehoseCore core;
    core.PutDomain("orders", "https://user:c4n4ry@h:9200");
    core.Restart();
    const Reply reply = TryCreateSearch(core, kind, "", kDomain);
    INFO(reply.message());
    REQUIRE(!reply.error);
    const auto update = [&](std::string_view version, std::string_view members) {
      return core.Run("UpdateDestination",
                      fmt::format(R"({{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"{}",)"
                                  R"("DestinationId":"destinationId-000000000001","{}DestinationUpdate":{{{}}}}})",
                                  version, kind, members));
    };
    const auto body = [&] { return core.Describe("d").body; };
    CHECK(body().contains(R"("DomainARN":"arn:aws:es:us-east-1:123456789012:domain/orders")"));
    CHECK(!body().contains("ClusterEndpoint"));
    CHECK(!body().contains("c4n4ry"));
    CHECK(!core.Config("d").contains("c4n4ry"));
    CHECK(!update("1", R"("ClusterEndpoint":"https://other")").error);
    CHECK(body().contains(R"("ClusterEndpoint":"https://other")"));
    CHECK(!body().contains("DomainARN"));
    CHECK(!update("2", R"("DomainARN":"arn:aws:es:us-east-1:123456789012:domain/orders")").error);
    CHECK(!body().contains("ClusterEndpoint"));
    CHECK(update("3", R"("DomainARN":"arn:aws:es:us-east-1:123456789012:domain/other")")
              .message()
              .contains("domain/other' is a domain whose address this broker does not know"));
  }
}

}  // namespace sluice::broker::firehose
