// Requests signed once at the start, HTTP/1.1 with keep-alive: the least that all servers understand.
#include "tools/bench/kinesis_peer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/bench/kinesis_calls.h"
#include "tools/bench/kinesis_load.h"
#include "tools/bench/native_load.h"
#include "tools/bench/turns.h"

namespace sluice::tools {

namespace {

constexpr std::string_view kStream = "bench";
constexpr std::string_view kReadStream = "bench-get";
constexpr std::uint32_t kShards = 4;
constexpr std::size_t kPutRecords = 500;
constexpr std::size_t kReadRecords = 1'000;  // of a page: others take a second for the largest one

struct Measurement {
  std::string_view name;
  std::string_view unit;
  std::size_t connections = 1;
  std::vector<std::string> requests;
  double units_per_request = 1;
};

/// The median of the rounds.
Result<LoadResult> RunRounds(const BenchOptions& options, const Measurement& measurement) {
  std::vector<LoadResult> results;
  for (int round = 0; round < options.rounds; ++round) {
    LoadOptions load = KinesisLoad(options.kinesis_port);
    load.connections = measurement.connections;
    load.seconds = options.seconds;
    load.requests = measurement.requests;
    auto result = RunLoad(load);
    if (!result) return Error(result.error());
    results.push_back(std::move(*result));
  }
  std::ranges::sort(results, {}, &LoadResult::requests_per_second);
  return std::move(results[results.size() / 2]);
}

std::vector<std::string> PutRequests(std::uint16_t port, std::size_t connections, std::size_t records) {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < connections; ++i) {
    requests.push_back(records == 1 ? PutRecordRequest(port, kStream, i)
                                    : PutRecordsRequest(port, kStream, records, i));
  }
  return requests;
}

Result<Measurement> Reading(std::uint16_t port) {
  if (Status made = CreateKinesisStream(port, kReadStream, 1); !made.ok()) return Error(made);
  if (Status filled = FillKinesisStream(port, kReadStream, kPutRecords, kReadRecords / kPutRecords); !filled.ok())
    return Error(filled);
  Measurement reading{.name = "GetRecords x 1000, 4 connections", .unit = "MB/s", .connections = 4, .requests = {}};
  for (std::size_t i = 0; i < reading.connections; ++i) {
    auto request = GetRecordsRequest(port, kReadStream, kReadRecords);
    if (!request) return Error(request.error());
    reading.requests.push_back(std::move(*request));
  }
  auto answer = CallKinesis(port, reading.requests.front());
  if (!answer) return Error(answer.error());
  reading.units_per_request = static_cast<double>(CountRecords(*answer) * kRecordBytes) / 1e6;
  return reading;
}

}  // namespace

Result<std::vector<Figure>> BenchKinesisPeer(const BenchOptions& options) {
  const std::uint16_t port = options.kinesis_port;
  if (Status made = CreateKinesisStream(port, kStream, kShards); !made.ok()) return Error(made);
  constexpr double kPutMegabytes = kPutRecords * kRecordBytes / 1e6;
  std::vector<Measurement> measurements{
      {"PutRecords x 500, 8 connections", "MB/s", 8, PutRequests(port, 8, kPutRecords), kPutMegabytes},
      {"PutRecords x 500, 1 connection", "MB/s", 1, PutRequests(port, 1, kPutRecords), kPutMegabytes},
      {"PutRecord, 64 connections", "rec/s", 64, PutRequests(port, 64, 1), 1},
      {"PutRecord, 1 connection", "rec/s", 1, PutRequests(port, 1, 1), 1}};
  auto reading = Reading(port);
  if (!reading) return Error(reading.error());
  measurements.push_back(std::move(*reading));
  std::vector<Figure> figures;
  for (const Measurement& measurement : measurements) {
    auto result = RunRounds(options, measurement);
    if (!result) return Error(result.error().WithContext(measurement.name));
    Figure figure{.name = std::string(measurement.name), .unit = std::string(measurement.unit)};
    figure.value = result->requests_per_second() * measurement.units_per_request;
    figure.note = Percentiles(*result);
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace sluice::tools
