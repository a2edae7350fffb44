// Schemas: Hive's types, Glue's tables, and what is inferred from records.
#include "broker/delivery/schema.h"

#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"

using namespace sluice;
using namespace sluice::delivery;

namespace {

// "a bigint, b string"; for reading tests.
std::string Text(const Schema& schema) {
  std::string text;
  for (const Field& column : schema.columns) {
    if (!text.empty()) text += ", ";
    text += column.name + " " + ToHiveType(column.type);
  }
  return text;
}

std::string Inferred(const std::vector<std::string_view>& records, const InferenceRules& rules = {}) {
  Result<Schema> schema = InferSchema(records, rules);
  return schema ? Text(*schema) : schema.error().ToString();
}

std::string Message(std::string_view type) {
  Result<ColumnType> parsed = ParseHiveType(type);
  return parsed ? "parsed" : parsed.error().message();
}

}  // namespace

TEST_CASE("ParseHiveType: every type, and back", "[delivery]") {
  for (const char* type :
       {"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(38,38)", "decimal(10,0)",
        "string", "binary", "timestamp", "date", "array<int>", "map<string,array<date>>", "map<bigint,double>",
        "struct<a:int,b:array<string>,c:struct<d:map<string,int>>>", "struct<`x:y`:int,`a``b`:string,a.b-c_1:int>"}) {
    INFO(type);
    Result<ColumnType> parsed = ParseHiveType(type);
    REQUIRE(parsed);
    CHECK(ToHiveType(*parsed) == type);
  }
  CHECK(ToHiveType(*ParseHiveType(" STRUCT < A : Int , b:Array< VARCHAR( 10 ) > > ")) ==
        "struct<A:int,b:array<string>>");
  CHECK(ToHiveType(*ParseHiveType("decimal")) == "decimal(10,0)");
}

TEST_CASE("ParseHiveType: spellings that Hive, Spark and Glue have for the same types", "[delivery]") {
  struct Spelling {
    std::string_view given, type;
  };
  constexpr Spelling kSpellings[] = {
      {"BOOLEAN", "boolean"},
      {"bool", "boolean"},
      {"byte", "tinyint"},
      {"short", "smallint"},
      {"INTEGER", "int"},
      {"long", "bigint"},
      {"double precision", "double"},
      {"Double  Precision", "double"},
      {"decimal", "decimal(10,0)"},
      {"decimal(7)", "decimal(7,0)"},
      {"DECIMAL( 38 , 18 )", "decimal(38,18)"},
      {"numeric(12,2)", "decimal(12,2)"},
      {"dec(3,1)", "decimal(3,1)"},
      {"char(3)", "string"},
      {"VARCHAR(65535)", "string"},
      {"timestamp with local time zone", "timestamp"},
      {"array<double precision>", "array<double>"},
      {"map<string,timestamp with local time zone>", "map<string,timestamp>"},
      {"map<tinyint,array<struct<a:char(1),b:date>>>", "map<tinyint,array<struct<a:string,b:date>>>"},
      {"struct<Id:bigint,\n  `full name`:string>", "struct<Id:bigint,`full name`:string>"},
  };
  for (const Spelling& each : kSpellings) {
    INFO(each.given);
    const Result<ColumnType> parsed = ParseHiveType(each.given);
    REQUIRE(parsed);
    CHECK(ToHiveType(*parsed) == each.type);
  }
}

TEST_CASE("ParseHiveType: says what is wrong and where", "[delivery]") {
  CHECK(Message("strng") == "type 'strng', position 0: 'strng' is no type we know; did you mean 'string'?");
  CHECK(Message("struct<a:int,b:uniontype<int>>") ==
        "type 'struct<a:int,b:uniontype<int>>', position 15: the type 'uniontype' is not served");
  CHECK(Message("array< foo>") == "type 'array< foo>', position 7: 'foo' is no type we know");
  CHECK(Message("timestamp with local time").find("position 10: text after the end of the type") != std::string::npos);
  CHECK(Message("") == "type '', position 0: a type is missing here");
  CHECK(Message("array<int") == "type 'array<int', position 9: expected '>'");
  CHECK(Message("struct<>").find("a field name is missing here") != std::string::npos);
  CHECK(Message("struct<a>").find("expected ':'") != std::string::npos);
  CHECK(Message("struct<a:int>>").find("text after the end") != std::string::npos);
  CHECK(Message("decimal(39,1)").find("precision of 1 to 38") != std::string::npos);
  CHECK(Message("decimal(3,4)").find("precision of 1 to 38") != std::string::npos);
  CHECK(Message("map<double,int>").find("a map's key") != std::string::npos);
  CHECK(Message("struct<`a:int>").find("a field name is missing") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "array<";
  CHECK(Message(deep).find("nested deeper than 64") != std::string::npos);
}

TEST_CASE("SchemaFromColumns: inline columns", "[delivery]") {
  Result<Schema> schema = SchemaFromColumns(R"([{"Name":"a","Type":"int"},{"Name":"B c","Type":"struct<x:date>"}])");
  REQUIRE(schema);
  CHECK(Text(*schema) == "a int, B c struct<x:date>");
  CHECK_FALSE(schema->overflow);
  for (const char* bad : {"", "{}", "[]", "[{}]", R"([{"Name":"a"}])", R"([{"Name":"a","Type":"integr"}])",
                          R"([{"Name":"","Type":"int"}])", R"([{"Name":"_overflow","Type":"int"}])", "[1]"}) {
    INFO(bad);
    CHECK_FALSE(SchemaFromColumns(bad));
  }
}

TEST_CASE("SchemaFromGlueTable: columns, then partition keys", "[delivery]") {
  std::string table = R"({"Name":"t","StorageDescriptor":{"Columns":[{"Name":"a","Type":"bigint","Comment":"x"}],
                           "Location":"s3://b/"},"PartitionKeys":[{"Name":"dt","Type":"string"}]})";
  CHECK(Text(*SchemaFromGlueTable(table)) == "a bigint, dt string");
  CHECK(Text(*SchemaFromGlueTable("{\"Table\":" + table + "}")) == "a bigint, dt string");
  CHECK(Text(*SchemaFromGlueTable("{\"DatabaseName\":\"d\",\"TableInput\":" + table + "}")) == "a bigint, dt string");
  CHECK(Text(*SchemaFromGlueTable(
            R"({"PartitionKeys":null,"StorageDescriptor":{"Columns":[{"Name":"a","Type":"int"}]}})")) == "a int");
}

TEST_CASE("SchemaFromGlueTable: says which column of which list is wrong", "[delivery]") {
  struct Wrong {
    std::string_view columns, keys, message;
  };
  constexpr Wrong kWrong[] = {
      {R"({"Name":"a","Type":"int"},{"Name":"b","Type":"array<strng>"})", "",
       "column 'b' (2 of StorageDescriptor.Columns): type 'array<strng>', position 6: 'strng' is no type we know; did "
       "you mean 'string'?"},
      {R"({"Name":"a","Type":"int"})", R"({"Name":"k","Type":"interval"})",
       "column 'k' (1 of PartitionKeys): type 'interval', position 0: the type 'interval' is not served"},
      {R"({"Name":"a"})", "", "column 'a' (1 of StorageDescriptor.Columns): has no \"Type\""},
      {R"({"Type":"int"})", "", "column 1 of StorageDescriptor.Columns has no \"Name\""},
      {R"({"Name":"a","Type":"int"})", R"({"Name":"a","Type":"string"})", "column 'a' stands twice"},
      {R"({"Name":"_overflow","Type":"int"})", "", "column '_overflow' (1 of StorageDescriptor.Columns): this name is"},
      {"", "", "StorageDescriptor.Columns is empty"},
      {"1,", "", "not JSON"},
  };
  for (const Wrong& each : kWrong) {
    const Result<Schema> schema =
        SchemaFromGlueTable(std::string(R"({"Table":{"StorageDescriptor":{"Columns":[)") + std::string(each.columns) +
                            R"(]},"PartitionKeys":[)" + std::string(each.keys) + "]}}");
    REQUIRE_FALSE(schema);
    INFO(schema.error().message());
    CHECK(schema.error().message().starts_with(each.message));
  }
  for (const char* bad : {R"({"Table":{}})", "[]", "{}", R"({"StorageDescriptor":{"Columns":{}}})"}) {
    INFO(bad);
    CHECK_FALSE(SchemaFromGlueTable(bad));
  }
}

TEST_CASE("SchemaToJson: round trip; newer forms are refused", "[delivery]") {
  Result<Schema> schema = InferSchema(std::vector<std::string_view>{R"({"a\"b":1,"s":{"x.y":[{"q:r":true}]}})"}, {});
  REQUIRE(schema);
  schema->version = 7;
  Result<Schema> back = SchemaFromJson(SchemaToJson(*schema));
  REQUIRE(back);
  CHECK(*back == *schema);
  CHECK(back->overflow);
  std::string newer = SchemaToJson(*schema);
  newer.replace(newer.find("\"format\":1"), 10, "\"format\":2");
  CHECK(SchemaFromJson(newer).error().code() == Code::kUnimplemented);
  CHECK(SchemaFromJson("{}").error().code() == Code::kCorruption);
}

TEST_CASE("InferSchema: types of first records", "[delivery]") {
  CHECK(Inferred({R"({"i":1,"d":1.5,"s":"x","b":true,"t":"2024-01-01T00:00:00Z","n":null})"}) ==
        "i bigint, d double, s string, b boolean, t timestamp");
  CHECK(Inferred({R"({"a":null})", R"({"b":2,"a":"x"})"}) == "b bigint, a string");
  CHECK(Inferred({R"({"o":{"x":1,"y":{"z":[1,2]}},"l":[{"k":"v"},{"m":1}]})"}) ==
        "o struct<x:bigint,y:struct<z:array<bigint>>>, l array<struct<k:string,m:bigint>>");
  CHECK(Inferred({R"({"e":{},"f":[],"g":[null],"h":1})"}) == "h bigint");
  CHECK(Inferred({R"({"big":9223372036854775807,"bigger":9223372036854775808})"}) == "big bigint, bigger bigint");
  CHECK(Inferred({R"({"a":9223372036854775808})", R"({"a":1})", R"({"b":1.5})", R"({"b":9223372036854775808})"}) ==
        "a bigint, b double");
  CHECK(Inferred({"not json", R"({"a":1}{"b":2})", "[3]"}) == "a bigint, b bigint");
  CHECK(Inferred({R"({"Key":1,"KEY":2,"":3,"_overflow":4})"}) == "Key bigint");
  CHECK(Inferred({"[]", "1", ""}).find("there is no schema to infer") != std::string::npos);
}

TEST_CASE("InferSchema: what widens", "[delivery]") {
  InferenceRules text;
  text.widen_to_string = true;
  InferenceRules fixed;
  fixed.widen_numbers = false;
  CHECK(Inferred({R"({"a":1})", R"({"a":1.5})", R"({"a":2})"}) == "a double");
  CHECK(Inferred({R"({"a":1})", R"({"a":1.5})"}, fixed) == "a bigint");
  CHECK(Inferred({R"({"a":1})", R"({"a":"x"})"}) == "a bigint");
  CHECK(Inferred({R"({"a":1})", R"({"a":"x"})"}, text) == "a string");
  CHECK(Inferred({R"({"a":true})", R"({"a":1})"}, text) == "a string");
  CHECK(Inferred({R"({"a":{"b":1}})", R"({"a":1})"}, text) == "a struct<b:bigint>");
  CHECK(Inferred({R"({"t":"2024-01-01T00:00:00Z"})", R"({"t":"later"})"}) == "t string");
  CHECK(Inferred({R"({"t":"later"})", R"({"t":"2024-01-01T00:00:00Z"})"}) == "t string");
}

TEST_CASE("InferSchema: columns are limited", "[delivery]") {
  InferenceRules rules;
  rules.columns_max = 3;
  CHECK(Inferred({R"({"a":1,"b":{"c":1,"d":1},"e":1})"}, rules) == "a bigint, b struct<c:bigint>");
}

TEST_CASE("WidenSchema: pinned columns stay, new ones follow", "[delivery]") {
  Schema pinned = *SchemaFromColumns(
      R"([{"Name":"i","Type":"int"},{"Name":"s","Type":"struct<x:bigint>"},{"Name":"t","Type":"timestamp"},
          {"Name":"m","Type":"map<string,int>"},{"Name":"f","Type":"float"},{"Name":"l","Type":"array<int>"}])");
  pinned.version = 4;
  pinned.overflow = true;
  auto widened = [&](std::string_view record, const InferenceRules& rules = {}) {
    return WidenSchema(pinned, std::vector<std::string_view>{record}, rules);
  };
  CHECK(widened(R"({"I":5,"s":{"X":1},"t":"2024-01-01T00:00:00Z","m":{"q":1},"f":1.25,"l":[1]})") == pinned);
  CHECK(widened(R"({"t":"later","m":1,"s":[]})") == pinned);
  CHECK(widened("not json") == pinned);

  Schema grown = widened(R"({"i":3000000000,"s":{"x":1.5,"y":true},"z":"new","l":[1.5]})");
  CHECK(grown.version == 5);
  CHECK(Text(grown) ==
        "i bigint, s struct<x:double,y:boolean>, t timestamp, m map<string,int>, f float, l array<double>, z string");

  InferenceRules closed;
  closed.add_columns = false;
  closed.widen_numbers = false;
  CHECK(widened(R"({"i":3000000000,"s":{"x":1.5,"y":true},"z":"new"})", closed) == pinned);
}
