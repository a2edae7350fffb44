// Rows 25 and 26: enhanced fan-out over HTTP/2, which SDKs use, and over HTTP/1.1. The bound of its throughput is the
// broker's own answer, sent from memory to the same readers; that of its delay is a bare server's answer to the put.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tools/bench/answer_bound.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/fan_out_client.h"
#include "tools/bench/http_text.h"
#include "tools/bench/ingest_bound.h"
#include "tools/bench/kinesis_calls.h"
#include "tools/bench/kinesis_load.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/loopback_socket.h"
#include "tools/bench/native_load.h"
#include "tools/bench/turns.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {

namespace {

constexpr std::string_view kStream = "bench";
constexpr std::size_t kSubscribers = 4;
constexpr std::size_t kPutRecords = 500;
constexpr std::uint64_t kFillRequests = 250;
constexpr std::size_t kFilled = kPutRecords * kFillRequests;  // 128 MB of records, for each subscriber

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string SubscribeBody(std::string_view consumer_arn, std::string_view position) {
  return fmt::format(R"({{"ConsumerARN":"{}","ShardId":"shardId-000000000000","StartingPosition":{{"Type":"{}"}}}})",
                     consumer_arn, position);
}

/// Every subscriber reads all records, each on a thread of its own; MB/s of all together.
Result<double> ReadAll(std::uint16_t port, HttpVersion version, const std::vector<std::string>& bodies) {
  std::vector<Status> results(bodies.size());
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      threads.emplace_back([&, i] {
        auto client = FanOutClient::Subscribe(port, version, bodies[i]);
        results[i] = client ? (*client)->ReadRecords(kFilled) : client.error();
      });
    }
  }
  const double seconds = SecondsSince(start);
  for (const Status& result : results) {
    if (!result.ok()) return Error(result);
  }
  return static_cast<double>(bodies.size() * kFilled * kRecordBytes) / 1e6 / seconds;
}

/// The start of the broker's answer over HTTP/1.1, up to the last record.
Result<std::string> CaptureAnswer(std::uint16_t port, std::string_view body) {
  auto socket = LoopbackSocket::Connect(port);
  if (!socket) return Error(socket.error());
  if (Status sent = socket->Send(KinesisRequest(port, "SubscribeToShard", body)); !sent.ok()) return Error(sent);
  std::string answer;
  std::size_t records = 0;
  for (std::size_t counted = 0; records < kFilled || !answer.ends_with("\r\n");) {
    if (Status status = socket->Receive(answer); !status.ok()) return Error(status);
    const std::size_t whole = answer.rfind('}') + 1;  // what is counted ends with a record
    records += CountRecords(std::string_view(answer).substr(counted, whole - counted));
    counted = whole;
  }
  return answer;
}

class FanOut {
 public:
  static Result<FanOut> Start(const BenchOptions& options) {
    auto broker = BrokerProcess::Start(options, "fan-out",
                                       {{"SLUICE_AWS__ACCEPT_ANY_SIGNATURE", "true"},
                                        {"SLUICE_STORAGE__TAIL_BYTES_MAX", "512MiB"}});  // what is read is in memory
    if (!broker) return Error(broker.error());
    if (auto stream = (*broker)->CreateStream(std::string(kStream), 1); !stream) return Error(stream.error());
    return FanOut(std::move(*broker));
  }

  std::uint16_t port() const { return broker_->aws_port(); }

  /// Consumers that have not subscribed yet; a stream has room for 20, so those before them go.
  Result<std::vector<std::string>> NewConsumers(std::size_t count) {
    for (const std::string& arn : std::exchange(consumers_, {})) {
      const std::string body = fmt::format(R"({{"ConsumerARN":"{}"}})", arn);
      if (auto gone = CallKinesis(port(), KinesisRequest(port(), "DeregisterStreamConsumer", body)); !gone)
        return Error(gone.error());
    }
    for (std::size_t i = 0; i < count; ++i) {
      auto arn = RegisterConsumer(port(), kStream, fmt::format("consumer-{}", ++registered_));
      if (!arn) return Error(arn.error());
      consumers_.push_back(std::move(*arn));
    }
    return consumers_;
  }

  Result<std::vector<std::string>> NewSubscriptions(std::size_t count, std::string_view position) {
    auto arns = NewConsumers(count);
    if (!arns) return Error(arns.error());
    std::vector<std::string> bodies;
    for (const std::string& arn : *arns) bodies.push_back(SubscribeBody(arn, position));
    return bodies;
  }

 private:
  explicit FanOut(std::unique_ptr<BrokerProcess> broker) : broker_(std::move(broker)) {}
  std::unique_ptr<BrokerProcess> broker_;
  std::vector<std::string> consumers_;
  int registered_ = 0;
};

Result<Figure> MeasureThroughput(const BenchOptions& options, HttpVersion version, Figure figure) {
  auto fan_out = FanOut::Start(options);
  if (!fan_out) return Error(fan_out.error());
  if (Status filled = FillKinesisStream(fan_out->port(), kStream, kPutRecords, kFillRequests); !filled.ok())
    return Error(filled);
  auto one = fan_out->NewSubscriptions(1, "TRIM_HORIZON");
  if (!one) return Error(one.error());
  auto answer = CaptureAnswer(fan_out->port(), one->front());
  if (!answer) return Error(answer.error());
  auto bound = StartAnswerBound(*answer);
  if (!bound) return Error(bound.error());
  std::vector<double> ours, bounds;
  for (int round = 0; round < options.rounds; ++round) {
    auto bodies = fan_out->NewSubscriptions(kSubscribers, "TRIM_HORIZON");
    if (!bodies) return Error(bodies.error());
    auto read = ReadAll(fan_out->port(), version, *bodies);
    if (!read) return Error(read.error());
    ours.push_back(*read);
    auto least = ReadAll((*bound)->port(), HttpVersion::kHttp1, *bodies);
    if (!least) return Error(least.error());
    bounds.push_back(*least);
  }
  figure.value = Median(ours);
  figure.bound = Median(bounds);
  figure.note = fmt::format("durable records in memory, {} each, all subscribers together", kFilled);
  return figure;
}

/// Puts one record after the other; from the put to the event with it.
Result<LoadResult> PutAndWait(const BenchOptions& options, FanOut& fan_out, HttpVersion version) {
  auto body = fan_out.NewSubscriptions(1, "LATEST");
  if (!body) return Error(body.error());
  auto subscriber = FanOutClient::Subscribe(fan_out.port(), version, body->front());
  if (!subscriber) return Error(subscriber.error());
  if (auto begun = (*subscriber)->NextRecords(); !begun) return Error(begun.error());  // initial-response
  auto producer = LoopbackSocket::Connect(fan_out.port());
  if (!producer) return Error(producer.error());
  LoadResult result;
  std::string answer;
  const auto start = Clock::now();
  for (std::uint64_t i = 0; SecondsSince(start) < options.seconds; ++i) {
    const std::string request = PutRecordRequest(fan_out.port(), kStream, i);
    const auto put = Clock::now();
    if (Status sent = producer->Send(request); !sent.ok()) return Error(sent);
    if (Status got = (*subscriber)->ReadRecords(1); !got.ok()) return Error(got);
    result.latency.Add((Clock::now() - put).count());
    answer.clear();
    while (HttpMessageBytes(answer).value_or(1) != answer.size()) {
      if (Status got = producer->Receive(answer); !got.ok()) return Error(got);
    }
  }
  result.requests = result.latency.count();
  result.seconds = SecondsSince(start);
  return result;
}

Result<LoadResult> MeasureBarePut(const BenchOptions& options, bool commit_thread) {
  auto bound = IngestBound::Start(
      {.dir = options.dir, .commit_thread = commit_thread, .protocol = BoundOptions::Protocol::kKinesis});
  if (!bound) return Error(bound.error());
  LoadOptions load = KinesisLoad((*bound)->port());
  load.seconds = options.seconds;
  load.requests = {PutRecordRequest((*bound)->port(), kStream, 0)};
  return RunLoad(load);
}

Result<Measured> MeasureDelay(const BenchOptions& options, HttpVersion version) {
  auto fan_out = FanOut::Start(options);
  if (!fan_out) return Error(fan_out.error());
  return TakeTurns({.rounds = options.rounds,
                    .open_loop = true,
                    .ours = [&] { return PutAndWait(options, *fan_out, version); },
                    .bound = [&](bool commit_thread) { return MeasureBarePut(options, commit_thread); }});
}

}  // namespace

Result<std::vector<Figure>> BenchKinesisSubscribe(const BenchOptions& options) {
  std::vector<Figure> figures;
  for (const auto& [version, name] : {std::pair(HttpVersion::kHttp2, "HTTP/2"), {HttpVersion::kHttp1, "HTTP/1.1"}}) {
    auto delay = MeasureDelay(options, version);
    if (!delay) return Error(delay.error());
    auto throughput = MeasureThroughput(
        options, version,
        {.row = 25, .name = fmt::format("fan-out over {}, {} subscribers", name, kSubscribers), .unit = "MB/s"});
    if (!throughput) return Error(throughput.error());
    figures.push_back(std::move(*throughput));
    for (const double percent : {50.0, 99.0}) {
      Figure figure{.row = 26, .unit = "us", .better = Better::kLower};
      figure.name = fmt::format("durable, put to event over {}, p{:.0f}", name, percent);
      figure.value = delay->ours.latency.PercentileUs(percent);
      figure.bound = delay->bound.latency.PercentileUs(percent);
      figures.push_back(std::move(figure));
    }
  }
  return figures;
}

}  // namespace sluice::tools
