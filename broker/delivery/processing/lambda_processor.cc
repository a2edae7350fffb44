// Cutting batches into requests, trying again, and putting answers into the records' places.
#include "broker/delivery/processing/lambda_processor.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <map>

#include "broker/delivery/error_record.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/processing/lambda_transport.h"
#include "broker/delivery/record_source.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kType = "Lambda";
constexpr std::size_t kRequestHeadBytesMax = 4096;  // of a request besides its records
constexpr std::int64_t kRetryMaxMs = 1000;
constexpr int kStopPollMs = 20;

constexpr std::string_view kErrorResult =
    "The Lambda function was successfully invoked but it returned an error result.";
constexpr std::string_view kMissingId =
    "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.";
constexpr std::string_view kDuplicatedId =
    "Multiple records were returned with the same record Id. Ensure that the Lambda function returns a unique record "
    "Id for each record.";

/// Records that are sent together.
struct Request {
  std::vector<const WorkRecord*> records;
  std::vector<std::string> ids;
  std::string list;         // of the records, as JSON
  std::uint64_t bytes = 0;  // of their values

  bool empty() const { return records.empty(); }
};

class LambdaProcessor final : public Processor {
 public:
  LambdaProcessor(LambdaConfig config, const ProcessorContext& context)
      : config_(std::move(config)), host_(context.host), delivery_stream_(context.delivery_stream) {
    if (host_ == nullptr) return;
    const ProcessorSettings& settings = host_->settings;
    const auto arn = [&](std::string_view service, std::string_view kind, std::string_view name) {
      return fmt::format("arn:aws:{}:{}:{}:{}/{}", service, settings.region, settings.account, kind, name);
    };
    caller_.region = settings.region;
    caller_.delivery_stream_arn = arn("firehose", "deliverystream", context.delivery_stream);
    if (!context.source_stream.empty()) caller_.source_stream_arn = arn("kinesis", "stream", context.source_stream);
  }

  Status Process(WorkBatch& batch) override;
  std::uint64_t batch_bytes() const override { return std::max<std::uint64_t>(config_.buffer_bytes, 1u << 20); }

 private:
  struct Answer {
    std::vector<LambdaOutcome> outcomes;  // of the request's records; empty: `failure`
    LambdaFailure failure;
    std::uint32_t attempts = 0;
  };

  Status Connect();
  Result<std::int64_t> ShardCreatedMs(ShardIndex shard);
  Status Send(Request& request, WorkBatch& batch);
  Answer Invoke(const Request& request);
  bool PauseAfter(std::uint32_t attempt) const;
  void Take(const WorkRecord& record, const LambdaOutcome& outcome, std::uint32_t attempts, WorkBatch& batch);
  void Fail(const WorkRecord& record, std::string_view code, std::string_view message, std::uint32_t attempts,
            WorkBatch& batch) const;

  const LambdaConfig config_;
  ProcessorHost* const host_;
  const std::string delivery_stream_;
  LambdaCaller caller_;
  std::map<ShardIndex, std::int64_t> shard_created_ms_;
  std::vector<WorkRecord> done_;
};

Status LambdaProcessor::Process(WorkBatch& batch) {
  SLUICE_CHECK(host_ != nullptr && host_->settings.stopping != nullptr);
  if (Status status = Connect(); !status.ok()) return status;
  done_.clear();
  Request request;
  std::string item;
  for (const WorkRecord& record : batch.records) {
    const Result<std::int64_t> created_ms = ShardCreatedMs(record.record.shard);
    if (!created_ms) return created_ms.error();
    std::string id = LambdaRecordId(record.record, *created_ms);
    item.clear();
    AppendLambdaRecord(record.record, id, !caller_.source_stream_arn.empty(), item);
    if (item.size() + kRequestHeadBytesMax > kLambdaBytesMax) {
      if (Status status = Send(request, batch); !status.ok()) return status;
      Fail(record, kLambdaTooLarge, "The record alone makes a request of more than 6 MiB.", 1, batch);
      continue;
    }
    const std::uint64_t bytes = record.record.value.size();
    if (request.bytes + bytes > config_.buffer_bytes ||
        request.list.size() + item.size() + kRequestHeadBytesMax >= kLambdaBytesMax) {
      if (Status status = Send(request, batch); !status.ok()) return status;
    }
    request.records.push_back(&record);
    request.ids.push_back(std::move(id));
    if (!request.list.empty()) request.list += ',';
    request.list += item;
    request.bytes += bytes;
  }
  if (Status status = Send(request, batch); !status.ok()) return status;
  batch.records = std::move(done_);
  return Status();
}

/// The connection, or the program, of the delivery before.
Status LambdaProcessor::Connect() {
  if (Status status = CheckLambda(config_, host_->settings.lambda); !status.ok()) return status;
  if (host_->lambda != nullptr && host_->lambda_arn == config_.arn) return Status();
  host_->lambda.reset();
  if (config_.kind == LambdaKind::kCommand) {
    host_->lambda = NewLambdaCommand(config_, *host_, delivery_stream_);
  } else {
    host_->lambda = NewLambdaHttp(config_, *host_);
  }
  host_->lambda_arn = config_.arn;
  return Status();
}

Result<std::int64_t> LambdaProcessor::ShardCreatedMs(ShardIndex shard) {
  const auto known = shard_created_ms_.find(shard);
  if (known != shard_created_ms_.end()) return known->second;
  const Result<SourceStream> stream = host_->source.Describe();
  if (!stream) return Error(stream.error());
  for (const SourceShard& each : stream->shards) shard_created_ms_[each.shard] = each.created_ms;
  return shard_created_ms_[shard];
}

/// Leaves `request` empty.
Status LambdaProcessor::Send(Request& request, WorkBatch& batch) {
  if (request.empty()) return Status();
  const Answer answer = Invoke(request);
  if (answer.outcomes.empty() && answer.failure.away) {
    return Status(Code::kUnavailable,
                  fmt::format("the Lambda cannot be reached, its records wait: {}", answer.failure.message));
  }
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    if (answer.outcomes.empty()) {
      Fail(*request.records[i], answer.failure.code, answer.failure.message, answer.attempts, batch);
    } else {
      Take(*request.records[i], answer.outcomes[i], answer.attempts, batch);
    }
  }
  request = {};
  return Status();
}

LambdaProcessor::Answer LambdaProcessor::Invoke(const Request& request) {
  Answer answer;
  for (;;) {
    ++answer.attempts;
    const std::string invocation_id = HashedUuid(fmt::format("{}|{}", host_->run_id, ++host_->counts.lambda_calls));
    auto said = host_->lambda->Invoke(LambdaRequest(caller_, invocation_id, request.list));
    if (said) {
      auto outcomes = ParseLambdaAnswer(*said, request.ids);
      if (outcomes) {
        answer.outcomes = std::move(*outcomes);
        return answer;
      }
      answer.failure = std::move(outcomes.error());
    } else {
      answer.failure = std::move(said.error());
    }
    ++host_->counts.lambda_failures;
    if (answer.failure.code == kLambdaTooLarge || answer.attempts > config_.retries) return answer;
    if (!PauseAfter(answer.attempts)) {
      answer.failure.away = true;  // what it would have done, had it been tried again, is not known
      return answer;
    }
  }
}

/// False where the host is stopping.
bool LambdaProcessor::PauseAfter(std::uint32_t attempt) const {
  const std::int64_t first_ms = host_->settings.lambda.retry_first_ms;
  for (std::int64_t left_ms = std::min(kRetryMaxMs, first_ms << std::min(attempt - 1, 10u)); left_ms > 0;
       left_ms -= kStopPollMs) {
    if (host_->stopping()) return false;
    (void)::poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(left_ms, kStopPollMs)));
  }
  return !host_->stopping();
}

void LambdaProcessor::Take(const WorkRecord& record, const LambdaOutcome& outcome, std::uint32_t attempts,
                           WorkBatch& batch) {
  switch (outcome.kind) {
    case LambdaOutcome::Kind::kMissing:
      return Fail(record, kLambdaMissing, kMissingId, attempts, batch);
    case LambdaOutcome::Kind::kDuplicated:
      return Fail(record, kLambdaDuplicated, kDuplicatedId, attempts, batch);
    case LambdaOutcome::Kind::kFailed:
      return Fail(record, kLambdaFunctionError, kErrorResult, attempts, batch);
    case LambdaOutcome::Kind::kDropped:
      ++batch.filtered;
      return;
    case LambdaOutcome::Kind::kOk:
      break;
  }
  ++host_->counts.lambda_records;
  host_->counts.lambda_bytes += outcome.data.size();
  WorkRecord& done = done_.emplace_back(record);
  done.record.value = batch.Keep(outcome.data);
  std::vector<PartitionKey> keys;
  for (const auto& [name, value] : outcome.partition_keys) keys.push_back({batch.Keep(name), batch.Keep(value)});
  done.lambda_keys = batch.Keep(std::span<const PartitionKey>(keys));
}

void LambdaProcessor::Fail(const WorkRecord& record, std::string_view code, std::string_view message,
                           std::uint32_t attempts, WorkBatch& batch) const {
  batch.Fail(record, kProcessingFailed, std::string(code), std::string(message));
  batch.failures.back().attempts = attempts;
  batch.failures.back().lambda_arn = config_.arn;
}

Result<std::unique_ptr<Processor>> Make(const ProcessorConfig& config, const ProcessorContext& context) {
  Result<LambdaConfig> lambda = ParseLambdaConfig(config);
  if (!lambda) return Error(lambda.error());
  return std::make_unique<LambdaProcessor>(std::move(*lambda), context);
}

Status Check(const ProcessorConfig& config, const ProcessorSettings& settings) {
  const Result<LambdaConfig> lambda = ParseLambdaConfig(config);
  return lambda ? CheckLambda(*lambda, settings.lambda) : lambda.error();
}

}  // namespace

ProcessorKind LambdaProcessorKind() {
  return {.type = kType,
          .parameters = {"LambdaArn", "RoleArn", "NumberOfRetries", "BufferSizeInMBs", "BufferIntervalInSeconds"},
          .repeatable = [](const ProcessorConfig&) { return false; },
          .make = Make,
          .check = Check};
}

}  // namespace sluice::delivery
