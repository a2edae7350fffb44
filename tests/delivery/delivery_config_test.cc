// Configuration files: what is taken kindly, what is refused and where the message points, and the canonical form.
#include "broker/delivery/delivery_config.h"

#include <fmt/format.h>

#include <functional>

#include "tests/catch.h"
#include "tests/delivery/config_documents.h"

namespace sluice::delivery {
namespace {

struct KindCase {
  std::string what, destination, top, warning;
  std::function<bool(const DeliveryConfig&)> holds;
};

const KindCase kKindCases[] = {
    {"gzip in small letters", R"("CompressionFormat": "gzip")", "",
     "f.json:6: ExtendedS3DestinationConfiguration.CompressionFormat: 'gzip' is taken as GZIP",
     [](const DeliveryConfig& c) { return c.compression == RawCompression::kGzip; }},
    {"SNAPPY in large letters", R"("CompressionFormat": "SNAPPY")", "", "taken as Snappy",
     [](const DeliveryConfig& c) { return c.compression == RawCompression::kSnappy; }},
    {"hadoop-snappy", R"("CompressionFormat": "hadoop-snappy")", "", "taken as HADOOP_SNAPPY",
     [](const DeliveryConfig& c) { return c.compression == RawCompression::kHadoopSnappy; }},
    {"none", R"("CompressionFormat": "none")", "", "taken as UNCOMPRESSED",
     [](const DeliveryConfig& c) { return c.compression == RawCompression::kUncompressed; }},
    {"parquet as a compression", R"("CompressionFormat": "parquet")", "", "taken as a conversion to Parquet",
     [](const DeliveryConfig& c) { return c.convert && c.infer_schema && c.size_mb == 128; }},
    {"compression beside a conversion",
     R"("CompressionFormat": "GZIP", "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}})",
     "", "taken as ParquetSerDe.Compression GZIP",
     [](const DeliveryConfig& c) {
       return c.parquet.compression == ParquetCompression::kGzip && c.compression == RawCompression::kUncompressed;
     }},
    {"both compressions",
     R"("CompressionFormat": "GZIP", "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "ZSTD"}}}})",
     "", "passed over; the files are compressed with ZSTD",
     [](const DeliveryConfig& c) { return c.parquet.compression == ParquetCompression::kZstd; }},
    {"serializer as a word",
     R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": "parquet"}})", "",
     "taken as {\"ParquetSerDe\": {}}", [](const DeliveryConfig& c) { return c.convert; }},
    {"output format as a word", R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": "parquet"})", "",
     "taken as a ParquetSerDe", [](const DeliveryConfig& c) { return c.convert; }},
    {"orc as a compression", R"("CompressionFormat": "ORC")", "", "'orc' is taken as a conversion to ORC",
     [](const DeliveryConfig& c) { return c.convert && c.format == ConvertedFormat::kOrc && c.infer_schema; }},
    {"orc as a compression beside Parquet",
     R"("CompressionFormat": "orc", "DataFormatConversionConfiguration": {"OutputFormatConfiguration": "parquet"})", "",
     "stands beside a conversion to Parquet and is passed over",
     [](const DeliveryConfig& c) { return c.format == ConvertedFormat::kParquet; }},
    {"orc as a serializer's word",
     R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": "orc"}})", "",
     "taken as {\"OrcSerDe\": {}}", [](const DeliveryConfig& c) { return c.format == ConvertedFormat::kOrc; }},
    {"orc as an output format's word",
     R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": "OrcSerDe"})", "", "taken as an OrcSerDe",
     [](const DeliveryConfig& c) { return c.format == ConvertedFormat::kOrc; }},
    {"compression beside ORC", "\"CompressionFormat\": \"GZIP\", " + WithOrc(""), "",
     "taken as OrcSerDe.Compression ZLIB",
     [](const DeliveryConfig& c) { return c.orc.compression == OrcCompression::kZlib; }},
    {"both compressions beside ORC", "\"CompressionFormat\": \"GZIP\", " + WithOrc("\"Compression\": \"none\""), "",
     "passed over; the files are compressed with NONE",
     [](const DeliveryConfig& c) { return c.orc.compression == OrcCompression::kNone; }},
    {"padding", WithOrc("\"EnablePadding\": true, \"PaddingTolerance\": 0.05"), "",
     "OrcSerDe.EnablePadding: is passed over: it is for HDFS only", [](const DeliveryConfig&) { return true; }},
    {"no output format", R"("DataFormatConversionConfiguration": {"Enabled": true})", "", "names no serializer",
     [](const DeliveryConfig& c) { return c.convert && c.parquet.compression == ParquetCompression::kSnappy; }},
    {"glue table",
     R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": "parquet", "SchemaConfiguration": {"DatabaseName": "d", "TableName": "t"}})",
     "", "the Glue table 't' is not asked", [](const DeliveryConfig& c) { return c.infer_schema; }},
    {"a table that was read before", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"GlueTable": "d.t", "Columns": [{"Name": "a", "Type": "int"}]})", "parquet",
     [](const DeliveryConfig& c) { return c.glue_table == "d.t" && c.columns.size() == 1 && !c.infer_schema; }},
    {"error prefix without its type", R"("ErrorOutputPrefix": "errors")", "",
     "taken as 'errors/!{firehose:error-output-type}/'",
     [](const DeliveryConfig& c) { return c.error_prefix == "errors/!{firehose:error-output-type}/"; }},
    {"error prefix with time but without its type", R"("ErrorOutputPrefix": "errors/!{timestamp:yyyy}/")", "",
     "f.json:6: ExtendedS3DestinationConfiguration.ErrorOutputPrefix",
     [](const DeliveryConfig& c) {
       return c.error_prefix == "errors/!{timestamp:yyyy}/!{firehose:error-output-type}/";
     }},
    {"prefix with expressions, no error prefix", R"("Prefix": "d=!{timestamp:yyyy}/")", "",
     "ErrorOutputPrefix: is missing",
     [](const DeliveryConfig& c) { return c.error_prefix == "!{firehose:error-output-type}/"; }},
    {"leading slash", R"("Prefix": "/data/")", "", "without the '/' in front",
     [](const DeliveryConfig& c) { return c.prefix == "data/"; }},
    {"one buffering hint", R"("BufferingHints": {"SizeInMBs": 64})", "", "both hints or neither",
     [](const DeliveryConfig& c) { return c.size_mb == 64 && c.interval_s == 300; }},
    {"a large buffer", R"("BufferingHints": {"SizeInMBs": 512, "IntervalInSeconds": 60})", "",
     "at most 128; taken as it is", [](const DeliveryConfig& c) { return c.size_mb == 512 && c.interval_s == 60; }},
    {"a long interval", R"("BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 3600})", "",
     "at most 900; taken as it is", [](const DeliveryConfig& c) { return c.interval_s == 3600; }},
    {"numbers as strings", R"("BufferingHints": {"SizeInMBs": "512", "IntervalInSeconds": "60"})", "", "at most 128",
     [](const DeliveryConfig& c) { return c.size_mb == 512 && c.interval_s == 60; }},
    {"small buffer with conversion",
     R"("BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0}, "CompressionFormat": "parquet")", "",
     "at least 64 with a conversion", [](const DeliveryConfig& c) { return c.size_mb == 1 && c.interval_s == 0; }},
    {"KMS", R"("EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "k"}})", "",
     "Sluice encrypts no objects", [](const DeliveryConfig&) { return true; }},
    {"CloudWatch", R"("CloudWatchLoggingOptions": {"Enabled": true, "LogGroupName": "g", "LogStreamName": "s"})", "",
     "broker's log", [](const DeliveryConfig&) { return true; }},
    {"processors that are off", R"("ProcessingConfiguration": {"Processors": [{"Type": "Lambda"}]})", "",
     "is not enabled", [](const DeliveryConfig&) { return true; }},
    {"a backup that is off", R"("S3BackupConfiguration": {"BucketARN": "x"})", "", "passed over",
     [](const DeliveryConfig&) { return true; }},
    {"another case of a key", R"("bufferingHints": {"sizeInMBs": 64, "intervalInSeconds": 60})", "",
     "taken as BufferingHints", [](const DeliveryConfig& c) { return c.size_mb == 64; }},
    {"schema without conversion", R"("CompressionFormat": "GZIP")", R"("Sluice": {"InferSchema": true})",
     "a schema is passed over", [](const DeliveryConfig& c) { return !c.infer_schema; }},
    {"start position", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"StartPosition": "time:2026-11-21T10:00:00Z", "FileSizeMB": 1024})", "parquet",
     [](const DeliveryConfig& c) {
       return c.start == StartPosition{StartPosition::Kind::kTime, 1795255200000} && c.size_mb == 1024;
     }},
    {"columns", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"Columns": [{"Name": "a", "Type": "INT"}, {"Name": "b", "Type": "array<string>"}]})", "parquet",
     [](const DeliveryConfig& c) {
       return c.columns == std::vector<ColumnConfig>{{"a", "int"}, {"b", "array<string>"}} && !c.infer_schema;
     }},
};

struct SortCase {
  std::string_view sort_by;
  std::vector<SortKey> keys;
};

const SortCase kSortCases[] = {
    {R"("a")", {{"a", false}}},
    {R"(["b desc", " a  ascending "])", {{"b", true}, {"a", false}}},
    {R"([{"Column": "b", "Order": "DESC"}, {"Column": "a"}])", {{"b", true}, {"a", false}}},
    {R"({"column": "A", "order": "descending"})", {{"A", true}}},
};

struct ErrorCase {
  std::string what, destination, top, message;
  Code code = Code::kInvalidArgument;
};

const ErrorCase kErrorCases[] = {
    {"unknown key", R"("Prefixx": "a/")", "",
     "f.json:6: ExtendedS3DestinationConfiguration.Prefixx: unknown key; did you mean 'Prefix'?"},
    {"unknown key on its own line", "\n\n\"Nonsense\": 1", "",
     "f.json:8: ExtendedS3DestinationConfiguration.Nonsense: unknown key"},
    {"unknown top key", "\"Prefix\": \"a/\"", R"("Sluise": {})",
     "f.json:2: Sluise: unknown key; did you mean 'Sluice'?"},
    {"unknown key under Sluice", "\"Prefix\": \"a/\"", R"("Sluice": {"StartPos": "latest"})",
     "f.json:2: Sluice.StartPos: unknown key"},
    {"no such compression", R"("CompressionFormat": "lzo")", "",
     "f.json:6: ExtendedS3DestinationConfiguration.CompressionFormat: 'lzo' is no format"},
    {"bad prefix", R"("Prefix": "!{timestamp:yyyy")", "",
     "f.json:6: ExtendedS3DestinationConfiguration.Prefix: the expression"},
    {"way out of the lake", R"("Prefix": "../../etc/")", "", "'..' is not allowed"},
    {"bad error prefix", R"("ErrorOutputPrefix": "!{firehose:nonsense}/")", "",
     "f.json:6: ExtendedS3DestinationConfiguration.ErrorOutputPrefix"},
    {"not a number", R"("BufferingHints": {"SizeInMBs": "big", "IntervalInSeconds": 1})", "",
     "BufferingHints.SizeInMBs: must be a whole number"},
    {"negative interval", R"("BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": -1})", "",
     "must be between 0 and 86400, not -1"},
    {"zero size", R"("BufferingHints": {"SizeInMBs": 0, "IntervalInSeconds": 60})", "",
     "must be between 1 and 4096, not 0"},
    {"fraction", R"("BufferingHints": {"SizeInMBs": 1.5, "IntervalInSeconds": 60})", "", "must be a whole number"},
    {"map wanted", R"("BufferingHints": 5)", "", "BufferingHints: must be a map of keys and values, not a number"},
    {"string wanted", R"("Prefix": {})", "", "Prefix: must be a string, not a map"},
    {"a page larger than its row group",
     R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"BlockSizeBytes": 1048576, "PageSizeBytes": 2097152}}}})",
     "", "ParquetSerDe.PageSizeBytes: is 2097152, more than BlockSizeBytes, which is 1048576"},
    {"no such compression of ORC", WithOrc("\"Compression\": \"brotli\""), "",
     "OrcSerDe.Compression: 'brotli' is none of NONE, ZLIB, SNAPPY, ZSTD"},
    {"short stripes", WithOrc("\"StripeSizeBytes\": 1000"), "",
     "StripeSizeBytes: must be between 1048576 and 1073741824"},
    {"short strides", WithOrc("\"RowIndexStride\": 999"), "", "RowIndexStride: must be between 1000 and"},
    {"a proportion above one", WithOrc("\"DictionaryKeyThreshold\": 1.1"), "",
     "f.json:6: ExtendedS3DestinationConfiguration.DataFormatConversionConfiguration.OutputFormatConfiguration."
     "Serializer.OrcSerDe.DictionaryKeyThreshold: must be a number between 0 and 1"},
    {"a proportion that is none", WithOrc("\"BloomFilterFalsePositiveProbability\": \"low\""), "",
     "BloomFilterFalsePositiveProbability: must be a number between 0 and 1"},
    {"no such version of ORC", WithOrc("\"FormatVersion\": \"V1\""), "", "FormatVersion: must be V0_11 or V0_12"},
    {"Bloom filters that are no list", WithOrc("\"BloomFilterColumns\": \"a\""), "",
     "BloomFilterColumns: must be a list, not a string"},
    {"unknown key of ORC", WithOrc("\"PageSizeBytes\": 65536"), "", "OrcSerDe.PageSizeBytes: unknown key"},
    {"both serializers",
     R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"OrcSerDe": {}, "ParquetSerDe": {}}}})",
     "", "give one of them"},
    {"both deserializers",
     R"("DataFormatConversionConfiguration": {"InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}, "HiveJsonSerDe": {}}}})",
     "", "beside OpenXJsonSerDe"},
    {"partition keys without partitioning",
     R"("Prefix": "!{partitionKeyFromQuery:c}/", "DynamicPartitioningConfiguration": {"Enabled": false})", "",
     "Prefix: holds partition keys, and DynamicPartitioningConfiguration is not enabled"},
    {"partition keys from nowhere", R"("Prefix": "c=!{partitionKeyFromQuery:c}/")", "",
     "partitionKeyFromQuery:c needs the processor MetadataExtraction"},
    {"partition keys from no Lambda", R"("Prefix": "c=!{partitionKeyFromLambda:c}/")", "",
     "partitionKeyFromLambda:c needs the processor Lambda"},
    {"a partition key that the query does not name",
     R"("Prefix": "c=!{partitionKeyFromQuery:d}/", "ProcessingConfiguration": {"Enabled": true, "Processors": [
         {"Type": "MetadataExtraction", "Parameters": [{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{c: .c}"}]}]})",
     "", "MetadataExtractionQuery does not name 'd'"},
    {"a processor without its parameter",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "MetadataExtraction"}]})", "",
     "MetadataExtraction: MetadataExtractionQuery is missing"},
    {"another engine",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "MetadataExtraction", "Parameters": [
         {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{c: .c}"},
         {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-2"}]}]})",
     "", "JsonParsingEngine 'JQ-2' is unknown; there is JQ-1.6"},
    {"a parameter of another processor",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "MetadataExtraction", "Parameters": [
         {"ParameterName": "Delimiter", "ParameterValue": "x"}]}]})",
     "", "'Delimiter' is unknown; MetadataExtraction has MetadataExtractionQuery, JsonParsingEngine"},
    {"a processor twice",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [
         {"Type": "MetadataExtraction", "Parameters": [{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{c: .c}"}]},
         {"Type": "MetadataExtraction", "Parameters": [{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{c: .c}"}]}]})",
     "", "the processor MetadataExtraction is there twice"},
    {"lambda", R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda"}]})", "",
     "Lambda: LambdaArn is missing"},
    {"a processor that needs another",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "CloudWatchLogProcessing",
        "Parameters": [{"ParameterName": "DataMessageExtraction", "ParameterValue": "true"}]}]})",
     "", "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor"},
    {"a processor's unknown parameter",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Decompression",
        "Parameters": [{"ParameterName": "Format", "ParameterValue": "GZIP"}]}]})",
     "", "'Format' is unknown; Decompression has CompressionFormat"},
    {"a processor's parameter without sense",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "RecordDeAggregation",
        "Parameters": [{"ParameterName": "SubRecordType", "ParameterValue": "CSV"}]}]})",
     "", "RecordDeAggregation: SubRecordType has to be one of JSON, DELIMITED"},
    {"a processor twice",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Decompression"}, {"Type": "decompression"}]})",
     "", "the processor Decompression is there twice; give one"},
    {"two destinations", "\"Prefix\": \"a/\"", R"("S3DestinationConfiguration": {"BucketARN": "b"})",
     "f.json:2: S3DestinationConfiguration: exactly one destination"},
    {"other destination", "\"Prefix\": \"a/\"", R"("IcebergDestinationConfiguration": {})",
     "f.json:2: IcebergDestinationConfiguration: is not yet served", Code::kUnimplemented},
    {"contradicting types", "\"Prefix\": \"a/\"",
     R"("DirectPutSourceConfiguration": {"ThroughputHintInMBs": 1}, "KinesisStreamSourceConfiguration": {})",
     "the key 'KinesisStreamSourceConfiguration' stands here a second time (first on line 2)"},
    {"columns and table", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"TableFile": "t.json", "Columns": [{"Name": "a", "Type": "int"}]})",
     "f.json:2: Sluice.TableFile: stands beside Columns"},
    {"bad type", R"("CompressionFormat": "parquet")", R"("Sluice": {"Columns": [{"Name": "a", "Type": "integer[]"}]})",
     "f.json:2: Sluice.Columns.Type"},
    {"column twice", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"Columns": [{"Name": "a", "Type": "int"}, {"Name": "a", "Type": "int"}]})", "'a' stands twice"},
    {"no schema at all", R"("CompressionFormat": "parquet")", R"("Sluice": {"InferSchema": false})",
     "Sluice.InferSchema: is false, but there is no schema"},
    {"bad start", "\"Prefix\": \"a/\"", R"("Sluice": {"StartPosition": "yesterday"})",
     "f.json:2: Sluice.StartPosition: 'yesterday' is none of oldest, latest"},
    {"no folder of tables", R"("CompressionFormat": "parquet")", R"("Sluice": {"GlueTable": "d.t"})",
     "f.json:2: Sluice.GlueTable: cannot be read: the setting delivery.tables_dir names no folder"},
    {"a table without its database", R"("CompressionFormat": "parquet")", R"("Sluice": {"GlueTable": "t"})",
     "Sluice.GlueTable: 't' names no table; write DATABASE.TABLE"},
    {"a table out of the folder", R"("CompressionFormat": "parquet")", R"("Sluice": {"GlueTable": "../x.t"})",
     "'../x.t' names no table"},
    {"a table twice", R"("CompressionFormat": "parquet")", R"("Sluice": {"GlueTable": "d.t", "TableFile": "t.json"})",
     "stands beside TableFile; give one of them"},
    {"two delimiters",
     R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "AppendDelimiterToRecord"}]})",
     R"("Sluice": {"Delimiter": ""})", "beside Sluice.Delimiter"},
    {"bad extension", R"("FileExtension": "gz")", "", "FileExtension: must be a '.'"},
    {"bad zone", R"("CustomTimeZone": "../../etc/passwd")", "", "CustomTimeZone: must be a time zone's name"},
    {"sorting by an unknown column", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"Columns": [{"Name": "user_id", "Type": "int"}], "SortBy": [{"Column": "usr_id"}]})",
     "f.json:2: Sluice.SortBy: there is no column 'usr_id'; did you mean 'user_id'?"},
    {"sorting by a list", R"("CompressionFormat": "parquet")",
     R"("Sluice": {"Columns": [{"Name": "tags", "Type": "array<int>"}], "SortBy": "tags"})",
     "Sluice.SortBy: 'tags' is of type array<int>; rows are sorted by plain columns"},
    {"sorting order", R"("CompressionFormat": "parquet")", R"("Sluice": {"SortBy": [{"Column": "a", "Order": "up"}]})",
     "Sluice.SortBy.Order: 'up' is neither asc nor desc"},
    {"sorting by nothing", R"("CompressionFormat": "parquet")", R"("Sluice": {"SortBy": [{"Order": "asc"}]})",
     "f.json:2: Sluice.SortBy: names no column"},
    {"sorting key twice", R"("CompressionFormat": "parquet")", R"("Sluice": {"SortBy": ["a", "a desc"]})",
     "'a' stands twice"},
    {"sorting without Parquet", R"("CompressionFormat": "GZIP")", R"("Sluice": {"SortBy": "a"})",
     "f.json:2: Sluice.SortBy: rows of Parquet and ORC files are sorted"},
    {"MSK", "\"Prefix\": \"a/\"", R"("MSKSourceConfiguration": {})", "MSKSourceConfiguration: is not yet served",
     Code::kUnimplemented},
};

std::string_view OrTags(std::string_view top) { return top.empty() ? "\"Tags\": []" : top; }

}  // namespace

TEST_CASE("ParseDeliveryConfig: a full Firehose document gives no warning", "[delivery]") {
  const auto parsed = ParseDeliveryConfig(
      Document(
          R"("Prefix": "orders/!{timestamp:yyyy/MM/dd}/", "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
    "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300}, "CompressionFormat": "GZIP", "S3BackupMode": "Disabled",
    "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"}, "FileExtension": ".json.gz", "CustomTimeZone": "Europe/Berlin")"),
      "f.json");
  REQUIRE(parsed.has_value());
  CHECK(Joined(parsed->warnings).empty());
  const DeliveryConfig& config = parsed->config;
  CHECK(config.name == "orders-lake");
  CHECK(config.source_stream == "orders");
  CHECK_FALSE(config.direct_put);
  CHECK(config.bucket == "lake");
  CHECK(config.time_zone == "Europe/Berlin");
  CHECK(ObjectExtension(config) == ".json.gz");
  CHECK(config.start.kind == StartPosition::Kind::kLatest);
}

TEST_CASE("ParseDeliveryConfig: the obvious meaning is taken and said", "[delivery]") {
  for (const KindCase& c : kKindCases) {
    INFO(c.what);
    const auto parsed = ParseDeliveryConfig(Document(c.destination, OrTags(c.top)), "f.json");
    INFO((parsed ? Joined(parsed->warnings) : parsed.error().message()));
    REQUIRE(parsed.has_value());
    CHECK(Contains(Joined(parsed->warnings), c.warning));
    CHECK(c.holds(parsed->config));
  }
}

TEST_CASE("ParseDeliveryConfig: sorting in every spelling, and its canonical form", "[delivery]") {
  constexpr std::string_view kColumns = R"("Columns": [{"Name": "a", "Type": "int"}, {"Name": "b", "Type": "string"}])";
  for (const SortCase& c : kSortCases) {
    INFO(c.sort_by);
    const std::string top = fmt::format(R"("Sluice": {{{}, "SortBy": {}}})", kColumns, c.sort_by);
    const auto parsed = ParseDeliveryConfig(Document(kConversion, top), "f.json");
    INFO((parsed ? "" : parsed.error().message()));
    REQUIRE(parsed.has_value());
    CHECK(parsed->config.parquet.sort_by == c.keys);
    const auto again = ParseDeliveryConfig(DeliveryConfigToJson(parsed->config), "canonical.json");
    REQUIRE(again.has_value());
    CHECK(again->config.parquet.sort_by == c.keys);
  }
  const auto inferred = ParseDeliveryConfig(
      Document(kConversion, fmt::format(R"("Sluice": {{{}, "InferSchema": true, "SortBy": "aa"}})", kColumns)),
      "f.json");
  REQUIRE(inferred.has_value());
  CHECK(Contains(Joined(inferred->warnings), "there is no column 'aa'; did you mean 'a'?; passed over until"));
}

TEST_CASE("ParseDeliveryConfig: mistakes name file, line and key", "[delivery]") {
  for (const ErrorCase& c : kErrorCases) {
    INFO(c.what);
    const auto parsed = ParseDeliveryConfig(Document(c.destination, OrTags(c.top)), "f.json");
    REQUIRE_FALSE(parsed.has_value());
    INFO(parsed.error().message());
    CHECK(Contains(parsed.error().message(), c.message));
    CHECK(parsed.error().code() == c.code);
  }
}

TEST_CASE("ParseDeliveryConfig: the smallest document is direct put", "[delivery]") {
  const auto parsed = ParseDeliveryConfig(
      R"({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": {"BucketARN": "lake"}})", "f.json");
  REQUIRE(parsed.has_value());
  CHECK(parsed->config.direct_put);
  CHECK(parsed->config.source_stream == "delivery:d");
  CHECK(Contains(Joined(parsed->warnings), "RoleARN: is missing"));
  CHECK(Contains(Joined(parsed->warnings), "taken as arn:aws:s3:::lake"));
  CHECK(parsed->config.size_mb == 5);
}

TEST_CASE("ParseDeliveryConfig: what is missing is said at once", "[delivery]") {
  const auto parsed = ParseDeliveryConfig("{}", "f.json");
  REQUIRE_FALSE(parsed.has_value());
  CHECK(Contains(parsed.error().message(), "f.json:1: DeliveryStreamName: is missing"));
  CHECK(Contains(parsed.error().message(), "where shall the records go?"));
  CHECK(Contains(
      ParseDeliveryConfig(R"({"DeliveryStreamName": "a/b", "S3DestinationConfiguration": {"BucketARN": "x"}})", "f")
          .error()
          .message(),
      "'a/b' is no name"));
  CHECK(Contains(
      ParseDeliveryConfig(R"({"DeliveryStreamName": "a", "S3DestinationConfiguration": {}})", "f").error().message(),
      "BucketARN: is missing"));
}

TEST_CASE("ParseDeliveryConfig: broken JSON and YAML name the line", "[delivery]") {
  CHECK(Contains(ParseDeliveryConfig("{\n\"DeliveryStreamName\": \"d\",\n\"x\" 5}", "f.json").error().message(),
                 "f.json:3: not valid JSON"));
  CHECK(Contains(ParseDeliveryConfig("{\n\"DeliveryStreamName\": \"d\"", "f.json").error().message(),
                 "f.json:2: not valid JSON"));
  CHECK(Contains(ParseDeliveryConfig("{}\n{}", "f.json").error().message(), "more text after the end"));
  CHECK(Contains(ParseDeliveryConfig("", "f.json").error().message(), "empty"));
  CHECK(Contains(ParseDeliveryConfig("a: 1\nb: [1\n", "f.yaml").error().message(), "f.yaml:"));
  CHECK(Contains(ParseDeliveryConfig("a: 1\n---\na: 2\n", "f.yaml").error().message(),
                 "f.yaml:2: only one YAML document"));
  CHECK_FALSE(ParseDeliveryConfig("!,1", "f.yaml").has_value());  // yaml-cpp's LoadAll would not end
  CHECK(Contains(ParseDeliveryConfig("a: 1\na: 2\n", "f.yaml").error().message(),
                 "f.yaml:2: the key 'a' stands here a second time"));
  CHECK(Contains(ParseDeliveryConfig(std::string(100, '[') + std::string(100, ']'), "f.json").error().message(),
                 "nested too deeply"));
  CHECK(Contains(ParseDeliveryConfig("[1, 2]", "f.json").error().message(), "must be a map"));
  CHECK(
      Contains(ParseDeliveryConfig("\"\xff\xfe\"", "f.json").error().message(), "f.json:1: the document is not UTF-8"));
  CHECK(Contains(ParseDeliveryConfig("DeliveryStreamName: \xb2", "f.yaml").error().message(),
                 "f.yaml:1: the document is not UTF-8"));
}

TEST_CASE("ParseDeliveryConfig: YAML with the same keys, tabs, large numbers and escapes", "[delivery]") {
  const auto yaml = ParseDeliveryConfig(
      "# from the wiki\nDeliveryStreamName: orders-lake\nKinesisStreamSourceConfiguration:\n  KinesisStreamARN: "
      "orders\n"
      "ExtendedS3DestinationConfiguration:\n  RoleARN: r\n  BucketARN: arn:aws:s3:::lake\n  CompressionFormat: GZIP\n"
      "  BufferingHints: {SizeInMBs: 5, IntervalInSeconds: 60}\nSluice:\n  Delimiter: \"\\t|\\u00e9\\n\"\n",
      "f.yaml");
  REQUIRE(yaml.has_value());
  CHECK(yaml->config.delimiter == "\t|\xc3\xa9\n");
  CHECK(yaml->config.interval_s == 60);
  const auto json = ParseDeliveryConfig(
      "{\t\"DeliveryStreamName\"\t:\t\"d\\u002dx\",\r\n\t\"ExtendedS3DestinationConfiguration\":\t{\"BucketARN\":\"b\","
      "\"BufferingHints\":{\"SizeInMBs\":99999999999999999999,\"IntervalInSeconds\":1}}}",
      "f.json");
  REQUIRE_FALSE(json.has_value());
  CHECK(Contains(json.error().message(),
                 "f.json:2: ExtendedS3DestinationConfiguration.BufferingHints.SizeInMBs: must be"));
  CHECK_FALSE(Contains(json.error().message(), "is no name"));
}

TEST_CASE("ParseDeliveryConfig: KPL aggregates are opened where a stream is read, as Firehose does", "[delivery]") {
  constexpr std::string_view kDirect =
      R"({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake", "Prefix": "a/"}})";
  CHECK_FALSE(ParseDeliveryConfig(kDirect, "f.json")->config.deaggregate_kpl);
  const std::string stream = Document("\"Prefix\": \"a/\"", OrTags(""));
  CHECK(ParseDeliveryConfig(stream, "f.json")->config.deaggregate_kpl);
  const bool on = GENERATE(true, false);
  const auto said = ParseDeliveryConfig(
      Document("\"Prefix\": \"a/\"", fmt::format(R"("Sluice": {{"DeaggregateKplRecords": {}}})", on)), "f.json");
  REQUIRE(said.has_value());
  CHECK(said->config.deaggregate_kpl == on);
  const std::string stored = DeliveryConfigToJson(said->config);
  CHECK(ParseStoredDeliveryConfig(stored)->config.deaggregate_kpl == on);
  CHECK(ParseDeliveryConfig(stored, "f.json")->config.deaggregate_kpl == on);
}

TEST_CASE("ParseStoredDeliveryConfig: what an older version stored goes on as it was", "[delivery]") {
  const auto parsed = ParseDeliveryConfig(Document("\"Prefix\": \"a/\"", OrTags("")), "f.json");
  std::string stored = DeliveryConfigToJson(parsed->config);
  constexpr std::string_view kKey = R"("DeaggregateKplRecords":true,)";
  REQUIRE(stored.contains(kKey));
  stored.erase(stored.find(kKey), kKey.size());
  const auto again = ParseStoredDeliveryConfig(stored);
  REQUIRE(again.has_value());
  CHECK_FALSE(again->config.deaggregate_kpl);
}

TEST_CASE("DeliveryConfigToJson: the canonical form reads back to the same", "[delivery]") {
  for (const KindCase& c : kKindCases) {
    INFO(c.what);
    const auto parsed = ParseDeliveryConfig(Document(c.destination, OrTags(c.top)), "f.json");
    REQUIRE(parsed.has_value());
    const std::string canonical = DeliveryConfigToJson(parsed->config);
    const auto again = ParseDeliveryConfig(canonical, "canonical.json");
    INFO(canonical);
    INFO((again ? "" : again.error().message()));
    REQUIRE(again.has_value());
    CHECK(DeliveryConfigToJson(again->config) == canonical);
    CHECK(c.holds(again->config));
  }
  const auto processor = ParseDeliveryConfig(
      Document(R"("ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "AppendDelimiterToRecord",
    "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]}]})"),
      "f.json");
  REQUIRE(processor.has_value());
  CHECK(processor->config.delimiter == "\n");
  CHECK_FALSE(processor->config.delimiter_after_last);
  CHECK_FALSE(ParseDeliveryConfig(DeliveryConfigToJson(processor->config), "c")->config.delimiter_after_last);
  CHECK(ParseDeliveryConfig(Document(kConversion), "f.json")->config.convert);
}

TEST_CASE("ParseDeliveryConfig: processors in the order and with the parameters that were given", "[delivery]") {
  const auto parsed = ParseDeliveryConfig(Document(R"("ProcessingConfiguration": {"Enabled": true, "Processors": [
    {"Type": "RecordDeAggregation", "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "Cg=="},
                                                   {"ParameterName": "SubRecordType", "ParameterValue": "DELIMITED"}]},
    {"Type": "AppendDelimiterToRecord"}, {"Type": "decompression"}]})"),
                                          "f.json");
  REQUIRE(parsed.has_value());
  const std::vector<ProcessorConfig> processors = {
      {"RecordDeAggregation", {{"Delimiter", "Cg=="}, {"SubRecordType", "DELIMITED"}}}, {"Decompression", {}}};
  CHECK(parsed->config.processors == processors);
  CHECK_FALSE(parsed->config.delimiter_after_last);
  const auto again = ParseDeliveryConfig(DeliveryConfigToJson(parsed->config), "c");
  REQUIRE(again.has_value());
  CHECK(again->config.processors == processors);
  CHECK(again->config.delimiter == "\n");
}

}  // namespace sluice::delivery
