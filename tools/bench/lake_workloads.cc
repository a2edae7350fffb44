// Rows 27 and 28: the whole of delivery, from the log or from the put to Parquet files on the same disk, and durable
// puts beside it.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/bench/broker_process.h"
#include "tools/bench/load_generator.h"
#include "tools/bench/native_load.h"
#include "tools/bench/turns.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchRecords = 64;
constexpr std::uint32_t kConnections = 16;  // each with records of its own: 1,024 different ones
constexpr std::string_view kStream = "backlog";
constexpr std::string_view kDelivery = "backlog-lake";

constexpr std::string_view kColumns =
    R"([{"Name":"ts","Type":"string"},{"Name":"event_id","Type":"string"},{"Name":"level","Type":"string"},)"
    R"({"Name":"user_id","Type":"bigint"},{"Name":"path","Type":"string"},{"Name":"status","Type":"bigint"},)"
    R"({"Name":"latency_ms","Type":"double"},{"Name":"cached","Type":"boolean"},{"Name":"msg","Type":"string"}])";
constexpr std::string_view kPartitioning =
    R"("DynamicPartitioningConfiguration":{"Enabled":true},"ProcessingConfiguration":{"Enabled":true,"Processors":[)"
    R"({"Type":"MetadataExtraction","Parameters":[{"ParameterName":"MetadataExtractionQuery","ParameterValue":)"
    R"("{user: .user_id}"},{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"}]}]},)";

std::string Document(bool partitioned) {
  return fmt::format(
      R"({{"DeliveryStreamName":"{}","KinesisStreamSourceConfiguration":{{"KinesisStreamARN":"{}"}},)"
      R"("ExtendedS3DestinationConfiguration":{{"BucketARN":"arn:aws:s3:::lake","Prefix":"{}",{})"
      R"("ErrorOutputPrefix":"errors/","BufferingHints":{{"SizeInMBs":128,"IntervalInSeconds":60}},)"
      R"("DataFormatConversionConfiguration":{{"OutputFormatConfiguration":{{"Serializer":{{"ParquetSerDe":{{}}}}}}}}}},)"
      R"("Sluice":{{"StartPosition":"oldest","Columns":{}}}}})",
      kDelivery, kStream, partitioned ? "!{partitionKeyFromQuery:user}/" : "", partitioned ? kPartitioning : "",
      kColumns);
}

struct Source {
  std::unique_ptr<BrokerProcess> broker;
  std::uint32_t stream_id = 0;
};

Result<Source> StartSource(const BenchOptions& options, std::uint32_t shards) {
  auto broker = BrokerProcess::Start(options, "lake");
  if (!broker) return Error(broker.error());
  auto stream = (*broker)->CreateStream(std::string(kStream), shards);
  if (!stream) return Error(stream.error());
  return Source{std::move(*broker), *stream};
}

/// Puts for some seconds, as fast as it goes; returns the bytes of all records.
Result<std::uint64_t> Put(const Source& source, std::uint32_t shards, double seconds) {
  LoadOptions load = NativeLoad(source.broker->native_port());
  load.connections = kConnections;
  for (std::uint32_t i = 0; i < kConnections; ++i) {
    load.requests.push_back(
        AppendMessageFor(source.stream_id, i % shards, kBatchRecords, kRecordBytes, Ack::kDurable, i * kBatchRecords));
  }
  load.seconds = seconds;
  load.warm_up_seconds = 0;  // what it puts is delivered, too
  auto result = RunLoad(load);
  if (!result) return Error(result.error());
  return result->requests * kBatchRecords * kRecordBytes;
}

struct Backlog {
  std::unique_ptr<BrokerProcess> broker;
  std::uint64_t bytes = 0;
};

/// A broker with a stream that holds what was put for some seconds, all of it in segments.
Result<Backlog> Fill(const BenchOptions& options, std::uint32_t shards, double seconds) {
  auto source = StartSource(options, shards);
  if (!source) return Error(source.error());
  const auto bytes = Put(*source, shards, seconds);
  if (!bytes) return Error(bytes.error());
  if (Status status = source->broker->WaitUntilWritten(); !status.ok()) return Error(status);
  return Backlog{std::move(source->broker), *bytes};
}

Status BeginDelivery(const BrokerProcess& broker, bool partitioned) {
  const auto made = broker.Admin()->Delivery(DeliveryAction::kCreate, kDelivery, Document(partitioned), "bench");
  return made ? Status() : made.error();
}

/// Until everything is delivered.
Status AwaitDelivery(const BrokerProcess& broker) {
  const auto admin = broker.Admin();
  for (std::string number;;) {
    const auto answer = admin->Delivery(DeliveryAction::kFlush, kDelivery, number);
    if (!answer) return answer.error();
    const boost::json::value document = boost::json::parse(answer->document);
    if (document.at_pointer("/flush/done").as_bool()) return Status();
    number = boost::json::serialize(document.at_pointer("/flush/number"));
  }
}

struct Delivered {
  std::uint64_t bytes = 0;
  double seconds = 0;
};

/// A backlog, from the making of its delivery stream on.
Result<Delivered> DeliverBacklog(const BenchOptions& options, std::uint32_t shards, bool partitioned) {
  const auto backlog = Fill(options, shards, options.seconds);
  if (!backlog) return Error(backlog.error());
  const auto start = Clock::now();
  if (Status status = BeginDelivery(*backlog->broker, partitioned); !status.ok()) return Error(status);
  if (Status status = AwaitDelivery(*backlog->broker); !status.ok()) return Error(status);
  return Delivered{backlog->bytes, std::chrono::duration<double>(Clock::now() - start).count()};
}

/// From the first put on: the delivery stream delivers while records are put, which share its cores and disk.
Result<Delivered> PutAndDeliver(const BenchOptions& options, std::uint32_t shards, bool partitioned) {
  const auto source = StartSource(options, shards);
  if (!source) return Error(source.error());
  if (Status status = BeginDelivery(*source->broker, partitioned); !status.ok()) return Error(status);
  const auto start = Clock::now();
  const auto bytes = Put(*source, shards, options.seconds);
  if (!bytes) return Error(bytes.error());
  if (Status status = AwaitDelivery(*source->broker); !status.ok()) return Error(status);
  return Delivered{*bytes, std::chrono::duration<double>(Clock::now() - start).count()};
}

Figure DeliveryFigure(std::string_view way, std::uint32_t shards, bool partitioned, const Delivered& delivered) {
  const double megabytes = static_cast<double>(delivered.bytes) / 1e6;
  Figure figure{.row = 27, .unit = "MB/s"};
  figure.name =
      fmt::format("{}, {} shard{}{}", way, shards, shards == 1 ? "" : "s", partitioned ? ", 1,024 partitions" : "");
  figure.value = megabytes / delivered.seconds;
  figure.note = fmt::format("{:.0f} MB in {:.1f} s, on one thread", megabytes, delivered.seconds);
  return figure;
}

Result<LoadResult> PutSteadily(const BrokerProcess& broker, std::uint32_t stream_id, double seconds) {
  LoadOptions load = AppendLoad(broker.native_port(), stream_id, 4, 1);
  load.depth = 64;
  load.requests_per_second = 5'000;
  load.seconds = seconds;
  return RunLoad(load);
}

struct Puts {
  LoadResult alone;
  LoadResult beside;
  bool ended_before = false;  // the backlog did not last
};

/// One round, with a broker and a backlog of its own: a delivery leaves nothing for the next one.
Result<Puts> PutsBesideDelivery(const BenchOptions& options) {
  auto backlog = Fill(options, 4, options.seconds * 2);
  if (!backlog) return Error(backlog.error());
  auto stream = backlog->broker->CreateStream("orders", 4);
  if (!stream) return Error(stream.error());
  auto alone = PutSteadily(*backlog->broker, *stream, options.seconds);
  if (!alone) return Error(alone.error());
  if (Status status = BeginDelivery(*backlog->broker, false); !status.ok()) return Error(status);
  auto beside = PutSteadily(*backlog->broker, *stream, options.seconds);
  if (!beside) return Error(beside.error());
  auto after = backlog->broker->Admin()->Delivery(DeliveryAction::kDescribe, kDelivery);
  if (!after) return Error(after.error());
  return Puts{std::move(*alone), std::move(*beside), after->document.contains(R"("lag_records":0,)")};
}

}  // namespace

Result<std::vector<Figure>> BenchLake(const BenchOptions& options) {
  using Way = Result<Delivered> (*)(const BenchOptions&, std::uint32_t, bool);
  std::vector<Figure> figures;
  for (const auto& [name, way] : {std::pair<std::string_view, Way>("log to Parquet", DeliverBacklog),
                                  std::pair<std::string_view, Way>("put to Parquet", PutAndDeliver)}) {
    for (const bool partitioned : {false, true}) {
      for (const std::uint32_t shards : {1u, 64u}) {
        const auto delivered = way(options, shards, partitioned);
        if (!delivered) return Error(delivered.error());
        figures.push_back(DeliveryFigure(name, shards, partitioned, *delivered));
      }
    }
  }
  return figures;
}

Result<std::vector<Figure>> BenchBesideLake(const BenchOptions& options) {
  std::vector<LoadResult> alone;
  std::vector<LoadResult> beside;
  bool ended_before = false;
  for (int round = 0; round < options.rounds; ++round) {
    auto puts = PutsBesideDelivery(options);
    if (!puts) return Error(puts.error());
    alone.push_back(std::move(puts->alone));
    beside.push_back(std::move(puts->beside));
    ended_before |= puts->ended_before;
  }
  LoadResult without = Median(alone, true);
  LoadResult with = Median(beside, true);
  Figure figure{.row = 28,
                .name = "durable puts while delivery runs, p99",
                .unit = "us",
                .better = Better::kLower,
                .goal = 1 / 1.5,
                .floor = 1 / 1.5};
  figure.value = with.latency.PercentileUs(99);
  figure.bound = without.latency.PercentileUs(99);
  figure.note = fmt::format("5k rec/s open loop; {}; alone {}{}", Percentiles(with), Percentiles(without),
                            ended_before ? "; delivery ended before" : "");
  return std::vector<Figure>{figure};
}

}  // namespace sluice::tools
