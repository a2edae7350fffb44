// Rows 8 to 12: Kinesis' PutRecords, PutRecord and GetRecords over the AWS port, beside bare servers for the same
// bytes.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/answer_bound.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/ingest_bound.h"
#include "tools/bench/kinesis_calls.h"
#include "tools/bench/kinesis_load.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/native_load.h"
#include "tools/bench/turns.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {

namespace {

constexpr std::string_view kStream = "bench";
constexpr std::uint32_t kShards = 4;
constexpr std::size_t kPutRecords = 500;  // the most that PutRecords takes
constexpr std::size_t kRequestsMax = 64;  // that differ

/// How a row drives the server.
struct Shape {
  std::size_t connections = 1;
  std::size_t records = 1;  // per request; PutRecord where that is one
  Signatures signatures = Signatures::kIgnored;
  bool encrypted = false;  // the stream, where it is ours
};

/// The same requests for ours and for the bound, but for the port.
LoadOptions PutLoad(const BenchOptions& options, const Shape& shape, std::uint16_t port) {
  LoadOptions load = KinesisLoad(port);
  load.connections = shape.connections;
  load.seconds = options.seconds;
  for (std::size_t i = 0; i < std::min(shape.connections, kRequestsMax); ++i) {
    load.requests.push_back(shape.records == 1 ? PutRecordRequest(port, kStream, i)
                                               : PutRecordsRequest(port, kStream, shape.records, i));
  }
  return load;
}

Result<LoadResult> MeasureBound(const BenchOptions& options, const Shape& shape, bool commit_thread) {
  const auto protocol = shape.signatures == Signatures::kVerified ? BoundOptions::Protocol::kSignedKinesis
                                                                  : BoundOptions::Protocol::kKinesis;
  auto bound = IngestBound::Start({.dir = options.dir, .commit_thread = commit_thread, .protocol = protocol});
  if (!bound) return Error(bound.error());
  return RunLoad(PutLoad(options, shape, (*bound)->port()));
}

Result<LoadResult> MeasureOurs(const BenchOptions& options, const Shape& shape) {
  auto broker = StartKinesisBroker(options, shape.signatures);
  if (!broker) return Error(broker.error());
  constexpr std::uint64_t kRetentionBytes = std::uint64_t{1} << 30;
  auto stream = (*broker)->CreateStream(std::string(kStream), kShards, Retention{.age = {}, .bytes = kRetentionBytes});
  if (!stream) return Error(stream.error());
  if (shape.encrypted) {
    if (auto encrypted = (*broker)->Admin()->EncryptStream(std::string(kStream)); !encrypted) {
      return Error(encrypted.error());
    }
  }
  if (Status status = WarmUp(**broker, *stream, kShards); !status.ok()) return Error(status);
  return RunLoad(PutLoad(options, shape, (*broker)->aws_port()));
}

Result<Measured> Measure(const BenchOptions& options, const Shape& shape) {
  return TakeTurns({.rounds = options.rounds,
                    .ours = [&] { return MeasureOurs(options, shape); },
                    .bound = [&](bool commit_thread) { return MeasureBound(options, shape, commit_thread); }});
}

Figure Rate(Figure figure, Measured& measured, double units_per_request) {
  figure.value = measured.ours.requests_per_second() * units_per_request;
  figure.bound = measured.bound.requests_per_second() * units_per_request;
  figure.note = Percentiles(measured.ours) + "; bound " + Percentiles(measured.bound);
  return figure;
}

Figure Latency(Figure figure, Measured& measured, double percent) {
  figure.unit = "us";
  figure.better = Better::kLower;
  figure.value = measured.ours.latency.PercentileUs(percent);
  figure.bound = measured.bound.latency.PercentileUs(percent);
  return figure;
}

constexpr double kPutMegabytes = kPutRecords * kRecordBytes / 1e6;  // of data, in one request

/// A broker with records in one shard, and what its readers ask for.
struct Readable {
  std::unique_ptr<BrokerProcess> broker;
  std::vector<std::string> requests;  // GetRecords, each from the start of the shard
  std::string answer;                 // to the first of them
  std::size_t records = 0;            // in it
};

constexpr std::size_t kPageRecords = 10'000;  // the most that GetRecords gives
constexpr std::uint64_t kHotRequests = 40;    // 20 MB: two pages of GetRecords, which fit the tail cache

Result<Readable> StartReadable(const BenchOptions& options, std::size_t connections) {
  auto broker = StartKinesisBroker(options, Signatures::kIgnored);
  if (!broker) return Error(broker.error());
  if (auto stream = (*broker)->CreateStream(std::string(kStream), 1); !stream) return Error(stream.error());
  const std::uint16_t port = (*broker)->aws_port();
  if (Status filled = FillKinesisStream(port, kStream, kPutRecords, kHotRequests); !filled.ok()) return Error(filled);
  Readable readable{std::move(*broker), {}, {}, 0};
  for (std::size_t i = 0; i < connections; ++i) {
    auto request = GetRecordsRequest(port, kStream, kPageRecords);
    if (!request) return Error(request.error());
    readable.requests.push_back(std::move(*request));
  }
  auto answer = CallKinesis(port, readable.requests.front());
  if (!answer) return Error(answer.error());
  readable.answer = std::move(*answer);
  readable.records = CountRecords(readable.answer);
  return readable;
}

Result<LoadResult> MeasureReads(const BenchOptions& options, const Readable& readable, std::uint16_t port) {
  LoadOptions load = KinesisLoad(port);
  load.connections = readable.requests.size();
  load.seconds = options.seconds;
  load.requests = readable.requests;
  return RunLoad(load);
}

}  // namespace

Result<std::vector<Figure>> BenchKinesisPut(const BenchOptions& options) {
  auto any = Measure(options, {.connections = 8, .records = kPutRecords});
  if (!any) return Error(any.error());
  auto verified = Measure(options, {.connections = 8, .records = kPutRecords, .signatures = Signatures::kVerified});
  if (!verified) return Error(verified.error());
  auto encrypted = Measure(options, {.connections = 8, .records = kPutRecords, .encrypted = true});
  if (!encrypted) return Error(encrypted.error());
  auto one = Measure(options, {.records = kPutRecords});
  if (!one) return Error(one.error());
  return std::vector<Figure>{
      Rate({.row = 8, .name = "durable, PutRecords x 500, 8 connections", .unit = "MB/s", .goal = 0.80, .floor = 0.55},
           *any, kPutMegabytes),
      Rate({.row = 9, .name = "durable, the same with SigV4 verified", .unit = "MB/s", .goal = 0.89, .floor = 0.67},
           *verified, kPutMegabytes),
      Rate({.row = 29, .name = "durable, as row 8, encrypted at rest", .unit = "MB/s"}, *encrypted, kPutMegabytes),
      Latency({.row = 10, .name = "durable, PutRecords x 500, 1 connection, p50", .goal = 0.78, .floor = 0.59}, *one,
              50),
      Latency({.row = 10, .name = "durable, PutRecords x 500, 1 connection, p99", .goal = 0.71, .floor = 0.47}, *one,
              99)};
}

Result<std::vector<Figure>> BenchKinesisPutRecord(const BenchOptions& options) {
  auto many = Measure(options, {.connections = 64});
  if (!many) return Error(many.error());
  auto one = Measure(options, {});
  if (!one) return Error(one.error());
  return std::vector<Figure>{
      Rate({.row = 11, .name = "durable, PutRecord, 64 connections", .unit = "rec/s", .goal = 0.83, .floor = 0.61},
           *many, 1),
      Latency({.row = 11, .name = "durable, PutRecord, 1 connection, p50", .goal = 0.85, .floor = 0.66}, *one, 50)};
}

Result<std::vector<Figure>> BenchKinesisGet(const BenchOptions& options) {
  constexpr std::size_t kConnections = 4;
  auto readable = StartReadable(options, kConnections);
  if (!readable) return Error(readable.error());
  auto bound = StartAnswerBound(readable->answer);
  if (!bound) return Error(bound.error());
  auto measured = TakeTurns(
      {.rounds = options.rounds,
       .ours = [&] { return MeasureReads(options, *readable, readable->broker->aws_port()); },
       .bound = [&](bool) { return MeasureReads(options, *readable, (*bound)->port()); }});  // nothing to commit
  if (!measured) return Error(measured.error());
  const double megabytes = static_cast<double>(readable->records * kRecordBytes) / 1e6;
  Figure figure =
      Rate({.row = 12, .name = "GetRecords, hot, 4 connections", .unit = "MB/s", .goal = 0.70, .floor = 0.40},
           *measured, megabytes);
  figure.note = fmt::format("durable records, {} a page; {}", readable->records, figure.note);
  return std::vector<Figure>{figure};
}

}  // namespace sluice::tools
