// What a configuration says of the format of objects: ORC, Bloom filters, tables of Glue.
#include <string>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "tests/catch.h"
#include "tests/delivery/config_documents.h"

namespace sluice::delivery {

TEST_CASE("ParseDeliveryConfig: where tables are asked, SchemaConfiguration names one", "[delivery]") {
  const auto parse = [](std::string_view schema, std::string_view sluice) {
    return ParseDeliveryConfig(
        Document(fmt::format(R"("DataFormatConversionConfiguration": {{"OutputFormatConfiguration": "orc",
    "SchemaConfiguration": {}}})",
                             schema),
                 fmt::format(R"("Sluice": {{{}}})", sluice)),
        "f.json", GlueTables::kAsked);
  };
  const auto named = parse(R"({"DatabaseName": "Sales", "TableName": "orders", "VersionId": "LATEST"})", "");
  REQUIRE(named.has_value());
  CHECK(named->config.glue_table == "Sales.orders");
  CHECK_FALSE(named->config.infer_schema);
  CHECK(parse(R"({"DatabaseName": "d", "TableName": "t"})", R"("InferSchema": true)")->config.infer_schema);
  const auto own = parse(R"({"DatabaseName": "d", "TableName": "t"})", R"("Columns": [{"Name": "a", "Type": "int"}])");
  CHECK(own->config.glue_table.empty());
  CHECK(own->config.columns.size() == 1);
  for (const char* bad :
       {R"({"TableName": "t"})", R"({"DatabaseName": "d"})", R"({"DatabaseName": "..", "TableName": "t"})",
        R"({"DatabaseName": "d", "TableName": "a/b"})"}) {
    const auto wrong = parse(bad, "");
    INFO(bad);
    REQUIRE_FALSE(wrong.has_value());
    CHECK(Contains(wrong.error().message(), "SchemaConfiguration: DatabaseName '"));
  }
}

TEST_CASE("ParseDeliveryConfig: all that a SchemaConfiguration says is kept, whether its table is asked or not",
          "[delivery]") {
  const std::string document = Document(R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": "parquet",
    "SchemaConfiguration": {"RoleARN": "r", "CatalogId": "123456789012", "DatabaseName": "d", "TableName": "t",
                            "Region": "eu-west-1", "VersionId": 7}})");
  const CatalogTable expected{.table = "t",
                              .role_arn = "r",
                              .catalog_id = "123456789012",
                              .database = "d",
                              .region = "eu-west-1",
                              .version_id = "7"};
  for (const GlueTables tables : {GlueTables::kNotAsked, GlueTables::kAsked}) {
    auto parsed = ParseDeliveryConfig(document, "f.json", tables);
    REQUIRE(parsed.has_value());
    CHECK(parsed->config.catalog_table == expected);
    if (tables == GlueTables::kAsked) parsed->config.columns = {{"a", "int"}};  // as they are read then
    const auto again = ParseStoredDeliveryConfig(DeliveryConfigToJson(parsed->config));
    REQUIRE(again.has_value());
    CHECK(again->config.catalog_table == expected);
    CHECK(DeliveryConfigToJson(again->config) == DeliveryConfigToJson(parsed->config));
  }
  CHECK_FALSE(ParseDeliveryConfig(Document(std::string(kConversion)), "f.json")->config.catalog_table.has_value());
}

TEST_CASE("ParseDeliveryConfig: Bloom filters of Parquet files are under Sluice, those of ORC in both places",
          "[delivery]") {
  constexpr std::string_view kFilters = R"("Sluice": {"BloomFilterColumns": ["a", "b"]})";
  const std::vector<std::string> columns = {"a", "b"};
  for (const std::string& conversion : {std::string(kConversion), WithOrc("")}) {
    const auto parsed = ParseDeliveryConfig(Document(conversion, kFilters), "f.json");
    REQUIRE(parsed.has_value());
    CHECK(parsed->config.columnar().bloom_filter_columns == columns);
    const auto again = ParseStoredDeliveryConfig(DeliveryConfigToJson(parsed->config));
    REQUIRE(again.has_value());
    CHECK(again->config.columnar().bloom_filter_columns == columns);
  }
  const auto both = ParseDeliveryConfig(Document(WithOrc(R"("BloomFilterColumns": ["a"])"), kFilters), "f.json");
  REQUIRE_FALSE(both.has_value());
  CHECK(Contains(both.error().message(), "Sluice.BloomFilterColumns: stands beside OrcSerDe.BloomFilterColumns"));
  CHECK_FALSE(ParseDeliveryConfig(Document(R"("Prefix": "a/")", kFilters), "f.json").has_value());
}

TEST_CASE("ParseDeliveryConfig: every setting of OrcSerDe, and its canonical form", "[delivery]") {
  const auto parsed = ParseDeliveryConfig(
      Document(WithOrc(R"("StripeSizeBytes": 8388608, "BlockSizeBytes": 67108864, "RowIndexStride": 1000,
        "Compression": "ZSTD", "BloomFilterColumns": ["a", "b"], "BloomFilterFalsePositiveProbability": 0.01,
        "DictionaryKeyThreshold": 0.8, "FormatVersion": "V0_11", "EnablePadding": false, "PaddingTolerance": 0.05)"),
               R"("Sluice": {"SortBy": "a"})"),
      "f.json");
  REQUIRE(parsed.has_value());
  CHECK(Joined(parsed->warnings).empty());
  CHECK(ObjectExtension(parsed->config) == ".orc");
  const auto again = ParseStoredDeliveryConfig(DeliveryConfigToJson(parsed->config));
  REQUIRE(again.has_value());
  for (const DeliveryConfig& config : {parsed->config, again->config}) {
    CHECK(config.convert);
    CHECK(config.format == ConvertedFormat::kOrc);
    CHECK(config.orc.stripe_bytes == 8'388'608);
    CHECK(config.orc.block_bytes == 67'108'864);
    CHECK(config.orc.row_index_stride == 1000);
    CHECK(config.orc.compression == OrcCompression::kZstd);
    CHECK(config.orc.bloom_filter_columns == std::vector<std::string>{"a", "b"});
    CHECK(config.orc.bloom_filter_fpp == 0.01);
    CHECK(config.orc.dictionary_threshold == 0.8);
    CHECK(config.orc.version_0_11);
    CHECK(config.orc.sort_by == std::vector<SortKey>{{"a", false}});
  }
  CHECK(DeliveryConfigToJson(again->config) == DeliveryConfigToJson(parsed->config));
}

}  // namespace sluice::delivery
