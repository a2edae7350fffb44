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
#include "broker/delivery/raw_object_writer.h"
#include "protocol/check.h"
#include "tests/benchmark/convert_bound.h"
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
    input.text += benchmark::JsonLine(seed, line_bytes) + '\n';
  }
  starts.push_back(input.text.size());
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    RecordRef record;
    record.value = std::string_view(input.text).substr(starts[i], starts[i + 1] - starts[i] - 1);
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

double SpeedOf(std::size_t bytes, const std::function<std::uint64_t()>& run, std::uint64_t& out) {
  double start = ThreadSeconds();
  out = run();
  return static_cast<double>(bytes) / 1e6 / (ThreadSeconds() - start);
}

// Bound and figure in turn, so that both see the same machine; the ratio is of the medians.
void Report(std::string_view name, std::size_t bytes, const std::function<std::uint64_t()>& bound,
            const std::function<std::uint64_t()>& run) {
  constexpr int kRounds = 9;
  std::vector<double> bounds;
  std::vector<double> figures;
  std::uint64_t out = 0;
  for (int i = 0; i < kRounds; ++i) {
    bounds.push_back(SpeedOf(bytes, bound, out));
    figures.push_back(SpeedOf(bytes, run, out));
  }
  std::ranges::sort(bounds);
  std::ranges::sort(figures);
  fmt::print(
      "{:<16} bound med {:7.1f} max {:7.1f}   ours med {:7.1f} max {:7.1f} MB/s   ratio {:.2f}   {:.1f} -> {:.1f} MB\n",
      name, bounds[kRounds / 2], bounds.back(), figures[kRounds / 2], figures.back(),
      figures[kRounds / 2] / bounds[kRounds / 2], static_cast<double>(bytes) / 1e6, static_cast<double>(out) / 1e6);
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

void MeasureParquet(const Input& input, delivery::ParquetCompression compression,
                    benchmark::BoundCompression bound_compression, std::string_view name) {
  delivery::Schema schema = *delivery::SchemaFromColumns(kColumns);
  delivery::ParquetOptions options;
  options.compression = compression;
  benchmark::ConvertBound bound(bound_compression);
  Report(
      name, input.text.size(), [&] { return bound.Run(input.text); },
      [&] {
        CountingSink sink;
        auto writer = delivery::NewParquetObjectWriter(options, schema, {}, sink);
        SLUICE_CHECK(writer);
        return WriteAll(**writer, input);
      });
}

void MeasureGzip(const Input& input) {
  delivery::RawOptions options;
  options.compression = delivery::RawCompression::kGzip;
  options.delimiter = "\n";
  Report(
      "ndjson gzip", input.text.size(), [&] { return benchmark::GzipBound(input.text); },
      [&] {
        CountingSink sink;
        auto writer = delivery::NewRawObjectWriter(options, sink);
        SLUICE_CHECK(writer);
        return WriteAll(**writer, input);
      });
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  std::size_t line_bytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
  std::size_t megabytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 64;
  sluice::Input input = sluice::MakeInput(line_bytes, megabytes << 20);
  using sluice::benchmark::BoundCompression;
  using sluice::delivery::ParquetCompression;
  sluice::MeasureParquet(input, ParquetCompression::kUncompressed, BoundCompression::kNone, "parquet plain");
  sluice::MeasureParquet(input, ParquetCompression::kSnappy, BoundCompression::kSnappy, "parquet snappy");
  sluice::MeasureParquet(input, ParquetCompression::kZstd, BoundCompression::kZstd1, "parquet zstd-1");
  sluice::MeasureGzip(input);
  return 0;
}
