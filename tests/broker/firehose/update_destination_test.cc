// UpdateDestination: merging, versions, what cannot be changed, and what a file has given stays.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::string_view kAt = "Destinations.0.ExtendedS3DestinationDescription.";

struct UpdatedCore : FirehoseCore {
  UpdatedCore() {
    Create("orders", R"("Prefix":"a/","CompressionFormat":"GZIP","FileExtension":".x",)"
                     R"("CloudWatchLoggingOptions":{"Enabled":true,"LogGroupName":"g","LogStreamName":"s"},)"
                     R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord"}]})");
  }
  std::string At(std::string_view member) { return DescribedAt("orders", std::string(kAt) + std::string(member)); }
  std::string version() { return DescribedAt("orders", "VersionId"); }
};

TEST_CASE("UpdateDestination: what is absent stays, and the version goes up", "[firehose]") {
  UpdatedCore core;
  CHECK(core.Update("orders", "1", R"("Prefix":"b/")").body == "{}");
  CHECK(core.version() == "2");
  CHECK(core.At("Prefix") == "b/");
  CHECK(core.At("CompressionFormat") == "GZIP");
  CHECK_FALSE(core.DescribedAt("orders", "LastUpdateTimestamp").empty());
  core.Restart();
  CHECK(core.At("Prefix") == "b/");
  core.MustRun("PutRecordBatch", R"({"DeliveryStreamName":"orders","Records":[{"Data":"YQ=="}]})");
  core.Delivered("orders");
  CHECK(core.Lake().begin()->first.starts_with("lake/b/"));
  CHECK(core.Lake().begin()->first.contains("orders-2-"));
}

TEST_CASE("UpdateDestination: nothing and the same are no change", "[firehose]") {
  UpdatedCore core;
  for (
      const std::string_view same :
      {R"()", R"("Prefix":"a/")", R"("BufferingHints":{"IntervalInSeconds":300,"SizeInMBs":5})",
       R"("S3BackupMode":"Disabled")",
       R"("ProcessingConfiguration":{"Processors":[{"Parameters":[],"Type":"AppendDelimiterToRecord"}],"Enabled":true})"}) {
    CHECK(core.Update("orders", "1", same).body == "{}");
    CHECK(core.version() == "1");
  }
  CHECK(core.DescribedAt("orders", "LastUpdateTimestamp").empty());
}

TEST_CASE("UpdateDestination: what the delivery stage does not look at is a change too", "[firehose]") {
  UpdatedCore core;
  CHECK(core.Update("orders", "1", R"("CloudWatchLoggingOptions":{"Enabled":false})").body == "{}");
  CHECK(core.version() == "2");
  CHECK(core.At("CloudWatchLoggingOptions.Enabled") == "false");
  CHECK(core.At("CloudWatchLoggingOptions.LogGroupName").empty());
}

TEST_CASE("UpdateDestination: processing is replaced as a whole, an empty extension is none", "[firehose]") {
  UpdatedCore core;
  CHECK(core.Update("orders", "1", R"("ProcessingConfiguration":{"Enabled":false},"CompressionFormat":"UNCOMPRESSED")")
            .body == "{}");
  CHECK(core.At("ProcessingConfiguration.Processors") == "0");
  CHECK(core.Update("orders", "2", R"("FileExtension":"")").body == "{}");
  core.MustRun("PutRecordBatch", R"({"DeliveryStreamName":"orders","Records":[{"Data":"YQ=="},{"Data":"Yg=="}]})");
  CHECK(core.Delivered("orders") == "ab");
  CHECK_FALSE(core.Lake().begin()->first.ends_with(".x"));
}

TEST_CASE("UpdateDestination: a backup begins, changes member by member, and does not end", "[firehose]") {
  UpdatedCore core;
  core.Put("orders", "before");
  core.Delivered("orders");
  const std::string place = fmt::format(R"("RoleARN":"{}","BucketARN":"arn:aws:s3:::spare")", kRole);
  const auto message = [&](std::string_view version, std::string_view update) {
    return core.Update("orders", version, update).message();
  };
  CHECK(message("1", R"("S3BackupMode":"Enabled")").starts_with("S3BackupConfiguration cannot be null"));
  CHECK(message("1", R"("S3BackupMode":"Enabled","S3BackupUpdate":{"Prefix":"raw/"})")
            .starts_with("S3BackupUpdate must"));
  CHECK(core.Update("orders", "1", fmt::format(R"("S3BackupMode":"Enabled","S3BackupUpdate":{{{}}})", place)).body ==
        "{}");
  CHECK(core.Update("orders", "2", R"("S3BackupUpdate":{"Prefix":"raw/"})").body == "{}");
  CHECK(core.At("S3BackupMode") == "Enabled");
  CHECK(core.At("S3BackupDescription.Prefix") == "raw/");
  CHECK(core.At("S3BackupDescription.BucketARN") == "arn:aws:s3:::spare");
  CHECK(core.At("S3BackupDescription.BufferingHints.SizeInMBs") == "5");
  CHECK(core.At("S3BackupDescription.CompressionFormat") == "UNCOMPRESSED");
  CHECK(message("3", R"("S3BackupMode":"Disabled")") == "S3BackupMode cannot be changed from Enabled to Disabled.");
  core.MustRun("PutRecordBatch", R"({"DeliveryStreamName":"orders","Records":[{"Data":"YQ=="},{"Data":"Yg=="}]})");
  core.Delivered("orders");
  CHECK(core.Update("orders", "3", R"("S3BackupUpdate":{"BucketARN":"arn:aws:s3:::sea"})").body == "{}");
  core.MustRun("PutRecordBatch", R"({"DeliveryStreamName":"orders","Records":[{"Data":"Yw=="}]})");
  core.Delivered("orders");
  const auto backup = [&](std::string_view below) {
    std::string all;
    for (const auto& [key, bytes] : core.Lake()) {
      if (key.starts_with(below)) all += bytes;
    }
    return all;
  };
  CHECK(backup("spare/raw/") == "ab");
  CHECK(backup("sea/raw/") == "c");
  core.Restart();
  CHECK(core.At("S3BackupDescription.Prefix") == "raw/");
}

TEST_CASE("UpdateDestination: a bucket and a conversion change, from the next object on", "[firehose]") {
  FirehoseCore core;
  core.Create("d");
  core.Put("d", R"({"id":1})");
  core.Delivered("d");
  CHECK(core.Update("d", "1", R"("BucketARN":"arn:aws:s3:::sea")").body == "{}");
  CHECK(core.DescribedAt("d", std::string(kAt) + "BucketARN") == "arn:aws:s3:::sea");
  core.Put("d", R"({"id":2})");
  core.Delivered("d");
  CHECK(core.Update("d", "2",
                    R"("BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60},)"
                    R"("DataFormatConversionConfiguration":{"SchemaConfiguration":{"TableName":"t"},)"
                    R"("InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},)"
                    R"("OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}})")
            .body == "{}");
  core.Put("d", R"({"id":3})");
  core.Delivered("d");
  CHECK(core.Update("d", "3", R"("DataFormatConversionConfiguration":{"Enabled":false})").body == "{}");
  core.Put("d", R"({"id":4})");
  core.Delivered("d");
  const auto lake = core.Lake();
  REQUIRE(lake.size() == 4);
  const auto has = [&](std::string_view bucket, std::string_view bytes) {
    return std::ranges::count_if(lake, [&](const auto& object) {
             return object.first.starts_with(bucket) && object.second.starts_with(bytes);
           }) == 1;
  };
  CHECK(has("lake/", R"({"id":1})"));
  CHECK(has("sea/", R"({"id":2})"));
  CHECK(has("sea/", "PAR1"));
  CHECK(has("sea/", R"({"id":4})"));
}

TEST_CASE("UpdateDestination: another serializer counts from the next object on", "[firehose]") {
  FirehoseCore core;
  core.Create("d", R"("DataFormatConversionConfiguration":{"SchemaConfiguration":{"TableName":"t"},)"
                   R"("InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},)"
                   R"("OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}})");
  core.Put("d", R"({"id":1})");
  CHECK(core.Delivered("d").starts_with("PAR1"));
  CHECK(core.Update("d", "1",
                    R"("DataFormatConversionConfiguration":{"OutputFormatConfiguration":)"
                    R"({"Serializer":{"OrcSerDe":{"Compression":"ZLIB"}}}})")
            .body == "{}");
  core.Put("d", R"({"id":2})");
  core.Delivered("d");
  const auto lake = core.Lake();
  REQUIRE(lake.size() == 2);
  CHECK(std::ranges::count_if(lake, [](const auto& object) {
          return object.first.ends_with(".orc") && object.second.starts_with("ORC");
        }) == 1);
}

TEST_CASE("UpdateDestination: members of a conversion by themselves", "[firehose]") {
  FirehoseCore core;
  core.Create("d", R"("DataFormatConversionConfiguration":{"SchemaConfiguration":{"TableName":"t"},)"
                   R"("InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"CaseInsensitive":false}}},)"
                   R"("OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{"Compression":"GZIP"}}}})");
  CHECK(core.Update("d", "1",
                    R"("DataFormatConversionConfiguration":{"OutputFormatConfiguration":)"
                    R"({"Serializer":{"ParquetSerDe":{"WriterVersion":"V2"}}}})")
            .body == "{}");
  const std::string at = std::string(kAt) + "DataFormatConversionConfiguration.";
  CHECK(core.DescribedAt("d", at + "InputFormatConfiguration.Deserializer.OpenXJsonSerDe.CaseInsensitive") == "false");
  CHECK(core.DescribedAt("d", at + "OutputFormatConfiguration.Serializer.ParquetSerDe.WriterVersion") == "V2");
  CHECK(core.DescribedAt("d", at + "OutputFormatConfiguration.Serializer.ParquetSerDe.Compression").empty());
  CHECK(core.DescribedAt("d", at + "Enabled") == "true");
}

TEST_CASE("UpdateDestination: wrong versions and destinations", "[firehose]") {
  UpdatedCore core;
  CHECK(core.Update("orders", "2", R"("Prefix":"b/")").error ==
        ApiError("ConcurrentModificationException",
                 "Cannot update firehose: orders since the current version id: 1 and specified version id: 2 do not "
                 "match"));
  const auto update = [&](std::string_view more) {
    return core.Run("UpdateDestination",
                    fmt::format(R"({{"DeliveryStreamName":"orders","CurrentDeliveryStreamVersionId":"1",{}}})", more));
  };
  CHECK(update(R"("DestinationId":"destinationId-000000000002","ExtendedS3DestinationUpdate":{})").error ==
        ApiError("InvalidArgumentException", "Destination destinationId-000000000002 not found in firehose orders."));
  constexpr std::string_view kDestination = R"("DestinationId":"destinationId-000000000001")";
  const ApiError one("InvalidArgumentException", "Exactly one destination update is supported for a Firehose");
  CHECK(update(kDestination).error == one);
  CHECK(
      update(fmt::format(R"({},"ExtendedS3DestinationUpdate":{{}},"S3DestinationUpdate":{{}})", kDestination)).error ==
      one);
  CHECK(update(fmt::format(R"({},"SnowflakeDestinationUpdate":{{}})", kDestination)).error ==
        ApiError("InvalidArgumentException", "SnowflakeDestinationUpdate is not served by this broker"));
  CHECK(core.Run("UpdateDestination",
                 R"({"DeliveryStreamName":"none","CurrentDeliveryStreamVersionId":"1","DestinationId":"d"})")
            .type() == "ResourceNotFoundException");
  CHECK(core.version() == "1");
}

TEST_CASE("UpdateDestination: by a plain update too", "[firehose]") {
  UpdatedCore core;
  core.MustRun("UpdateDestination",
               R"({"DeliveryStreamName":"orders","CurrentDeliveryStreamVersionId":"1",)"
               R"("DestinationId":"destinationId-000000000001","S3DestinationUpdate":{"CompressionFormat":"ZIP"}})");
  CHECK(core.At("CompressionFormat") == "ZIP");
  CHECK(core.At("FileExtension") == ".x");
}

TEST_CASE("UpdateDestination: what cannot be changes nothing", "[firehose]") {
  UpdatedCore core;
  const Reply prefix = core.Update("orders", "1", R"("Prefix":"!{timestamp:yyyy}/")");
  CHECK(prefix.message() == "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions.");
  const Reply conversion =
      core.Update("orders", "1",
                  R"("Prefix":"b/","DataFormatConversionConfiguration":{"SchemaConfiguration":{"TableName":"t"},)"
                  R"("InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},)"
                  R"("OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}})");
  INFO(conversion.message());
  CHECK(conversion.type() == "InvalidArgumentException");  // of compressed objects
  CHECK(core.At("Prefix") == "a/");
  CHECK(core.version() == "1");
}

TEST_CASE("UpdateDestination: of a table without a column that objects have, the answer says in one line",
          "[firehose]") {
  const auto table = [](std::string_view name) {
    return fmt::format(R"("DataFormatConversionConfiguration":{{"SchemaConfiguration":{{"DatabaseName":"sales",)"
                       R"("TableName":"{}"}},"InputFormatConfiguration":{{"Deserializer":{{"OpenXJsonSerDe":{{}}}}}},)"
                       R"("OutputFormatConfiguration":{{"Serializer":{{"ParquetSerDe":{{}}}}}}}})",
                       name);
  };
  FirehoseCore core;
  core.PutTable("sales.two.json", R"({"StorageDescriptor":{"Columns":[
      {"Name":"id","Type":"bigint"},{"Name":"text","Type":"string"}]}})");
  core.PutTable("sales.one.json", R"({"StorageDescriptor":{"Columns":[{"Name":"id","Type":"bigint"}]}})");
  core.Restart();
  core.Create("d", table("two"));
  CHECK(core.Update("d", "1", table("one")).message() ==
        "delivery stream 'd' exists and goes on as it is; this change cannot be made to it: column 'text' cannot be "
        "removed: the files so far have it");
}

TEST_CASE("UpdateDestination: of one that a file has made, what goes beyond Firehose stays", "[firehose]") {
  FirehoseCore core;
  const std::string file = R"({"DeliveryStreamName":"d","ExtendedS3DestinationConfiguration":{"BucketARN":"lake",
    "RoleARN":"r","DataFormatConversionConfiguration":{"Enabled":true}},
    "Sluice":{"Columns":[{"Name":"id","Type":"bigint"}],"FileSizeMB":8192}})";
  REQUIRE(core.manager->Handle(DeliveryAction::kCreate, "", file, "d.json").has_value());
  CHECK(core.Update("d", "1", R"("Prefix":"b/")").body == "{}");
  const auto config = [&] { return core.manager->Handle(DeliveryAction::kDescribe, "d", "", "")->document; };
  CHECK(config().contains(R"("Columns":[{"Name":"id","Type":"bigint"}])"));
  CHECK(config().contains(R"("FileSizeMB":8192)"));
  CHECK(core.Update("d", "2", R"("BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60})").body == "{}");
  CHECK_FALSE(config().contains("FileSizeMB"));
  CHECK(core.DescribedAt("d", "VersionId") == "3");
  CHECK(core.Update("d", "3", R"("DataFormatConversionConfiguration":{"Enabled":false})").body == "{}");
  CHECK_FALSE(config().contains("Columns"));
  const std::string http = fmt::format(
      R"({{"EndpointConfiguration":{{"Url":"https://h"}},"S3Update":{{"RoleARN":"{}","BucketARN":"arn:aws:s3:::lake"}}}})",
      kRole);
  REQUIRE(core.manager->Handle(DeliveryAction::kCreate, "", file, "d.json").has_value());
  CHECK(config().contains(R"("FileSizeMB":8192)"));
  CHECK(core.Run("UpdateDestination",
                 fmt::format(R"({{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"5",)"
                             R"("DestinationId":"destinationId-000000000001","HttpEndpointDestinationUpdate":{}}})",
                             http))
            .body == "{}");
  CHECK_FALSE(config().contains("FileSizeMB"));  // it is for files
  // The file again: its words count, as at a start.
  REQUIRE(core.manager->Handle(DeliveryAction::kCreate, "", file, "d.json").has_value());
  CHECK(core.DescribedAt("d", "VersionId") == "7");
  CHECK(core.DescribedAt("d", std::string(kAt) + "Prefix").empty());
}

}  // namespace
}  // namespace sluice::broker::firehose
