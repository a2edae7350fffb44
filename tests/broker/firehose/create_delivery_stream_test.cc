// CreateDeliveryStream: what it makes, what it refuses and in which words, and what it says that it does not serve.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::string_view kConversion =
    R"("DataFormatConversionConfiguration":{"SchemaConfiguration":{"TableName":"t"},)"
    R"("InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},)"
    R"("OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}})";

/// A destination's member with these processors.
std::string Processing(std::string_view processors) {
  return fmt::format(R"("ProcessingConfiguration":{{"Enabled":true,"Processors":[{}]}})", processors);
}

ApiError Invalid(std::string message) { return {"InvalidArgumentException", std::move(message)}; }

constexpr std::string_view kTwoEncryptions =
    R"("EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption",)"
    R"("KMSEncryptionConfig":{"AWSKMSKeyARN":"arn:aws:kms:us-east-1:123456789012:key/k"}})";

TEST_CASE("CreateDeliveryStream: direct put, ACTIVE with the answer", "[firehose]") {
  FirehoseCore core;
  const Reply reply = core.TryCreate("orders");
  CHECK(reply.body == R"({"DeliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/orders"})");
  CHECK(core.DescribedAt("orders", "DeliveryStreamStatus") == "ACTIVE");
  CHECK(core.DescribedAt("orders", "DeliveryStreamType") == "DirectPut");
  CHECK(core.core.catalog->Find("delivery:orders").has_value());
  CHECK(core.TryCreate("orders").error ==
        ApiError("ResourceInUseException", "Firehose orders under accountId 123456789012 already exists"));
}

TEST_CASE("CreateDeliveryStream: there after a restart, as it was given", "[firehose]") {
  FirehoseCore core;
  core.Create("orders", R"("Prefix":"a/","CloudWatchLoggingOptions":{"Enabled":true,"LogGroupName":"g"})",
              R"(,"Tags":[{"Key":"team","Value":"ingest"}],"DirectPutSourceConfiguration":{"ThroughputHintInMBs":5})");
  const std::string before = core.Describe("orders").body;
  core.Restart();
  CHECK(core.Describe("orders").body == before);
  CHECK(core.DescribedAt("orders", "Source.DirectPutSourceDescription.ThroughputHintInMBs") == "5");
  CHECK(core.MustRun("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders"})").At("Tags.0.Value") == "ingest");
}

TEST_CASE("CreateDeliveryStream: of a stream, from the moment of creation", "[firehose]") {
  FirehoseCore core;
  const auto stream = core.core.catalog->Create("clicks", 1, {});
  REQUIRE(stream.has_value());
  const auto append = [&](std::string_view value) {
    REQUIRE(core.core.Append(0, core.core.ShardOf(*stream), BatchOf(1, value)).get().has_value());
  };
  append("before");
  core.CreateFromStream("lake", "clicks");
  append("after");
  CHECK(core.Delivered("lake") == "after");
  CHECK(core.DescribedAt("lake", "Source.KinesisStreamSourceDescription.KinesisStreamARN") ==
        "arn:aws:kinesis:us-east-1:123456789012:stream/clicks");
}

TEST_CASE("CreateDeliveryStream: sources that cannot be", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  const auto create = [&](std::string_view more) { return core.TryCreate("lake", "", more).error; };
  CHECK(create(FirehoseCore::FromStream("none")) ==
        Invalid("Kinesis stream none under account 123456789012 not found."));
  CHECK(create(R"(,"DeliveryStreamType":"KinesisStreamAsSource")") ==
        Invalid("KinesisStreamSourceConfig is required for KinesisStreamAsSource stream type."));
  std::string direct = FirehoseCore::FromStream("clicks");
  direct.replace(direct.find("KinesisStreamAsSource"), 21, "DirectPut");
  CHECK(create(direct) ==
        Invalid("KinesisStreamSourceConfig is only applicable for KinesisStreamAsSource stream type."));
  std::string region = FirehoseCore::FromStream("clicks");
  region.replace(region.find("us-east-1"), 9, "eu-west-1");
  CHECK(create(region) == Invalid("KinesisStreamARN arn:aws:kinesis:eu-west-1:123456789012:stream/clicks is not of "
                                  "region us-east-1 and account 123456789012."));
  CHECK(create(R"(,"DeliveryStreamType":"MSKAsSource","MSKSourceConfiguration":{})") ==
        Invalid("DeliveryStreamType MSKAsSource is not served by this broker"));
  CHECK(create(R"(,"DeliveryStreamType":"DatabaseAsSource")") ==
        Invalid("DeliveryStreamType DatabaseAsSource is not served by this broker"));
  CHECK(core.Run("ListDeliveryStreams", "{}").At("DeliveryStreamNames") == "0");
}

TEST_CASE("CreateDeliveryStream: exactly one destination, and one that is served", "[firehose]") {
  FirehoseCore core;
  const ApiError one = Invalid("Exactly one destination configuration is supported for a Firehose");
  CHECK(core.Run("CreateDeliveryStream", R"({"DeliveryStreamName":"d"})").error == one);
  CHECK(core.TryCreate("d", "", R"(,"S3DestinationConfiguration":)" + Destination()).error == one);
  CHECK(core.TryCreate("d", "", R"(,"SnowflakeDestinationConfiguration":{})").error == one);
  CHECK(core.Run("CreateDeliveryStream",
                 R"({"DeliveryStreamName":"d","SnowflakeDestinationConfiguration":{"Database":"x"}})")
            .error == Invalid("SnowflakeDestinationConfiguration is not served by this broker"));
}

TEST_CASE("CreateDeliveryStream: a plain S3 destination", "[firehose]") {
  FirehoseCore core;
  core.MustRun("CreateDeliveryStream", R"({"DeliveryStreamName":"d","S3DestinationConfiguration":)" +
                                           Destination(R"("Prefix":"p/","CompressionFormat":"GZIP")") + "}");
  CHECK(core.DescribedAt("d", "Destinations.0.S3DestinationDescription.CompressionFormat") == "GZIP");
  CHECK(core.DescribedAt("d", "Destinations.0.ExtendedS3DestinationDescription.Prefix") == "p/");
}

TEST_CASE("CreateDeliveryStream: constraints in AWS's words", "[firehose]") {
  FirehoseCore core;
  CHECK(core.Run("CreateDeliveryStream",
                 R"({"DeliveryStreamName":"a b","ExtendedS3DestinationConfiguration":{"BucketARN":"lake"}})")
            .error ==
        ApiError("ValidationException",
                 "3 validation errors detected: Value 'a b' at 'deliveryStreamName' failed to satisfy constraint: "
                 "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value null at "
                 "'extendedS3DestinationConfiguration.roleARN' failed to satisfy constraint: Member must not be null; "
                 "Value 'lake' at 'extendedS3DestinationConfiguration.bucketARN' failed to satisfy constraint: Member "
                 "must satisfy regular expression pattern: arn:.*:s3:::[\\w\\.\\-]{1,255}"));
  CHECK(
      core.TryCreate("d", R"("CompressionFormat":"SNAPPY")").message() ==
      "1 validation error detected: Value 'SNAPPY' at 'extendedS3DestinationConfiguration.compressionFormat' failed to "
      "satisfy constraint: Member must satisfy enum value set: [UNCOMPRESSED, GZIP, ZIP, Snappy, HADOOP_SNAPPY]");
  CHECK(core.TryCreate("d", R"("BufferingHints":{"SizeInMBs":129,"IntervalInSeconds":901})").message() ==
        "2 validation errors detected: Value '129' at 'extendedS3DestinationConfiguration.bufferingHints.sizeInMBs' "
        "failed to satisfy constraint: Member must have value less than or equal to 128; Value '901' at "
        "'extendedS3DestinationConfiguration.bufferingHints.intervalInSeconds' failed to satisfy constraint: Member "
        "must have value less than or equal to 900");
  CHECK(core.TryCreate("d", "", R"(,"Tags":[{"Key":"aws:x","Value":"y"}])").message() ==
        "1 validation error detected: Value 'aws:x' at 'tags.1.member.key' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: ^(?!aws:)[\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@%]*$");
  CHECK(core.TryCreate("d", R"("Prefix":1)").error ==
        ApiError("SerializationException",
                 "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"));
}

TEST_CASE("CreateDeliveryStream: contradictions of the destination", "[firehose]") {
  FirehoseCore core;
  const auto [more, message] = GENERATE(table<std::string, std::string>({
      {R"("BufferingHints":{"SizeInMBs":5})",
       "BufferingHints must have both SizeInMBs and IntervalInSeconds, or neither."},
      {R"("Prefix":"!{timestamp:yyyy}/")",
       "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions."},
      {R"("ErrorOutputPrefix":"!{timestamp:yyyy}/")",
       "ErrorOutputPrefix must contain !{firehose:error-output-type} when it contains expressions."},
      {R"("Prefix":"!{firehose:error-output-type}/","ErrorOutputPrefix":"!{firehose:error-output-type}/")",
       "Prefix: in the expression '!{firehose:error-output-type}': error-output-type belongs into ErrorOutputPrefix "
       "only"},
      {R"("Prefix":"!{x:y}/")",
       "Prefix: in the expression '!{x:y}': 'x' is no namespace; there are timestamp, firehose, "
       "partitionKeyFromQuery and partitionKeyFromLambda"},
      {R"("Prefix":"!{partitionKeyFromQuery:c}/","ErrorOutputPrefix":"e/")",
       "Prefix cannot contain partition keys when dynamic partitioning is not enabled."},
      {R"("Prefix":"a/","ErrorOutputPrefix":"!{partitionKeyFromQuery:c}/")",
       "ErrorOutputPrefix: in the expression '!{partitionKeyFromQuery:c}': partition keys belong into Prefix only"},
      {R"("S3BackupMode":"Enabled")", "S3BackupConfiguration cannot be null when S3BackupMode is Enabled."},
      {Backup(R"(,"BufferingHints":{"SizeInMBs":1,"IntervalInSeconds":59})"),
       "BufferingHints.IntervalInSeconds of S3BackupConfiguration must be at least 60."},
      {Backup(R"(,"BufferingHints":{"SizeInMBs":1})"),
       "BufferingHints must have both SizeInMBs and IntervalInSeconds, or neither."},
      {Backup(R"(,"Prefix":"!{partitionKeyFromQuery:c}/","ErrorOutputPrefix":"e/")"),
       "Prefix cannot contain partition keys when dynamic partitioning is not enabled."},
      {Backup("," + std::string(kTwoEncryptions)),
       "EncryptionConfiguration must have one of NoEncryptionConfig and KMSEncryptionConfig."},
      {Backup("") + R"(,"BufferingHints":{"SizeInMBs":1,"IntervalInSeconds":0})",
       "BufferingHints.IntervalInSeconds must be greater than 0 when S3BackupMode is Enabled."},
      {R"("DynamicPartitioningConfiguration":{"Enabled":true})",
       "Prefix must contain a partition key when dynamic partitioning is enabled."},
      {R"("DynamicPartitioningConfiguration":{"Enabled":true},"BufferingHints":{"SizeInMBs":63,"IntervalInSeconds":60})",
       "BufferingHints.SizeInMBs must be at least 64 when dynamic partitioning is enabled."},
      {R"("DynamicPartitioningConfiguration":{"Enabled":true},"BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":0})",
       "BufferingHints.IntervalInSeconds must be greater than 0 when dynamic partitioning is enabled."},
      {std::string(kTwoEncryptions),
       "EncryptionConfiguration must have one of NoEncryptionConfig and KMSEncryptionConfig."},
      {R"("ProcessingConfiguration":{"Enabled":true,"Processors":[]})",
       "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled."},
      {R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"Lambda"}]})", "LambdaArn is missing"},
      {R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"MetadataExtraction"}]})",
       "MetadataExtractionQuery is missing"},
      {R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"Lambda"},{"Type":"Lambda"}]})",
       "Cannot have more than 1 Lambda processor."},
      {R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord","Parameters":)"
       R"([{"ParameterName":"RoleArn","ParameterValue":"x"}]}]})",
       "AppendDelimiterToRecord has no parameter RoleArn."},
      {Processing(R"({"Type":"CloudWatchLogProcessing","Parameters":[)"
                  R"({"ParameterName":"DataMessageExtraction","ParameterValue":"true"}]})"),
       "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor"},
      {Processing(R"({"Type":"Decompression"},{"Type":"CloudWatchLogProcessing"})"),
       "DataMessageExtraction has to be one of true, false"},
      {Processing(R"({"Type":"RecordDeAggregation","Parameters":[)"
                  R"({"ParameterName":"SubRecordType","ParameterValue":"DELIMITED"}]})"),
       "Delimiter should be present for DELIMITED"},
      {Processing(R"({"Type":"RecordDeAggregation","Parameters":[)"
                  R"({"ParameterName":"CompressionFormat","ParameterValue":"GZIP"}]})"),
       "RecordDeAggregation has no parameter CompressionFormat."},
      {Processing(R"({"Type":"RecordDeAggregation","Parameters":[)"
                  R"({"ParameterName":"SubRecordType","ParameterValue":"JSON"},)"
                  R"({"ParameterName":"SubRecordType","ParameterValue":"JSON"}]})"),
       "RecordDeAggregation has the parameter SubRecordType twice."},
      {R"("CustomTimeZone":"Mars/Olympus")",
       "CustomTimeZone: this machine does not know the time zone 'Mars/Olympus'; is the package tzdata installed?"},
  }));
  INFO(more);
  CHECK(core.TryCreate("d", more).error == Invalid(message));
}

TEST_CASE("CreateDeliveryStream: contradictions of a conversion", "[firehose]") {
  FirehoseCore core;
  const auto [more, message] = GENERATE(table<std::string, std::string>({
      {R"("CompressionFormat":"GZIP")",
       "CompressionFormat must be UNCOMPRESSED when data format conversion is enabled."},
      {R"("BufferingHints":{"SizeInMBs":63,"IntervalInSeconds":60})",
       "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled."},
      {R"("BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":0})",
       "BufferingHints.IntervalInSeconds must be greater than 0 when data format conversion is enabled."},
  }));
  CHECK(core.TryCreate("d", std::string(kConversion) + "," + more).error == Invalid(message));
  const auto broken = [&](std::string_view part, std::string_view with) {
    std::string conversion(kConversion);
    conversion.replace(conversion.find(part), part.size(), with);
    return core.TryCreate("d", conversion).error;
  };
  CHECK(broken(R"("SchemaConfiguration":{"TableName":"t"},)", "") ==
        Invalid("SchemaConfiguration is required when data format conversion is enabled."));
  CHECK(broken(R"("ParquetSerDe":{})", R"("OrcSerDe":{},"ParquetSerDe":{})") ==
        Invalid("Exactly one serializer must be specified when data format conversion is enabled."));
  CHECK(broken(R"("OpenXJsonSerDe":{})", "") ==
        Invalid("Exactly one deserializer must be specified when data format conversion is enabled."));
}

TEST_CASE("CreateDeliveryStream: a conversion to Parquet", "[firehose]") {
  FirehoseCore core;
  core.Create("d", kConversion);
  core.Put("d", R"({"id":1})");
  CHECK(core.Delivered("d").starts_with("PAR1"));
  CHECK(core.Lake().begin()->first.ends_with(".parquet"));
  CHECK(core.DescribedAt("d", "Destinations.0.ExtendedS3DestinationDescription.BufferingHints.SizeInMBs") == "128");
}

std::string WithTable(std::string_view database, std::string_view table) {
  std::string conversion(kConversion);
  constexpr std::string_view kTable = R"("TableName":"t")";
  conversion.replace(conversion.find(kTable), kTable.size(),
                     fmt::format(R"("DatabaseName":"{}","TableName":"{}")", database, table));
  return conversion;
}

TEST_CASE("CreateDeliveryStream: the columns of a Glue table, where its file is there", "[firehose]") {
  FirehoseCore core;
  core.PutTable("sales.orders.json", R"({"Table":{"Name":"orders","StorageDescriptor":{"Columns":[
      {"Name":"id","Type":"int"},{"Name":"at","Type":"timestamp"}]},"PartitionKeys":[{"Name":"day","Type":"date"}]}})");
  core.PutTable("sales/returns.json", R"({"StorageDescriptor":{"Columns":[{"Name":"id","Type":"strng"}]}})");
  core.Restart();
  core.Create("d", WithTable("sales", "Orders"));
  CHECK(core.Config("d").contains(R"("Sluice":{"StartPosition":"latest","DeaggregateKplRecords":false,)"
                                  R"("InferSchema":false,"GlueTable":"sales.Orders","Columns":[)"
                                  R"({"Name":"id","Type":"int"},{"Name":"at","Type":"timestamp"},)"
                                  R"({"Name":"day","Type":"date"}]})"));
  const Reply missing = core.TryCreate("e", WithTable("sales", "nothing"));
  CHECK(missing.type() == "InvalidArgumentException");
  CHECK(
      missing.message().starts_with("SchemaConfiguration: there is no table 'nothing' in database 'sales': no file "));
  CHECK(missing.message().ends_with("/tables/sales/nothing.json"));
  const Reply wrong = core.TryCreate("e", WithTable("sales", "returns"));
  CHECK(wrong.type() == "InvalidArgumentException");
  CHECK(
      wrong.message().ends_with("column 'id' (1 of StorageDescriptor.Columns): type 'strng', position 0: 'strng' is "
                                "no type we know; did you mean 'string'?"));
  CHECK(core.TryCreate("e", kConversion).message().contains("DatabaseName '' and TableName 't' name no table"));

  // A change reads the table again, and goes on without the folder.
  core.PutTable("sales.orders.json", R"({"TableInput":{"StorageDescriptor":{"Columns":[
      {"Name":"id","Type":"bigint"},{"Name":"at","Type":"timestamp"},{"Name":"day","Type":"date"},
      {"Name":"more","Type":"string"}]}}})");
  CHECK(core.Update("d", "1", R"("Prefix":"a/")").body == "{}");
  CHECK(core.Config("d").contains(R"({"Name":"id","Type":"bigint"})"));
  CHECK(core.Config("d").contains(R"({"Name":"more","Type":"string"})"));
  const Reply renamed = core.Update(
      "d", "2",
      R"("DataFormatConversionConfiguration":{"SchemaConfiguration":{"DatabaseName":"sales","TableName":"x"}})");
  CHECK(renamed.type() == "InvalidArgumentException");
  CHECK(renamed.message().starts_with("SchemaConfiguration: there is no table 'x' in database 'sales'"));
  core.ForgetTables();
  core.Restart();
  CHECK(core.Update("d", "2", R"("Prefix":"b/")").body == "{}");
  CHECK(core.Config("d").contains(R"({"Name":"more","Type":"string"})"));
}

TEST_CASE("CreateDeliveryStream: a conversion to ORC", "[firehose]") {
  FirehoseCore core;
  const auto with = [&](std::string_view name, std::string_view orc) {
    std::string conversion(kConversion);
    constexpr std::string_view kParquet = R"("ParquetSerDe":{})";
    conversion.replace(conversion.find(kParquet), kParquet.size(), fmt::format(R"("OrcSerDe":{{{}}})", orc));
    return core.TryCreate(name, conversion);
  };
  const std::string every =
      R"("StripeSizeBytes":8388608,"BlockSizeBytes":67108864,"RowIndexStride":1000,"EnablePadding":true,)"
      R"("PaddingTolerance":0.05,"Compression":"ZLIB","BloomFilterColumns":["id"],)"
      R"("BloomFilterFalsePositiveProbability":0,"DictionaryKeyThreshold":0.8,"FormatVersion":"V0_11")";
  REQUIRE(!with("d", every).error);
  core.Put("d", R"({"id":1})");
  CHECK(core.Delivered("d").starts_with("ORC"));
  CHECK(core.Lake().begin()->first.ends_with(".orc"));
  CHECK(core.Describe("d").body.contains(R"("Serializer":{"OrcSerDe":{)" + every + "}}"));
  REQUIRE(!with("plain", "").error);

  const auto [orc, problem] = GENERATE(table<std::string, std::string>({
      {R"("StripeSizeBytes":8388607)", "value greater than or equal to 8388608"},
      {R"("BlockSizeBytes":1)", "value greater than or equal to 67108864"},
      {R"("RowIndexStride":999)", "value greater than or equal to 1000"},
      {R"("PaddingTolerance":1.5)", "Value '1.5' at"},
      {R"("Compression":"ZSTD")", "enum value set: [NONE, ZLIB, SNAPPY]"},
      {R"("BloomFilterColumns":["a b"])", "regular expression pattern"},
      {R"("BloomFilterFalsePositiveProbability":-0.1)", "value greater than or equal to 0"},
      {R"("DictionaryKeyThreshold":2)", "value less than or equal to 1"},
      {R"("FormatVersion":"V0_13")", "enum value set: [V0_11, V0_12]"},
  }));
  const Reply reply = with("e", orc);
  INFO(reply.message());
  CHECK(reply.type() == "ValidationException");
  CHECK(reply.message().contains(problem));
}

TEST_CASE("CreateDeliveryStream: keys of objects are kept and told", "[firehose]") {
  constexpr std::string_view kEncryption =
      R"("EncryptionConfiguration":{"KMSEncryptionConfig":{"AWSKMSKeyARN":"arn:aws:kms:us-east-1:123456789012:key/k"}})";
  FirehoseCore core;
  core.Create("d", fmt::format("{},{}", kEncryption, Backup("," + std::string(kEncryption))));
  const auto key_at = [&](std::string_view place) {
    return core.DescribedAt(
        "d", fmt::format("Destinations.0.{}.EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN", place));
  };
  for (const std::string_view place : {"S3DestinationDescription", "ExtendedS3DestinationDescription",
                                       "ExtendedS3DestinationDescription.S3BackupDescription"})
    CHECK(key_at(place) == "arn:aws:kms:us-east-1:123456789012:key/k");
  core.Restart();
  CHECK(key_at("S3DestinationDescription") == "arn:aws:kms:us-east-1:123456789012:key/k");
  core.Put("d", "one");
  CHECK(core.Delivered("d") == "oneone");  // and its backup
  CHECK_FALSE(core.Update("d", "1", R"("EncryptionConfiguration":{"NoEncryptionConfig":"NoEncryption"})").error);
  CHECK(core.DescribedAt("d", "Destinations.0.S3DestinationDescription.EncryptionConfiguration.NoEncryptionConfig") ==
        "NoEncryption");
}

TEST_CASE("CreateDeliveryStream: encrypted from its first record on, or not at all", "[firehose]") {
  constexpr std::string_view kEncrypted =
      R"(,"DeliveryStreamEncryptionConfigurationInput":{"KeyType":"AWS_OWNED_CMK"})";
  FirehoseCore plain;
  const Reply refused = plain.TryCreate("d", "", kEncrypted);
  CHECK(refused.type() == "InvalidKMSResourceException");
  CHECK(refused.message().contains("set encryption.key_file"));
  CHECK(plain.Run("DescribeDeliveryStream", R"({"DeliveryStreamName":"d"})").type() == "ResourceNotFoundException");

  FirehoseCore core({}, {}, NewMasterKeys());
  core.Create("d", "", kEncrypted);
  CHECK(core.DescribedAt("d", "DeliveryStreamEncryptionConfiguration.Status") == "ENABLED");
  CHECK(core.Put("d", "one").At("Encrypted") == "true");
  CHECK(core.Delivered("d") == "one");
}

TEST_CASE("CreateDeliveryStream: what AWS does not know is ignored, and the last of two members counts", "[firehose]") {
  FirehoseCore core;
  core.Create("d", R"("Prefix":"a/","Prefix":"b/","Sluice":{"x":1},"FileExtension":null)", R"(,"More":[1])");
  const std::string described = core.Describe("d").body;
  CHECK(core.DescribedAt("d", "Destinations.0.ExtendedS3DestinationDescription.Prefix") == "b/");
  CHECK_FALSE(described.contains("Sluice"));
  CHECK_FALSE(described.contains("FileExtension"));
}

}  // namespace
}  // namespace sluice::broker::firehose
