// The lake commands over objects in a temporary directory: what is printed, listed, counted, and how damage is named.
#include "tools/lake/lake.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "broker/delivery/parquet_object_writer.h"
#include "broker/delivery/raw_object_writer.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

using namespace sluice;
using namespace sluice::tools;

namespace {

// A directory with objects as delivery writes them.
class Lake {
 public:
  const std::string& path() const { return dir_.path(); }

  std::string Put(const std::string& key, const std::string& bytes) {
    std::filesystem::path file = std::filesystem::path(path()) / key;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }

  static std::string Parquet(
      const std::vector<std::string>& values,
      std::string_view columns = R"([{"Name":"id","Type":"int"},{"Name":"name","Type":"string"}])") {
    delivery::StringSink sink;
    delivery::Schema schema = *delivery::SchemaFromColumns(columns);
    return Finish(**delivery::NewParquetObjectWriter({}, schema, {}, sink), sink, values);
  }

  static std::string Records(delivery::RawCompression compression, const std::vector<std::string>& values) {
    delivery::StringSink sink;
    delivery::RawOptions options;
    options.compression = compression;
    return Finish(**delivery::NewRawObjectWriter(options, sink), sink, values);
  }

 private:
  static std::string Finish(delivery::ObjectWriter& writer, delivery::StringSink& sink,
                            const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      delivery::RecordRef record;
      record.value = value;
      REQUIRE(writer.Append(std::span(&record, 1)));
    }
    delivery::ObjectMetadata metadata;
    metadata.stream = "orders";
    metadata.ranges = {{ShardIndex(0), Offset(5), Offset(5 + values.size() - 1)}};
    REQUIRE(writer.Finish(metadata));
    return sink.bytes();
  }

  storage::TempDir dir_;
};

template <typename Call>
std::string Printed(Call call) {
  std::ostringstream out;
  Status status = call(out);
  return status.ok() ? out.str() : status.ToString();
}

}  // namespace

TEST_CASE("PrintLakeRows: JSON lines over all objects, in order, limited", "[tools]") {
  Lake lake;
  lake.Put("b/2.parquet", Lake::Parquet({R"({"id":2,"name":"two"})"}));
  lake.Put("a/1.gz", Lake::Records(delivery::RawCompression::kGzip, {R"({"id":0})", R"({"id":1})"}));
  lake.Put(".hidden/3", "not seen");
  auto cat = [&](CatOptions options) {
    return Printed([&](std::ostream& out) { return PrintLakeRows({lake.path()}, options, out); });
  };
  CHECK(cat({}) == "{\"id\":0}\n{\"id\":1}\n{\"id\":2,\"name\":\"two\"}\n");
  CHECK(cat({.rows_max = 2}) == "{\"id\":0}\n{\"id\":1}\n");
}

TEST_CASE("PrintLakeRows: a table has aligned columns", "[tools]") {
  Lake lake;
  std::string path = lake.Put("1.parquet", Lake::Parquet({R"({"id":1,"name":"one"})", R"({"id":1000})"}));
  CHECK(Printed([&](std::ostream& out) { return PrintLakeRows({path}, {.table = true}, out); }) ==
        "id    name\n1     \"one\"\n1000  null\n");
  std::string records = lake.Put("records", "{}");
  CHECK(Printed([&](std::ostream& out) { return PrintLakeRows({records}, {.table = true}, out); }).find("--table") !=
        std::string::npos);
}

TEST_CASE("PrintLakeRows: records are split at values and lines", "[tools]") {
  Lake lake;
  std::string path = lake.Put("records", "{\"a\":1}{\"b\":\"}\"}\nplain text\r\n\n{\"cut\":");
  CHECK(Printed([&](std::ostream& out) { return PrintLakeRows({path}, {}, out); }) ==
        "{\"a\":1}\n{\"b\":\"}\"}\nplain text\n{\"cut\":\n");
}

TEST_CASE("ListLake: rows, format and source of each object; damage is named", "[tools]") {
  Lake lake;
  std::string parquet = Lake::Parquet({R"({"id":2})", R"({"id":3})"});
  std::string gzip = Lake::Records(delivery::RawCompression::kGzip, {R"({"id":0})"});
  lake.Put("1.parquet", parquet);
  lake.Put("2.parquet", parquet.substr(0, parquet.size() - 7));
  lake.Put("3.gz", gzip);
  lake.Put("4.gz", gzip.substr(0, 20));
  lake.Put("5", "x\ny\n");
  Result<std::vector<LakeObject>> objects = ListLake({lake.path()});
  REQUIRE(objects);
  REQUIRE(objects->size() == 5);
  const LakeObject& first = objects->at(0);
  CHECK(first.format == "parquet");
  CHECK(first.rows == 2);
  CHECK(first.bytes == parquet.size());
  REQUIRE(first.facts);
  CHECK(first.facts->metadata.ranges == std::vector<delivery::SourceRange>{{ShardIndex(0), Offset(5), Offset(6)}});
  CHECK(objects->at(1).problem.find("2.parquet") != std::string::npos);
  CHECK(objects->at(2).format == "records.gz");
  CHECK(objects->at(2).facts->summary.records == 1);
  CHECK(objects->at(3).problem.find("4.gz") != std::string::npos);
  CHECK(objects->at(4).rows == 2);
  CHECK_FALSE(objects->at(4).facts);
  std::ostringstream printed;
  const Status damage = PrintLakeList({lake.path()}, printed);
  CHECK(damage.code() == Code::kCorruption);
  CHECK(damage.message().find("2 of 5 objects cannot be read") != std::string::npos);
  const std::string list = printed.str();
  CHECK(list.find("orders 0:[5,6]") != std::string::npos);
  CHECK(list.find("5 rows") != std::string::npos);
  CHECK(ListLake({lake.path() + "/no"}).error().code() == Code::kNotFound);
}

TEST_CASE("PrintLakeSchema, PrintLakeCount: sums over the lake", "[tools]") {
  Lake lake;
  lake.Put("1.parquet", Lake::Parquet({R"({"id":2})", R"({"id":3})"}));
  lake.Put("2.parquet", Lake::Parquet({}));
  lake.Put("3", "x\n");
  CHECK(Printed([&](std::ostream& out) { return PrintLakeSchema({lake.path()}, TypeWords::kArrow, out); }) ==
        "1 object of records without a schema\n2 objects:\n"
        "  id                                int32\n  name                              string\n");
  std::string count = Printed([&](std::ostream& out) { return PrintLakeCount({lake.path()}, out); });
  CHECK(count.find("objects 3\nrows    3\nsize ") != std::string::npos);
}

TEST_CASE("ListLakeSchemas: Hive's words are those that were declared", "[tools]") {
  Lake lake;
  std::string columns;
  std::vector<std::pair<std::string, std::string>> declared;
  for (const std::string_view type :
       {"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(12,3)", "string", "binary",
        "timestamp", "date", "array<string>", "map<string,bigint>", "struct<a:int,b:array<struct<c:date>>>"}) {
    declared.emplace_back(fmt::format("c{}", declared.size()), type);
    columns +=
        fmt::format(R"({}{{"Name":"{}","Type":"{}"}})", columns.empty() ? "[" : ",", declared.back().first, type);
  }
  const std::string file = lake.Put("1.parquet", Lake::Parquet({R"({"c3":2})"}, columns + "]"));
  const auto schemas = ListLakeSchemas({file}, TypeWords::kHive);
  REQUIRE(schemas.has_value());
  CHECK(*schemas == LakeSchemas{{declared, 1}});
}

TEST_CASE("ListLake: several paths, each object once; one that is missing is named", "[tools]") {
  Lake lake;
  const std::string first = lake.Put("b/1", "x\n");
  const std::string second = lake.Put("a/2", "y\nz\n");
  const auto cat = [](const LakePaths& paths) {
    return Printed([&](std::ostream& out) { return PrintLakeRows(paths, {}, out); });
  };
  CHECK(cat({first, second}) == "x\ny\nz\n");
  CHECK(cat({lake.path() + "/b/", lake.path(), first}) == "x\ny\nz\n");
  CHECK(ListLake({first, lake.path() + "/no"}).error().message().find("/no") != std::string::npos);
}

TEST_CASE("ReadObjectRanges: an object that says nothing is not found", "[tools]") {
  Lake lake;
  CHECK(ReadObjectRanges(lake.Put("plain", "x")).error().code() == Code::kNotFound);
  CHECK(ReadObjectRanges(lake.path() + "/none").error().code() == Code::kNotFound);
}
