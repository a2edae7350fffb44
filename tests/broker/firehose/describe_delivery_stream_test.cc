// DescribeDeliveryStream: the whole of it, byte for byte, with AWS's defaults.
#include <regex>

#include "protocol/compression.h"
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

/// Times as 0.
std::string Timeless(const std::string& body) {
  return std::regex_replace(body, std::regex(R"((Timestamp":)[0-9]+\.[0-9]{3})"), "$010");
}

TEST_CASE("DescribeDeliveryStream: what was not given has AWS's defaults", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  CHECK(Timeless(core.Describe("orders").body) ==
        R"({"DeliveryStreamDescription":{"DeliveryStreamName":"orders",)"
        R"("DeliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/orders",)"
        R"("DeliveryStreamStatus":"ACTIVE","DeliveryStreamEncryptionConfiguration":{"Status":"DISABLED"},)"
        R"("DeliveryStreamType":"DirectPut","VersionId":"1","CreateTimestamp":0,"Source":{},"Destinations":[)"
        R"({"DestinationId":"destinationId-000000000001","S3DestinationDescription":{)"
        R"("RoleARN":"arn:aws:iam::123456789012:role/firehose","BucketARN":"arn:aws:s3:::lake",)"
        R"("BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":300},"CompressionFormat":"UNCOMPRESSED",)"
        R"("EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"},)"
        R"("CloudWatchLoggingOptions":{"Enabled":false}},"ExtendedS3DestinationDescription":{)"
        R"("RoleARN":"arn:aws:iam::123456789012:role/firehose","BucketARN":"arn:aws:s3:::lake",)"
        R"("BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":300},"CompressionFormat":"UNCOMPRESSED",)"
        R"("EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"},)"
        R"("CloudWatchLoggingOptions":{"Enabled":false},"S3BackupMode":"Disabled"}}],)"
        R"("HasMoreDestinations":false}})");
}

TEST_CASE("DescribeDeliveryStream: of an empty member the defaults are told, also of a backup", "[firehose]") {
  constexpr std::string_view kEmpty =
      R"("BufferingHints":{},"EncryptionConfiguration":{},"CloudWatchLoggingOptions":{})";
  FirehoseCore core;
  core.Create("orders", fmt::format(R"({},"S3BackupMode":"Enabled","S3BackupConfiguration":{{"RoleARN":"{}",)"
                                    R"("BucketARN":"arn:aws:s3:::lake",{}}})",
                                    kEmpty, kRole, kEmpty));
  for (const std::string_view place : {"S3DestinationDescription", "ExtendedS3DestinationDescription",
                                       "ExtendedS3DestinationDescription.S3BackupDescription"}) {
    INFO(place);
    const auto at = [&](std::string_view member) {
      return core.DescribedAt("orders", fmt::format("Destinations.0.{}.{}", place, member));
    };
    CHECK(at("BufferingHints.SizeInMBs") == "5");
    CHECK(at("BufferingHints.IntervalInSeconds") == "300");
    CHECK(at("EncryptionConfiguration.NoEncryptionConfig") == "NoEncryption");
    CHECK(at("CloudWatchLoggingOptions.Enabled") == "false");
  }
  CHECK(core.Update("orders", "1", R"("BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":300})").body == "{}");
  CHECK(core.DescribedAt("orders", "VersionId") == "1");
}

TEST_CASE("DescribeDeliveryStream: everything that was given is told", "[firehose]") {
  FirehoseCore core;
  const std::string given =
      R"("Prefix":"a/!{timestamp:yyyy}/","ErrorOutputPrefix":"e/!{firehose:error-output-type}/",)"
      R"("BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60},"CompressionFormat":"UNCOMPRESSED",)"
      R"("EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"},)"
      R"("CloudWatchLoggingOptions":{"Enabled":true,"LogGroupName":"g","LogStreamName":"s"},)"
      R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord","Parameters":)"
      R"([{"ParameterName":"Delimiter","ParameterValue":"\\n"}]}]},"S3BackupMode":"Disabled",)"
      R"("DataFormatConversionConfiguration":{"SchemaConfiguration":{"RoleARN":"r","CatalogId":"c",)"
      R"("DatabaseName":"d","TableName":"t","Region":"us-east-1","VersionId":"LATEST"},)"
      R"("InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"ConvertDotsInJsonKeysToUnderscores":true,)"
      R"("CaseInsensitive":false,"ColumnToJsonKeyMappings":{"ts":"timestamp"}}}},)"
      R"("OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{"BlockSizeBytes":67108864,"PageSizeBytes":65536,)"
      R"("Compression":"GZIP","EnableDictionaryCompression":true,"MaxPaddingBytes":0,"WriterVersion":"V2"}}},)"
      R"("Enabled":true},"DynamicPartitioningConfiguration":{"Enabled":false},"FileExtension":".pq",)"
      R"("CustomTimeZone":"Europe/Berlin")";
  core.Create("orders", given);
  const std::string body = core.Describe("orders").body;
  INFO(body);
  CHECK(body.contains(R"("ExtendedS3DestinationDescription":)" + Destination(given)));
}

TEST_CASE("DescribeDeliveryStream: dynamic partitioning is told with its retries", "[firehose]") {
  FirehoseCore core;
  const auto create = [&](std::string_view name, std::string_view partitioning) {
    core.Create(name, fmt::format(R"("Prefix":"!{{partitionKeyFromQuery:c}}/","ErrorOutputPrefix":"e/",)"
                                  R"("DynamicPartitioningConfiguration":{},"ProcessingConfiguration":{{"Enabled":true,)"
                                  R"("Processors":[{{"Type":"MetadataExtraction","Parameters":[)"
                                  R"({{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{{c: .c}}"}},)"
                                  R"({{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"}}]}}]}})",
                                  partitioning));
    return core.DescribedAt(name,
                            "Destinations.0.ExtendedS3DestinationDescription.DynamicPartitioningConfiguration."
                            "RetryOptions.DurationInSeconds");
  };
  CHECK(create("default", R"({"Enabled":true})") == "300");
  CHECK(create("empty", R"({"Enabled":true,"RetryOptions":{}})") == "300");
  CHECK(create("given", R"({"RetryOptions":{"DurationInSeconds":0},"Enabled":true})") == "0");
}

TEST_CASE("DescribeDeliveryStream: a processor without parameters has none", "[firehose]") {
  FirehoseCore core;
  core.Create("d", R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord"}]})");
  CHECK(core.Describe("d").body.contains(R"("Processors":[{"Type":"AppendDelimiterToRecord","Parameters":[]}])"));
}

TEST_CASE("DescribeDeliveryStream: processors as they were given, and records go through them", "[firehose]") {
  FirehoseCore core;
  const std::string given =
      R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"RecordDeAggregation","Parameters":)"
      R"([{"ParameterName":"Delimiter","ParameterValue":"LA=="},)"
      R"({"ParameterName":"SubRecordType","ParameterValue":"DELIMITED"}]},{"Type":"AppendDelimiterToRecord",)"
      R"("Parameters":[]},{"Type":"Decompression","Parameters":[]}]})";
  core.Create("d", given);
  CHECK(core.Describe("d").body.contains(given));
  std::string compressed;
  protocol::Compress(protocol::Compression::kGzip, "a,b,c", compressed);
  core.Put("d", compressed);
  CHECK(core.Delivered("d") == "a\nb\nc");
  core.Restart();
  CHECK(core.Describe("d").body.contains(given));
}

TEST_CASE("DescribeDeliveryStream: of a stream", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.CreateFromStream("lake", "clicks");
  CHECK(Timeless(core.Describe("lake").body)
            .contains(R"("DeliveryStreamType":"KinesisStreamAsSource","VersionId":"1","CreateTimestamp":0,)"
                      R"("Source":{"KinesisStreamSourceDescription":{)"
                      R"("KinesisStreamARN":"arn:aws:kinesis:us-east-1:123456789012:stream/clicks",)"
                      R"("RoleARN":"arn:aws:iam::123456789012:role/firehose","DeliveryStartTimestamp":0}},)"));
}

TEST_CASE("DescribeDeliveryStream: one that a file has made, in the caller's account and region", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  REQUIRE(core.manager
              ->Handle(DeliveryAction::kCreate, "", R"({"DeliveryStreamName":"lake",
                "KinesisStreamSourceConfiguration":{"KinesisStreamARN":"clicks"},
                "S3DestinationConfiguration":{"BucketARN":"lake","RoleARN":"r","CompressionFormat":"gzip"}})",
                       "lake.json")
              .has_value());
  const aws::Caller other{.account = "222222222222", .region = "cn-north-1", .access_key = ""};
  const Reply reply = core.RunAs(other, "DescribeDeliveryStream", R"({"DeliveryStreamName":"lake"})");
  CHECK(reply.At("DeliveryStreamDescription.DeliveryStreamARN") ==
        "arn:aws-cn:firehose:cn-north-1:222222222222:deliverystream/lake");
  CHECK(reply.At("DeliveryStreamDescription.Source.KinesisStreamSourceDescription.KinesisStreamARN") ==
        "arn:aws-cn:kinesis:cn-north-1:222222222222:stream/clicks");
  CHECK(reply.At("DeliveryStreamDescription.Destinations.0.S3DestinationDescription.CompressionFormat") == "GZIP");
}

TEST_CASE("DescribeDeliveryStream: behind its destination there is none, and no other account has another name",
          "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  const Reply behind =
      core.MustRun("DescribeDeliveryStream",
                   R"({"DeliveryStreamName":"orders","ExclusiveStartDestinationId":"destinationId-000000000001"})");
  CHECK(behind.At("DeliveryStreamDescription.Destinations") == "0");
  CHECK(core.Run("DescribeDeliveryStream", R"({"DeliveryStreamName":"none"})").error ==
        ApiError("ResourceNotFoundException", "Firehose none under account 123456789012 not found."));
}

}  // namespace
}  // namespace sluice::broker::firehose
