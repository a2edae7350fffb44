// Object writers: what went in comes out of the object, the same bytes each time, within bounded memory.
#include "broker/delivery/object_writer.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "broker/delivery/parquet_object_writer.h"
#include "broker/delivery/raw_object_writer.h"
#include "tests/catch.h"
#include "tests/delivery/object_writing.h"
#include "tests/delivery/sample_records.h"
#include "tests/storage/env/temp_dir.h"
#include "tools/lake/lake.h"
#include "tools/lake/record_object.h"

using namespace sluice;
using namespace sluice::delivery;

namespace {

std::string WriteParquet(const ParquetOptions& options, std::span<const RecordRef> records, std::size_t at_once) {
  StringSink sink;
  auto writer = NewParquetObjectWriter(options, SampleSchema(), {}, sink);
  REQUIRE(writer);
  ObjectSummary summary = WriteAll(**writer, records, at_once);
  CHECK(summary.rows == records.size());
  CHECK(summary.bytes == sink.bytes().size());
  return sink.bytes();
}

std::string WriteRaw(const RawOptions& options, std::span<const RecordRef> records, std::size_t at_once) {
  StringSink sink;
  auto writer = NewRawObjectWriter(options, sink);
  REQUIRE(writer);
  ObjectSummary summary = WriteAll(**writer, records, at_once);
  CHECK(summary.bytes == sink.bytes().size());
  return sink.bytes();
}

}  // namespace

TEST_CASE("ParquetObjectWriter: rows come back as they went in, whatever the options", "[delivery]") {
  SampleRecords records = MakeSampleRecords(3000);
  ParquetOptions options;
  options.compression = GENERATE(ParquetCompression::kUncompressed, ParquetCompression::kSnappy,
                                 ParquetCompression::kGzip, ParquetCompression::kZstd);
  options.dictionary = GENERATE(true, false);
  options.writer_version_2 = GENERATE(false, true);
  options.row_group_bytes = 256 << 10;
  options.page_bytes = 16 << 10;
  if (GENERATE(false, true)) options.sort_by = {{"id", false}};
  CHECK(ReadBack(WriteParquet(options, records.refs, 1000), "a.parquet") == Lines(records));
}

TEST_CASE("ParquetObjectWriter: the same records give the same bytes, however they are appended", "[delivery]") {
  SampleRecords records = MakeSampleRecords(20'000);
  std::string bytes = WriteParquet({}, records.refs, records.refs.size());
  CHECK(WriteParquet({}, records.refs, 1) == bytes);
  CHECK(WriteParquet({}, records.refs, 777) == bytes);
}

TEST_CASE("ParquetObjectWriter: Bloom filters of the columns that are asked for", "[delivery]") {
  SampleRecords records = MakeSampleRecords(20'000);
  ParquetOptions options;
  options.row_group_bytes = 1 << 20;
  options.page_bytes = 64 << 10;
  options.bloom_filter_columns = {"ID", "host", "up", "tags", "nowhere"};
  const std::string bytes = WriteParquet(options, records.refs, 777);
  CHECK(WriteParquet(options, records.refs, 1) == bytes);
  CHECK(ReadBack(bytes, "a.parquet") == Lines(records));
  auto reader =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)));
  REQUIRE(reader->metadata()->num_row_groups() > 2);
  parquet::BloomFilterReader& filters = reader->GetBloomFilterReader();
  std::size_t found = 0;
  for (int group = 0; group < reader->metadata()->num_row_groups(); ++group) {
    auto of_group = filters.RowGroup(group);
    REQUIRE(of_group != nullptr);
    auto of_id = of_group->GetColumnBloomFilter(0);
    REQUIRE(of_id != nullptr);
    for (std::int64_t id = 0; id < 20'000; ++id) found += of_id->FindHash(of_id->Hash(id)) ? 1 : 0;
    CHECK(of_group->GetColumnBloomFilter(1) == nullptr);  // time
    CHECK(of_group->GetColumnBloomFilter(3) != nullptr);  // host
    CHECK(of_group->GetColumnBloomFilter(6) == nullptr);  // up
  }
  // Every id in its own row group, and a twentieth of those of the others.
  const auto groups = static_cast<std::size_t>(reader->metadata()->num_row_groups());
  CHECK(found >= 20'000);
  CHECK(found <= 20'000 + 20'000 * (groups - 1) / 10);
}

TEST_CASE("ParquetObjectWriter: sorted row groups, the same bytes however the records are appended", "[delivery]") {
  SampleRecords records = MakeSampleRecords(20'000);
  ParquetOptions options;
  options.row_group_bytes = 1 << 20;
  options.page_bytes = 64 << 10;
  options.sort_by = {{"HOST", true}, {"nowhere", false}, {"price", false}};
  std::string bytes = WriteParquet(options, records.refs, records.refs.size());
  CHECK(WriteParquet(options, records.refs, 1) == bytes);
  CHECK(WriteParquet(options, records.refs, 777) == bytes);
  options.sort_by = {{"nowhere", false}, {"tags", true}};
  CHECK(ReadBack(WriteParquet(options, records.refs, 1000), "a.parquet") == Lines(records));
}

TEST_CASE("ParquetObjectWriter: every kind of plain column sorts, nulls first, last when descending", "[delivery]") {
  struct Case {
    std::string_view type;
    std::vector<std::string> ascending;
  };
  const Case cases[] = {
      {"boolean", {"null", "false", "true"}},
      {"tinyint", {"null", "-128", "-1", "0", "127"}},
      {"smallint", {"null", "-300", "2", "300"}},
      {"int", {"null", "-2147483648", "-5", "7", "2147483647"}},
      {"bigint", {"null", "-9223372036854775808", "-1", "0", "9223372036854775807"}},
      {"float", {"null", "-1.5", "-0.25", "0.0", "0.25", "100.0"}},
      {"double", {"null", "-1e300", "-1.5", "0.0", "1e-300", "2.5"}},
      {"decimal(38,2)",
       {"null", "-99999999999999999999999999999999.99", "-0.01", "0.00", "0.02", "1.00",
        "99999999999999999999999999999999.98", "99999999999999999999999999999999.99"}},
      {"string",
       {"null", R"("")", R"("a")", R"("a\u0000")", R"("abcdefgh")", R"("abcdefghi")", R"("abcdefgi")", R"("\u00e9")"}},
      {"timestamp", {"null", R"("1969-12-31T23:59:59.000000Z")", R"("2024-02-29T12:00:00.000001Z")"}},
      {"date", {"null", R"("1901-01-01")", R"("2024-02-29")"}},
  };
  const Case& each = GENERATE_REF(from_range(std::begin(cases), std::end(cases)));
  const bool descending = GENERATE(false, true);
  INFO(each.type << (descending ? " descending" : ""));
  // Twice, in an order of their own, and with a number that shows that equal rows stay in their order.
  std::vector<std::string> values;
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < each.ascending.size(); ++i) {
      const std::size_t place = (i * 7 + 3) % each.ascending.size();
      values.push_back("{\"v\":" + each.ascending[place] + ",\"n\":" + std::to_string(round) + "}");
    }
  }
  std::string expected;
  for (std::size_t i = 0; i < each.ascending.size(); ++i) {
    const std::string& value = each.ascending[descending ? each.ascending.size() - 1 - i : i];
    for (const char* round : {"0", "1"}) expected += "{\"v\":" + value + ",\"n\":" + round + "}\n";
  }
  Schema schema;
  schema.columns = {{"v", *ParseHiveType(each.type)}, {"n", *ParseHiveType("int")}};
  ParquetOptions options;
  options.sort_by = {{"v", descending}};
  StringSink sorted, plain;
  auto writer = NewParquetObjectWriter(options, schema, {}, sorted);
  auto unsorted = NewParquetObjectWriter({}, schema, {}, plain);
  REQUIRE((writer.has_value() && unsorted.has_value()));
  WriteAll(**writer, RefsTo(values), 3);
  // The same spelling on both sides: what was written in the expected order without sorting.
  std::vector<std::string> in_order;
  std::istringstream lines(expected);
  for (std::string line; std::getline(lines, line);) in_order.push_back(line);
  WriteAll(**unsorted, RefsTo(in_order), 3);
  CHECK(ReadBack(sorted.bytes(), "a.parquet") == ReadBack(plain.bytes(), "a.parquet"));
}

TEST_CASE("ParquetObjectWriter Finish: no record is a file without rows", "[delivery]") {
  CHECK(ReadBack(WriteParquet({}, {}, 1), "a.parquet").empty());
}

TEST_CASE("ParquetObjectWriter Append: bad records are named, the others are written", "[delivery]") {
  std::vector<std::string> values = {R"({"id":1})", "oops", R"({"id":"two"})", R"({"id":3}{"id":4})", ""};
  std::vector<RecordRef> refs = RefsTo(values);
  StringSink sink;
  Schema schema;
  schema.columns = {{"id", *ParseHiveType("int")}};
  auto writer = NewParquetObjectWriter({}, schema, {}, sink);
  REQUIRE(writer);
  Result<AppendOutcome> outcome = (*writer)->Append(refs);
  REQUIRE(outcome);
  CHECK(outcome->rows == 3);
  REQUIRE(outcome->errors.size() == 3);
  CHECK(outcome->errors[0].index == 1);
  CHECK(outcome->errors[0].code == kParseErrorCode);
  CHECK(outcome->errors[1].index == 2);
  CHECK(outcome->errors[1].code == kMalformedDataCode);
  CHECK(outcome->errors[2].index == 4);
  Result<ObjectSummary> summary = (*writer)->Finish({});
  REQUIRE(summary);
  CHECK(summary->rows == 3);
  CHECK(summary->records == 5);
  CHECK(summary->errors == 3);
  CHECK(ReadBack(sink.bytes(), "a") == "{\"id\":1}\n{\"id\":3}\n{\"id\":4}\n");
}

TEST_CASE("ParquetObjectWriter Append: overflow fields are counted once", "[delivery]") {
  std::vector<std::string> values = {R"({"id":1,"x":2})", R"({"id":"two","y":{}})"};
  StringSink sink;
  Schema schema;
  schema.columns = {{"id", *ParseHiveType("int")}};
  schema.overflow = true;
  auto writer = NewParquetObjectWriter({}, schema, {}, sink);
  REQUIRE(writer);
  std::vector<RecordRef> refs = RefsTo(values);
  CHECK((*writer)->Append(std::span(refs).first(1))->overflow_fields == 1);
  CHECK((*writer)->Append(std::span(refs).subspan(1))->overflow_fields == 2);
  CHECK((*writer)->Finish({})->overflow_fields == 3);
  CHECK(ReadBack(sink.bytes(), "a") ==
        "{\"id\":1,\"_overflow\":\"{\\\"x\\\":2}\"}\n{\"id\":null,\"_overflow\":\"{\\\"id\\\":\\\"two\\\",\\\"y\\\":{}}"
        "\"}\n");
}

TEST_CASE("ParquetObjectWriter: memory is bounded by the row group", "[delivery]") {
  constexpr std::size_t kRowGroupBytes = 1 << 20;
  constexpr std::int64_t kPoolBytesMax = 12 << 20;
  SampleRecords records = MakeSampleRecords(4000, 1000);
  ParquetOptions options;
  options.compression = ParquetCompression::kUncompressed;
  options.row_group_bytes = kRowGroupBytes;
  options.page_bytes = 64 << 10;
  if (GENERATE(false, true)) options.sort_by = {{"host", false}};
  FailingSink sink(1u << 30);
  auto writer = NewParquetObjectWriter(options, SampleSchema(), {}, sink);
  REQUIRE(writer);
  std::int64_t before = arrow::default_memory_pool()->bytes_allocated();
  for (int i = 0; i < 10; ++i) {  // 45 MB
    REQUIRE((*writer)->Append(records.refs));
    CHECK((*writer)->bytes_buffered() < 4 * kRowGroupBytes);
    CHECK(arrow::default_memory_pool()->bytes_allocated() - before < kPoolBytesMax);
  }
  CHECK((*writer)->bytes_written() > 30u << 20);
  CHECK((*writer)->Finish({})->rows == 40'000);
}

TEST_CASE("ObjectWriter: the sink's error is the writer's", "[delivery]") {
  SampleRecords records = MakeSampleRecords(4000, 1000);
  FailingSink sink(100'000);
  std::unique_ptr<ObjectWriter> writer;
  if (GENERATE(true, false)) {
    ParquetOptions options;
    options.compression = ParquetCompression::kUncompressed;
    options.row_group_bytes = 1 << 20;
    writer = *NewParquetObjectWriter(options, SampleSchema(), {}, sink);
  } else {
    writer = *NewRawObjectWriter({}, sink);
  }
  Result<AppendOutcome> outcome = writer->Append(records.refs);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == Code::kResourceExhausted);
  CHECK(outcome.error().message().find("the disk is full") != std::string::npos);
}

TEST_CASE("NewParquetObjectWriter: refuses options that cannot work", "[delivery]") {
  StringSink sink;
  ParquetOptions options;
  SECTION("row group") { options.row_group_bytes = 1; }
  SECTION("page") { options.page_bytes = 1; }
  SECTION("level") { options.zstd_level = 99; }
  CHECK_FALSE(NewParquetObjectWriter(options, SampleSchema(), {}, sink));
}

TEST_CASE("RawObjectWriter: every format gives the records back", "[delivery]") {
  SampleRecords records = MakeSampleRecords(3000);
  RawOptions options;
  options.compression = GENERATE(RawCompression::kUncompressed, RawCompression::kGzip, RawCompression::kZip,
                                 RawCompression::kSnappy, RawCompression::kHadoopSnappy);
  std::string name = "object" + std::string(RawCompressionExtension(options.compression));
  SECTION("without a delimiter") {}
  SECTION("with a delimiter") { options.delimiter = "\n"; }
  std::string bytes = WriteRaw(options, records.refs, 1000);
  CHECK(ReadBack(bytes, name) == Lines(records));
  CHECK(WriteRaw(options, records.refs, 1) == bytes);
  CHECK(WriteRaw(options, records.refs, 3000) == bytes);
  CHECK(ReadBack(WriteRaw(options, {}, 1), name).empty());
}

TEST_CASE("RawObjectWriter: delimiters stand between records, and behind the last where asked", "[delivery]") {
  std::vector<std::string> values = {"a", "", "c"};
  CHECK(WriteRaw({}, RefsTo(values), 1) == "ac");
  RawOptions options;
  options.delimiter = "|";
  CHECK(WriteRaw(options, RefsTo(values), 2) == "a||c");
  options.delimiter_after_last = true;
  CHECK(WriteRaw(options, RefsTo(values), 2) == "a||c|");
  CHECK(WriteRaw(options, {}, 2).empty());
}

TEST_CASE("ReadObjectRanges: the object says where its records come from", "[delivery]") {
  SampleRecords records = MakeSampleRecords(100);
  storage::TempDir dir;
  std::string path = dir.path() + "/object";
  RawOptions options;
  SECTION("parquet") { std::ofstream(path) << WriteParquet({}, records.refs, 10); }
  SECTION("gzip") {
    options.compression = RawCompression::kGzip;
    std::ofstream(path) << WriteRaw(options, records.refs, 10);
  }
  SECTION("zip") {
    options.compression = RawCompression::kZip;
    std::ofstream(path) << WriteRaw(options, records.refs, 10);
  }
  Result<ObjectFacts> facts = tools::ReadObjectRanges(path);
  REQUIRE(facts);
  CHECK(facts->metadata == SampleMetadata(100));
  CHECK(facts->summary.rows == 100);
  CHECK(facts->summary.records == 100);
}

TEST_CASE("RawObjectWriter: metadata that readers of gzip could not skip is left out", "[delivery]") {
  SampleRecords records = MakeSampleRecords(10);
  StringSink sink;
  RawOptions options;
  options.compression = RawCompression::kGzip;
  ObjectMetadata metadata = SampleMetadata(10);
  metadata.extra.emplace_back("long", std::string(40'000, 'x'));
  std::unique_ptr<ObjectWriter> writer = *NewRawObjectWriter(options, sink);
  REQUIRE(writer->Append(records.refs));
  REQUIRE(writer->Finish(metadata));
  CHECK(ReadBack(sink.bytes(), "object.gz") == Lines(records));
  CHECK(tools::DecodeRecordObject(sink.bytes(), "object.gz")->metadata.empty());
}

TEST_CASE("MetadataFromJson: refuses what Sluice did not write", "[delivery]") {
  std::string good = MetadataToJson(SampleMetadata(5), {});
  CHECK(MetadataFromJson(good)->metadata == SampleMetadata(5));
  CHECK_FALSE(MetadataFromJson(good.substr(0, good.size() - 1)));
  CHECK_FALSE(MetadataFromJson("{}"));
  CHECK_FALSE(MetadataFromJson(""));
  std::string no_last = good;
  no_last.replace(no_last.find("\"last\""), 6, "\"lost\"");
  CHECK_FALSE(MetadataFromJson(no_last));
  ObjectMetadata older = SampleMetadata(5);
  older.uid.clear();
  CHECK(MetadataToJson(older, {}).find("uid") == std::string::npos);
  CHECK(MetadataFromJson(MetadataToJson(older, {}))->metadata == older);
}

TEST_CASE("ParseRawCompression, ParseParquetCompression: Firehose's names only", "[delivery]") {
  CHECK(*ParseRawCompression("Snappy") == RawCompression::kSnappy);
  CHECK_FALSE(ParseRawCompression("SNAPPY"));
  CHECK(*ParseParquetCompression("ZSTD") == ParquetCompression::kZstd);
  CHECK_FALSE(ParseParquetCompression("zstd"));
}
