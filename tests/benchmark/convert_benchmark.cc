// Conversion speed, JSON lines to lake objects: MB of JSON a second of one core's time (thread CPU time, so that a busy
// machine counts less).
//   convert_benchmark [LINE_BYTES] [MEGABYTES]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "broker/delivery/parquet_object_writer.h"
#include "protocol/check.h"
#include "tests/benchmark/json_lines.h"

namespace sluice {
namespace {

using delivery::RecordRef;

constexpr std::string_view kColumns =
    R"([{"Name":"ts","Type":"string"},{"Name":"event_id","Type":"string"},{"Name":"level","Type":"string"},)"
    R"({"Name":"region","Type":"string"},{"Name":"user_id","Type":"bigint"},{"Name":"session","Type":"string"},)"
    R"({"Name":"ip","Type":"string"},{"Name":"method","Type":"string"},{"Name":"path","Type":"string"},)"
    R"({"Name":"status","Type":"bigint"},{"Name":"latency_ms","Type":"double"},{"Name":"bytes","Type":"bigint"},)"
    R"({"Name":"cached","Type":"boolean"},{"Name":"msg","Type":"string"}])";

class CountingSink : public delivery::ObjectSink {
 public:
  Status Write(std::string_view bytes) override {
    bytes_ += bytes.size();
    return {};
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
};

struct Input {
  std::string text;
  std::vector<RecordRef> records;
};

Input MakeInput(std::size_t line_bytes, std::size_t bytes) {
  Input input;
  std::vector<std::size_t> starts;
  for (std::uint64_t seed = 1; input.text.size() < bytes; ++seed) {
    starts.push_back(input.text.size());
    input.text += benchmark::JsonLine(seed, line_bytes);
  }
  starts.push_back(input.text.size());
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    RecordRef record;
    record.value = std::string_view(input.text).substr(starts[i], starts[i + 1] - starts[i]);
    record.offset = Offset(i);
    input.records.push_back(record);
  }
  return input;
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void Report(const std::string& name, std::size_t bytes, const std::function<std::uint64_t()>& run) {
  std::vector<double> figures;
  std::uint64_t out = 0;
  for (int i = 0; i < 5; ++i) {
    double start = ThreadSeconds();
    out = run();
    figures.push_back(static_cast<double>(bytes) / 1e6 / (ThreadSeconds() - start));
  }
  std::ranges::sort(figures);
  fmt::print("{:<40} min {:8.1f}  med {:8.1f}  max {:8.1f} MB/s  ({:.1f} -> {:.1f} MB)\n", name, figures.front(),
             figures[figures.size() / 2], figures.back(), static_cast<double>(bytes) / 1e6,
             static_cast<double>(out) / 1e6);
}

std::uint64_t WriteAll(delivery::ObjectWriter& writer, const Input& input) {
  constexpr std::size_t kRecordsAtOnce = 500;
  std::span<const RecordRef> rest(input.records);
  while (!rest.empty()) {
    std::span<const RecordRef> part = rest.first(std::min(rest.size(), kRecordsAtOnce));
    auto outcome = writer.Append(part);
    SLUICE_CHECK(outcome && outcome->errors.empty());
    rest = rest.subspan(part.size());
  }
  auto summary = writer.Finish({});
  SLUICE_CHECK(summary);
  return summary->bytes;
}

void MeasureParquet(const Input& input, delivery::ParquetCompression compression, const std::string& name) {
  delivery::Schema schema = *delivery::SchemaFromColumns(kColumns);
  Report(name, input.text.size(), [&] {
    CountingSink sink;
    delivery::ParquetOptions options;
    options.compression = compression;
    auto writer = delivery::NewParquetObjectWriter(options, schema, {}, sink);
    SLUICE_CHECK(writer);
    return WriteAll(**writer, input);
  });
}

void MeasureConversion(const Input& input) {
  delivery::Schema schema = *delivery::SchemaFromColumns(kColumns);
  auto converter = *delivery::RowConverter::New(schema, {});
  Report("rows only", input.text.size(), [&] {
    for (const RecordRef& record : input.records) {
      SLUICE_CHECK(!converter->Add(record.value));
      if (converter->bytes() > 1u << 20) converter->TakeBatch();
    }
    converter->TakeBatch();
    return 0;
  });
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  std::size_t line_bytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
  std::size_t megabytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 64;
  sluice::Input input = sluice::MakeInput(line_bytes, megabytes << 20);
  using sluice::delivery::ParquetCompression;
  sluice::MeasureConversion(input);
  sluice::MeasureParquet(input, ParquetCompression::kUncompressed, "parquet uncompressed");
  sluice::MeasureParquet(input, ParquetCompression::kSnappy, "parquet snappy");
  sluice::MeasureParquet(input, ParquetCompression::kZstd, "parquet zstd-1");
  return 0;
}
