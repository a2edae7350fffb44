// Writes the sample records in every format, for independent_reader.py to read with other people's libraries.
//   write_sample_objects DIR
#include <fstream>
#include <iostream>
#include <string>

#include "broker/delivery/orc_object_writer.h"
#include "broker/delivery/parquet_object_writer.h"
#include "broker/delivery/raw_object_writer.h"
#include "protocol/check.h"
#include "tests/delivery/sample_records.h"

namespace {

using namespace sluice;
using namespace sluice::delivery;

constexpr std::size_t kRecords = 20'000;

class FileSink : public ObjectSink {
 public:
  explicit FileSink(const std::string& path) : file_(path, std::ios::binary) { SLUICE_CHECK(file_.good()); }
  Status Write(std::string_view bytes) override {
    file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file_.good() ? Status() : Status(Code::kIoError, "writing the sample failed");
  }

 private:
  std::ofstream file_;
};

void Fill(ObjectWriter& writer, const SampleRecords& records) {
  SLUICE_CHECK(writer.Append(records.refs)->errors.empty());
  SLUICE_CHECK(writer.Finish(SampleMetadata(records.refs.size())).has_value());
}

void WriteParquetSamples(const std::string& dir, const SampleRecords& records) {
  for (const char* compression : {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"}) {
    for (bool version_2 : {false, true}) {
      ParquetOptions options;
      options.compression = *ParseParquetCompression(compression);
      options.writer_version_2 = version_2;
      options.row_group_bytes = 1 << 20;
      options.page_bytes = 64 << 10;
      options.sort_by = {{"id", false}};
      FileSink sink(dir + "/" + compression + (version_2 ? ".v2.parquet" : ".v1.parquet"));
      Fill(**NewParquetObjectWriter(options, SampleSchema(), {}, sink), records);
    }
  }
}

void WriteSortedSample(const std::string& dir, const SampleRecords& records) {
  ParquetOptions options;
  options.row_group_bytes = 1 << 20;
  options.sort_by = {{"host", true}, {"price", false}};
  FileSink sink(dir + "/host-price.sorted");
  Fill(**NewParquetObjectWriter(options, SampleSchema(), {}, sink), records);
}

void WriteOrcSamples(const std::string& dir, const SampleRecords& records) {
  for (const char* compression : {"NONE", "ZLIB", "SNAPPY", "ZSTD"}) {
    for (bool version_0_11 : {false, true}) {
      OrcOptions options;
      options.compression = *ParseOrcCompression(compression);
      options.version_0_11 = version_0_11;
      options.stripe_bytes = 64 << 10;
      options.dictionary_threshold = version_0_11 ? 1 : 0;
      options.bloom_filter_columns = {"id", "host"};
      FileSink sink(dir + "/" + compression + (version_0_11 ? ".v11.orc" : ".v12.orc"));
      Fill(**NewOrcObjectWriter(options, SampleSchema(), {}, sink), records);
    }
  }
}

void WriteRawSamples(const std::string& dir, const SampleRecords& records) {
  for (const char* compression : {"UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"}) {
    RawOptions options;
    options.compression = *ParseRawCompression(compression);
    options.delimiter = "\n";
    options.delimiter_after_last = true;
    options.zip_entry_name = "5f3c1a52-9d4e-8b07-a1c3-0123456789ab";
    FileSink sink(dir + "/" + compression + ".raw");
    Fill(**NewRawObjectWriter(options, sink), records);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write_sample_objects DIR\n";
    return 2;
  }
  SampleRecords records = MakeSampleRecords(kRecords);
  std::ofstream expected(std::string(argv[1]) + "/expected.ndjson");
  for (const std::string& value : records.values) expected << value << '\n';
  WriteParquetSamples(argv[1], records);
  WriteSortedSample(argv[1], records);
  WriteOrcSamples(argv[1], records);
  WriteRawSamples(argv[1], records);
  return 0;
}
