// ORC objects: what went in comes out, the same bytes each time, within bounded memory; and their footer's metadata.
#include "broker/delivery/orc_object_writer.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "broker/delivery/orc_tail.h"
#include "broker/delivery/parquet_object_writer.h"
#include "tests/catch.h"
#include "tests/delivery/object_writing.h"
#include "tests/delivery/sample_records.h"
#include "tests/storage/env/temp_dir.h"
#include "tools/lake/lake.h"

using namespace sluice;
using namespace sluice::delivery;

namespace {

std::string WriteOrc(const OrcOptions& options, std::span<const RecordRef> records, std::size_t at_once) {
  StringSink sink;
  auto writer = NewOrcObjectWriter(options, SampleSchema(), {}, sink);
  REQUIRE(writer);
  ObjectSummary summary = WriteAll(**writer, records, at_once);
  CHECK(summary.rows == records.size());
  CHECK(summary.bytes == sink.bytes().size());
  return sink.bytes();
}

std::unique_ptr<arrow::adapters::orc::ORCFileReader> OpenOrc(const std::string& bytes) {
  auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  auto reader = arrow::adapters::orc::ORCFileReader::Open(file, arrow::default_memory_pool());
  REQUIRE(reader.ok());
  return *std::move(reader);
}

OrcOptions SmallStripes() {
  OrcOptions options;
  options.stripe_bytes = 128 << 10;
  options.row_index_stride = 1000;
  return options;
}

}  // namespace

TEST_CASE("OrcObjectWriter: rows come back as they went in, whatever the options", "[delivery]") {
  SampleRecords records = MakeSampleRecords(1200);
  OrcOptions options = SmallStripes();
  options.compression =
      GENERATE(OrcCompression::kNone, OrcCompression::kZlib, OrcCompression::kSnappy, OrcCompression::kZstd);
  options.dictionary_threshold = GENERATE(0.0, 0.8, 1.0);
  options.version_0_11 = GENERATE(false, true);
  if (GENERATE(false, true)) options.bloom_filter_columns = {"HOST", "time", "day", "price", "load", "nowhere", "tags"};
  CHECK(ReadBack(WriteOrc(options, records.refs, 1000), "a.orc") == Lines(records));
}

TEST_CASE("OrcObjectWriter: the same records give the same bytes, however they are appended", "[delivery]") {
  SampleRecords records = MakeSampleRecords(20'000);
  OrcOptions options = SmallStripes();
  if (GENERATE(false, true)) {
    options.sort_by = {{"HOST", true}, {"nowhere", false}, {"price", false}};
    options.block_bytes = 1 << 20;
  }
  std::string bytes = WriteOrc(options, records.refs, records.refs.size());
  CHECK(WriteOrc(options, records.refs, 1) == bytes);
  CHECK(WriteOrc(options, records.refs, 777) == bytes);
}

TEST_CASE("OrcObjectWriter: options are those of the file", "[delivery]") {
  SampleRecords records = MakeSampleRecords(20'000);
  OrcOptions options = SmallStripes();
  options.row_index_stride = 2000;
  options.version_0_11 = true;
  options.compression = OrcCompression::kZlib;
  const std::string plain = WriteOrc(options, records.refs, 1000);
  auto reader = OpenOrc(plain);
  CHECK(reader->NumberOfStripes() > 1);
  CHECK(reader->GetRowIndexStride() == 2000);
  CHECK(reader->GetFileVersion().minor_version() == 11);
  CHECK(*reader->GetCompression() == arrow::Compression::GZIP);
  CHECK(OpenOrc(WriteOrc({}, records.refs, 1000))->NumberOfStripes() == 1);
  options.bloom_filter_columns = {"host"};
  const std::string with_filter = WriteOrc(options, records.refs, 1000);
  CHECK(with_filter.size() > plain.size());
  options.bloom_filter_fpp = 0.0;  // as Firehose takes it
  CHECK(WriteOrc(options, records.refs, 1000).size() > with_filter.size());
}

TEST_CASE("OrcObjectWriter: sorts as Parquet does", "[delivery]") {
  SampleRecords records = MakeSampleRecords(5000);
  OrcOptions options = SmallStripes();
  options.sort_by = {{"host", true}, {"price", false}};
  ParquetOptions parquet;
  parquet.sort_by = options.sort_by;
  StringSink sink;
  auto writer = NewParquetObjectWriter(parquet, SampleSchema(), {}, sink);
  REQUIRE(writer);
  WriteAll(**writer, records.refs, 1000);
  const std::string sorted = ReadBack(sink.bytes(), "a.parquet");
  CHECK(sorted != Lines(records));
  CHECK(ReadBack(WriteOrc(options, records.refs, 1000), "a.orc") == sorted);
}

TEST_CASE("OrcObjectWriter Finish: no record is a file without rows", "[delivery]") {
  const std::string bytes = WriteOrc({}, {}, 1);
  CHECK(ReadBack(bytes, "a.orc").empty());
  CHECK(OpenOrc(bytes)->NumberOfRows() == 0);
}

TEST_CASE("OrcObjectWriter Finish: the footer says where the records come from, however long that is", "[delivery]") {
  SampleRecords records = MakeSampleRecords(100);
  OrcOptions options;
  options.compression =
      GENERATE(OrcCompression::kNone, OrcCompression::kZlib, OrcCompression::kSnappy, OrcCompression::kZstd);
  ObjectMetadata metadata = SampleMetadata(100);
  metadata.extra.emplace_back("long", std::string(GENERATE(0, 200, 70'000, 9'000'000), 'x'));
  StringSink sink;
  auto writer = NewOrcObjectWriter(options, SampleSchema(), {}, sink);
  REQUIRE(writer);
  REQUIRE((*writer)->Append(records.refs));
  REQUIRE((*writer)->Finish(metadata));
  storage::TempDir dir;
  const std::string path = dir.path() + "/object";
  std::ofstream(path, std::ios::binary) << sink.bytes();
  Result<ObjectFacts> facts = tools::ReadObjectRanges(path);
  REQUIRE(facts);
  CHECK(facts->metadata == metadata);
  CHECK(facts->summary.rows == 100);
  CHECK(ReadBack(sink.bytes(), "a.orc") == Lines(records));
}

TEST_CASE("AddOrcUserMetadata: leaves what is no end of an ORC file as it is", "[delivery]") {
  const std::string good = WriteOrc({}, MakeSampleRecords(10).refs, 1);
  const std::string cases[] = {"",
                               "x",
                               std::string(300, '\xff'),
                               std::string("\x08\x80\x02", 3),
                               std::string("\x12\xff\xff\x7f\x04", 5),
                               std::string("\x0d\x01\x02\x03\x04\x05", 6),
                               good.substr(0, good.size() - 1)};
  for (const std::string& bad : cases) {
    std::string tail = bad;
    CHECK(AddOrcUserMetadata(tail, "name", "value").code() == Code::kCorruption);
    CHECK(tail == bad);
  }
}

TEST_CASE("OrcObjectWriter Append: a time before 1970 with a fraction of a second does not fit", "[delivery]") {
  const std::vector<std::string> values = {
      R"({"id":1,"time":"1969-12-31T23:59:58Z"})", R"({"id":2,"time":"1969-12-31T23:59:58.500000Z"})",
      R"({"id":3,"time":-1.5})", R"({"id":4,"time":"1901-12-13T20:45:51Z","day":"1582-10-15"})",
      R"({"id":5,"time":"1970-01-01T00:00:00.000001Z"})"};
  StringSink sink;
  Schema schema;
  schema.columns = {{"id", *ParseHiveType("int")}, {"time", *ParseHiveType("timestamp")}};
  auto writer = NewOrcObjectWriter({}, schema, {}, sink);
  REQUIRE(writer);
  const std::vector<RecordRef> refs = RefsTo(values);
  const Result<AppendOutcome> outcome = (*writer)->Append(refs);
  REQUIRE(outcome);
  REQUIRE(outcome->errors.size() == 2);
  CHECK(outcome->errors[0].index == 1);
  CHECK(outcome->errors[0].message.find("Column 'time' of type timestamp does not take \"1969") != std::string::npos);
  CHECK(outcome->errors[1].index == 2);
  REQUIRE((*writer)->Finish({}));
  CHECK(ReadBack(sink.bytes(), "a.orc") ==
        "{\"id\":1,\"time\":\"1969-12-31T23:59:58Z\"}\n{\"id\":4,\"time\":\"1901-12-13T20:45:51Z\"}\n"
        "{\"id\":5,\"time\":\"1970-01-01T00:00:00.000001Z\"}\n");
}

TEST_CASE("OrcObjectWriter: every type, null and not", "[delivery]") {
  const std::vector<std::string> values = {
      R"({"b":true,"t":-128,"s":-32768,"i":-2147483648,"l":-9223372036854775808,"f":0.5,"d":-1e+300,)"
      R"("c":-99999999999999999999999999999999999.999,"x":"AP8=","day":"1901-01-01","a":[[1,null],null,[]],)"
      R"("m":{"1":{"k":"2024-02-29T12:00:00.000001Z"},"2":{"k":null}}})",
      R"({"b":null,"t":null,"s":null,"i":null,"l":null,"f":null,"d":null,"c":null,"x":null,"day":null,"a":null,"m":null})",
      R"({"b":false,"t":127,"s":32767,"i":2147483647,"l":9223372036854775807,"f":-1.25,"d":1e-300,)"
      R"("c":0.001,"x":"","day":"2024-02-29","a":[],"m":{}})"};
  const Schema schema = {
      .columns = ParseHiveType(
                     "struct<b:boolean,t:tinyint,s:smallint,i:int,l:bigint,f:float,d:double,c:decimal(38,3),x:binary,"
                     "day:date,a:array<array<int>>,m:map<int,struct<k:timestamp>>>")
                     ->children};
  StringSink sink;
  auto writer = NewOrcObjectWriter({}, schema, {}, sink);
  REQUIRE(writer);
  WriteAll(**writer, RefsTo(values), 1);
  CHECK(ReadBack(sink.bytes(), "a.orc") == values[0] + "\n" + values[1] + "\n" + values[2] + "\n");
}

TEST_CASE("OrcObjectWriter: memory is bounded by the stripe", "[delivery]") {
  constexpr std::size_t kStripeBytes = 1 << 20;
  constexpr std::int64_t kPoolBytesMax = 12 << 20;
  SampleRecords records = MakeSampleRecords(4000, 1000);
  OrcOptions options;
  options.compression = OrcCompression::kNone;
  options.stripe_bytes = kStripeBytes;
  options.block_bytes = kStripeBytes;
  if (GENERATE(false, true)) options.sort_by = {{"host", false}};
  FailingSink sink(1u << 30);
  auto writer = NewOrcObjectWriter(options, SampleSchema(), {}, sink);
  REQUIRE(writer);
  std::int64_t before = arrow::default_memory_pool()->bytes_allocated();
  for (int i = 0; i < 10; ++i) {  // 45 MB
    REQUIRE((*writer)->Append(records.refs));
    CHECK((*writer)->bytes_buffered() < 5 * kStripeBytes);
    CHECK((*writer)->bytes_written() > static_cast<std::uint64_t>(i) * 3'000'000);
    CHECK(arrow::default_memory_pool()->bytes_allocated() - before < kPoolBytesMax);
  }
  CHECK((*writer)->Finish({})->rows == 40'000);
}

TEST_CASE("OrcObjectWriter: the sink's error is the writer's", "[delivery]") {
  SampleRecords records = MakeSampleRecords(4000, 1000);
  OrcOptions options;
  options.compression = OrcCompression::kNone;
  options.stripe_bytes = 1 << 20;
  FailingSink full(100'000);
  Result<AppendOutcome> outcome = (*NewOrcObjectWriter(options, SampleSchema(), {}, full))->Append(records.refs);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == Code::kResourceExhausted);
  CHECK(outcome.error().message() == "writing the ORC file: the disk is full");
  FailingSink full_at_end(100'000);
  auto writer = *NewOrcObjectWriter({}, SampleSchema(), {}, full_at_end);
  REQUIRE(writer->Append(records.refs));
  CHECK(writer->Finish({}).error().code() == Code::kResourceExhausted);
}

TEST_CASE("NewOrcObjectWriter: refuses options that cannot work", "[delivery]") {
  StringSink sink;
  OrcOptions options;
  SECTION("stripe") { options.stripe_bytes = 1; }
  SECTION("stride") { options.row_index_stride = 10; }
  SECTION("threshold") { options.dictionary_threshold = 1.5; }
  CHECK_FALSE(NewOrcObjectWriter(options, SampleSchema(), {}, sink));
}

TEST_CASE("ParseOrcCompression: Firehose's names, and ZSTD", "[delivery]") {
  CHECK(*ParseOrcCompression("ZLIB") == OrcCompression::kZlib);
  CHECK(*ParseOrcCompression("ZSTD") == OrcCompression::kZstd);
  CHECK_FALSE(ParseOrcCompression("GZIP"));
}
