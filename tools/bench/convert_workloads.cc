// Rows 21 and 22: JSON lines to lake objects, MB of JSON a second of one core's time (thread CPU time, so that a busy
// machine counts less). No broker: this is the writer that a delivery stream uses, on a sink that only counts.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "broker/delivery/parquet_object_writer.h"
#include "broker/delivery/raw_object_writer.h"
#include "protocol/check.h"
#include "tools/bench/convert_bound.h"
#include "tools/bench/json_lines.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {
namespace {

using delivery::ObjectWriter;
using delivery::RecordRef;

constexpr std::size_t kLineBytes = 1024;
constexpr std::size_t kInputBytes = 64u << 20;
constexpr std::size_t kRecordsAtOnce = 500;  // about what one read of the log gives

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

Input MakeInput() {
  Input input;
  std::vector<std::size_t> starts;
  for (std::uint64_t seed = 1; input.text.size() < kInputBytes; ++seed) {
    starts.push_back(input.text.size());
    input.text += JsonLine(seed, kLineBytes) + '\n';
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

Result<std::uint64_t> WriteAll(Result<std::unique_ptr<ObjectWriter>> writer, const Input& input) {
  if (!writer) return Error(writer.error());
  for (std::span<const RecordRef> rest(input.records); !rest.empty();) {
    const std::span<const RecordRef> part = rest.first(std::min(rest.size(), kRecordsAtOnce));
    const auto outcome = (*writer)->Append(part);
    if (!outcome) return Error(outcome.error());
    SLUICE_CHECK(outcome->errors.empty());
    rest = rest.subspan(part.size());
  }
  const auto summary = (*writer)->Finish({});
  if (!summary) return Error(summary.error());
  return summary->bytes;
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// The bound and ours in turn, so that both see the same machine.
Result<Figure> Measure(const BenchOptions& options, const Input& input, Figure figure,
                       const std::function<void()>& bound, const std::function<Result<std::uint64_t>()>& ours) {
  const double megabytes = static_cast<double>(input.text.size()) / 1e6;
  std::vector<double> bounds, figures;
  const double end = ThreadSeconds() + options.seconds * options.rounds;
  do {
    const double start = ThreadSeconds();
    bound();
    const double middle = ThreadSeconds();
    const Result<std::uint64_t> bytes = ours();
    if (!bytes) return Error(bytes.error());
    bounds.push_back(megabytes / (middle - start));
    figures.push_back(megabytes / (ThreadSeconds() - middle));
    figure.note = fmt::format("{:.0f} MB become {:.1f} MB; median of {}", megabytes, static_cast<double>(*bytes) / 1e6,
                              figures.size());
  } while (ThreadSeconds() < end);
  figure.value = Median(figures);
  figure.bound = Median(bounds);
  return figure;
}

}  // namespace

Status WriteBenchLines(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  file << MakeInput().text;
  file.close();
  return file ? Status() : Status(Code::kIoError, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

Result<std::vector<Figure>> BenchParquet(const BenchOptions& options) {
  const Input input = MakeInput();
  const Result<delivery::Schema> schema = delivery::SchemaFromColumns(kColumns);
  if (!schema) return Error(schema.error());
  const auto measure = [&](delivery::ParquetCompression compression, BoundCompression bound_compression,
                           Figure figure) {
    delivery::ParquetOptions parquet;
    parquet.compression = compression;
    ConvertBound bound(bound_compression);
    CountingSink sink;
    return Measure(
        options, input, std::move(figure), [&] { bound.Run(input.text); },
        [&] { return WriteAll(NewParquetObjectWriter(parquet, *schema, {}, sink), input); });
  };
  auto snappy =
      measure(delivery::ParquetCompression::kSnappy, BoundCompression::kSnappy,
              {.row = 21, .name = "JSON to Parquet, snappy, one core", .unit = "MB/s", .goal = 0.74, .floor = 0.51});
  if (!snappy) return Error(snappy.error());
  auto zstd =
      measure(delivery::ParquetCompression::kZstd, BoundCompression::kZstd1,
              {.row = 21, .name = "JSON to Parquet, zstd-1, one core", .unit = "MB/s", .goal = 0.78, .floor = 0.60});
  if (!zstd) return Error(zstd.error());
  return std::vector<Figure>{*snappy, *zstd};
}

Result<std::vector<Figure>> BenchGzip(const BenchOptions& options) {
  const Input input = MakeInput();
  delivery::RawOptions raw;
  raw.compression = delivery::RawCompression::kGzip;
  raw.delimiter = "\n";
  CountingSink sink;
  auto gzip = Measure(
      options, input, {.row = 22, .name = "NDJSON to gzip, one core", .unit = "MB/s", .goal = 0.80, .floor = 0.47},
      [&] { GzipBound(input.text); }, [&] { return WriteAll(NewRawObjectWriter(raw, sink), input); });
  if (!gzip) return Error(gzip.error());
  return std::vector<Figure>{*gzip};
}

}  // namespace sluice::tools
