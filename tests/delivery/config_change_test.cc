// What may change about a delivery stream that exists, what may not, and the schema that comes of it.
#include "broker/delivery/config_change.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/catch.h"
#include "tests/delivery/sample_config.h"

namespace sluice::delivery {
namespace {

using Strings = std::vector<std::string>;

DeliveryConfig Base() {
  DeliveryConfig config = ParquetConfig();
  config.columns = {{"id", "int"}, {"place", "struct<x:int,y:float>"}, {"price", "decimal(8,2)"}};
  return config;
}

struct Case {
  std::string_view what;
  std::function<void(DeliveryConfig&)> change;
  Strings keys;
  std::string_view refused;  // part of the only sentence; empty: the change can be made
};

const Case kCases[] = {
    {"nothing", [](DeliveryConfig&) {}, {}, ""},
    {"buffering",
     [](DeliveryConfig& c) {
       c.size_mb = 64;
       c.interval_s = 10;
     },
     {"BufferingHints.SizeInMBs", "BufferingHints.IntervalInSeconds"},
     ""},
    {"a very large file",
     [](DeliveryConfig& c) { c.size_mb = 8192; },
     {"BufferingHints.SizeInMBs", "Sluice.FileSizeMB"},
     ""},
    {"prefixes",
     [](DeliveryConfig& c) {
       c.prefix = "a/";
       c.error_prefix = "b/!{firehose:error-output-type}/";
       c.time_zone = "Europe/Berlin";
     },
     {"Prefix", "ErrorOutputPrefix", "CustomTimeZone"},
     ""},
    {"sorting", [](DeliveryConfig& c) { c.parquet.sort_by = {{"id", true}}; }, {"Sluice.SortBy"}, ""},
    {"another format",
     [](DeliveryConfig& c) { c.format = ConvertedFormat::kOrc; },
     {"DataFormatConversionConfiguration.OutputFormatConfiguration.Serializer.ParquetSerDe",
      "DataFormatConversionConfiguration.OutputFormatConfiguration.Serializer.OrcSerDe"},
     ""},
    {"aggregates", [](DeliveryConfig& c) { c.deaggregate_kpl = true; }, {"Sluice.DeaggregateKplRecords"}, ""},
    {"processors",
     [](DeliveryConfig& c) { c.processors = {{"RecordDeAggregation", {{"SubRecordType", "JSON"}}}}; },
     {"ProcessingConfiguration"},
     ""},
    {"tags", [](DeliveryConfig& c) { c.tags = {{"a", "b"}}; }, {"Tags"}, ""},
    {"source",
     [](DeliveryConfig& c) { c.source_stream = "other"; },
     {"KinesisStreamSourceConfiguration.KinesisStreamARN"},
     "the source is 'orders' and cannot become 'other'"},
    {"direct put",
     [](DeliveryConfig& c) {
       c.direct_put = true;
       c.source_stream = "delivery:orders-lake";
     },
     {"DeliveryStreamType", "KinesisStreamSourceConfiguration"},
     "make a delivery stream of another name"},
    {"start",
     [](DeliveryConfig& c) { c.start.kind = StartPosition::Kind::kOldest; },
     {"Sluice.StartPosition"},
     "counts at creation only"},
    {"a backup",
     [](DeliveryConfig& c) { c.backup = BackupConfig{.bucket = "spare", .prefix = "raw/"}; },
     {"S3BackupMode", "S3BackupConfiguration", "Sluice.BackupDelimiter"},
     ""},
    {"bucket", [](DeliveryConfig& c) { c.bucket = "sea"; }, {"BucketARN"}, ""},
    {"no conversion",
     [](DeliveryConfig& c) {
       c.convert = false;
       c.columns.clear();
     },
     {"DataFormatConversionConfiguration", "Sluice.InferSchema", "Sluice.Columns", "Sluice.Delimiter"},
     ""},
    {"another kind of destination",
     [](DeliveryConfig& c) {
       c.convert = false;
       c.columns.clear();
       c.endpoint = {.type = "HttpEndpoint", .url = "https://example.com/in"};
     },
     {"ExtendedS3DestinationConfiguration", "Sluice.InferSchema", "Sluice.Columns",
      "HttpEndpointDestinationConfiguration"},
     ""},
    {"another type",
     [](DeliveryConfig& c) { c.columns[0].type = "string"; },
     {"Sluice.Columns"},
     "column 'id' is of type int in the files so far and cannot become string"},
    {"a narrower type",
     [](DeliveryConfig& c) { c.columns[0].type = "smallint"; },
     {"Sluice.Columns"},
     "cannot become smallint"},
    {"another scale",
     [](DeliveryConfig& c) { c.columns[2].type = "decimal(8,3)"; },
     {"Sluice.Columns"},
     "cannot become decimal(8,3)"},
    {"a struct's field in front",
     [](DeliveryConfig& c) { c.columns[1].type = "struct<z:int,x:int,y:float>"; },
     {"Sluice.Columns"},
     "column 'place'"},
    {"no such column any more",
     [](DeliveryConfig& c) { c.columns.pop_back(); },
     {"Sluice.Columns"},
     "column 'price' cannot be removed"},
    {"one key for two columns",
     [](DeliveryConfig& c) { c.columns.push_back({"ID", "int"}); },
     {"Sluice.Columns"},
     "ID"},
};

std::string Types(const Schema& schema) {
  std::string text;
  for (const Field& column : schema.columns) text += fmt::format("{} {}, ", column.name, ToHiveType(column.type));
  return text;
}

}  // namespace

TEST_CASE("CompareConfigs: names the keys that differ, and refuses what positions and readers stand on", "[delivery]") {
  const std::optional<Schema> pinned = DeclaredSchema(Base());
  for (const Case& c : kCases) {
    INFO(c.what);
    DeliveryConfig after = Base();
    c.change(after);
    const ConfigChange change = CompareConfigs(Base(), after, pinned);
    INFO(fmt::format("{} | {}", fmt::join(change.keys, " "), fmt::join(change.refused, " ")));
    CHECK(change.keys == c.keys);
    CHECK(change.refused.size() == (c.refused.empty() ? 0 : 1));
    if (c.refused.empty()) continue;
    CHECK(change.refused.front().find(c.refused) != std::string::npos);
    const Status status = RefusedChange("orders-lake", change);
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(status.message().find("delivery stream 'orders-lake' exists and goes on as it is") != std::string::npos);
  }
}

TEST_CASE("CompareConfigs: a backup changes, moves and ends", "[delivery]") {
  DeliveryConfig before = Base();
  before.backup = BackupConfig{.bucket = "spare", .prefix = "raw/"};
  DeliveryConfig after = before;
  after.backup->prefix = "source/";
  after.backup->compression = RawCompression::kGzip;
  const ConfigChange change = CompareConfigs(before, after, DeclaredSchema(before));
  CHECK(change.refused.empty());
  CHECK(change.keys == Strings{"S3BackupConfiguration.Prefix", "S3BackupConfiguration.CompressionFormat"});
  after.backup->bucket = "sea";
  CHECK(CompareConfigs(before, after, DeclaredSchema(before)).refused.empty());
  after.backup.reset();
  CHECK(CompareConfigs(before, after, DeclaredSchema(before)).refused.empty());
}

TEST_CASE("CompareConfigs: a conversion is turned on, and once more with what its files had", "[delivery]") {
  DeliveryConfig raw = Base();
  raw.convert = false;
  raw.columns.clear();
  const ConfigChange first = CompareConfigs(raw, Base(), std::nullopt);
  CHECK(first.refused.empty());
  REQUIRE(first.schema.has_value());
  CHECK(first.schema == DeclaredSchema(Base()));
  const ConfigChange same = CompareConfigs(raw, Base(), DeclaredSchema(Base()));
  CHECK(same.refused.empty());
  CHECK_FALSE(same.schema.has_value());
  DeliveryConfig narrower = Base();
  narrower.columns.pop_back();
  const ConfigChange again = CompareConfigs(raw, narrower, DeclaredSchema(Base()));
  REQUIRE(again.refused.size() == 1);
  CHECK(again.refused.front().contains("column 'price' cannot be removed"));
}

TEST_CASE("BloomFilterWarnings: of columns that are not there, nested or boolean", "[delivery]") {
  DeliveryConfig config = Base();
  const Schema schema = {.columns = ParseHiveType("struct<id:int,up:boolean,tags:array<int>>")->children};
  config.columnar().bloom_filter_columns = {"ID", "up", "tags", "idd"};
  CHECK(BloomFilterWarnings(config, schema) ==
        std::vector<std::string>{
            "BloomFilterColumns: 'up' is boolean; a Bloom filter of two values is of no use; it gets no filter",
            "BloomFilterColumns: 'tags' is of type array<int>; plain columns have Bloom filters; it gets no filter",
            "BloomFilterColumns: there is no column 'idd'; did you mean 'id'?; it gets no filter"});
}

TEST_CASE("MappingWarnings: of columns that are not there", "[delivery]") {
  DeliveryConfig config = Base();
  const Schema schema = {.columns =
                             ParseHiveType("struct<id:int,list:array<struct<inner:int>>,m:map<string,int>>")->children};
  config.converter.column_to_key = {{"ID", "a"}, {"inner", "b"}, {"idd", "c"}, {"value", "d"}};
  CHECK(MappingWarnings(config, schema) ==
        std::vector<std::string>{"ColumnToJsonKeyMappings: there is no column 'idd'; did you mean 'id'?; passed over",
                                 "ColumnToJsonKeyMappings: there is no column 'value'; passed over"});
  config.converter.column_to_key = {{"ID", "a"}};
  config.converter.case_insensitive = false;
  CHECK(MappingWarnings(config, schema).size() == 1);
}

TEST_CASE("CompareConfigs: declared columns widen the pinned schema", "[delivery]") {
  DeliveryConfig after = Base();
  after.columns = {{"more", "array<int>"},
                   {"price", "decimal(12,2)"},
                   {"place", "struct<x:bigint,y:double,z:string>"},
                   {"id", "double"}};
  const ConfigChange change = CompareConfigs(Base(), after, DeclaredSchema(Base()));
  CHECK(change.refused.empty());
  REQUIRE(change.schema.has_value());
  CHECK(change.schema->version == 2);
  CHECK(Types(*change.schema) ==
        "id double, place struct<x:bigint,y:double,z:string>, price decimal(12,2), more array<int>, ");
  CHECK_FALSE(CompareConfigs(Base(), Base(), DeclaredSchema(Base())).schema.has_value());
}

TEST_CASE("CompareConfigs: an inferred schema keeps what it has learnt", "[delivery]") {
  DeliveryConfig before = Base();
  before.infer_schema = true;
  Schema learnt = *DeclaredSchema(before);
  learnt.version = 7;
  learnt.columns[0].type.kind = TypeKind::kBigint;
  learnt.columns.push_back({"seen", *ParseHiveType("string")});
  DeliveryConfig after = before;
  after.columns = {{"id", "int"}, {"extra", "date"}};
  ConfigChange change = CompareConfigs(before, after, learnt);
  CHECK(change.refused.empty());
  REQUIRE(change.schema.has_value());
  CHECK(change.schema->version == 8);
  CHECK(Types(*change.schema) ==
        "id bigint, place struct<x:int,y:float>, price decimal(8,2), seen string, extra date, ");
  CHECK(change.schema->overflow);
  after = before;
  after.infer_schema = false;
  change = CompareConfigs(before, after, learnt);
  CHECK(fmt::format("{}", fmt::join(change.refused, "|")).find("files so far have the column _overflow") !=
        std::string::npos);
  after = before;
  after.parquet.sort_by = {{"sen", false}};
  change = CompareConfigs(before, after, learnt);
  CHECK(change.warnings ==
        Strings{"Sluice.SortBy: there is no column 'sen'; did you mean 'seen'?; passed over until records have it"});
}

TEST_CASE("CompareConfigs: inference may be turned on, and a schema declared before there is one", "[delivery]") {
  DeliveryConfig after = Base();
  after.infer_schema = true;
  const ConfigChange on = CompareConfigs(Base(), after, DeclaredSchema(Base()));
  CHECK(on.refused.empty());
  REQUIRE(on.schema.has_value());
  CHECK(on.schema->overflow);
  CHECK(on.schema->version == 2);
  DeliveryConfig inferred = Base();
  inferred.columns.clear();
  inferred.infer_schema = true;
  const ConfigChange declared = CompareConfigs(inferred, after, std::nullopt);
  CHECK(declared.refused.empty());
  REQUIRE(declared.schema.has_value());
  CHECK(declared.schema->version == 1);
}

}  // namespace sluice::delivery
