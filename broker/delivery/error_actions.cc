// What users ask of error records: DeliveryManager's actions that list them and deliver them again.
#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/delivery_manager.h"
#include "broker/delivery/error_listing.h"
#include "broker/log.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kReplayWaitMs = 2000;  // of one call: others wait behind it, and who called wants to hear

DeliveryAnswer ReplayAnswer(std::string_view name, const ReplayProgress& progress) {
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(name).Key("number").Number(progress.number);
  json.Key("up_to").Number(progress.filter.seq_max.value_or(0));
  json.Key("records").Number(progress.records).Key("failed").Number(progress.failed);
  json.Key("gone").Number(progress.gone);
  json.Key("done").Bool(progress.done).Key("problem").String(Utf8Text(progress.problem)).EndObject();
  return {json.text(), {}};
}

Status CheckDelivers(std::string_view name, const DeliveryStatus& status) {
  if (status.mode == DeliveryMode::kFenced) return Status(Code::kFenced, status.last_error);
  if (status.mode != DeliveryMode::kPaused) return Status();
  return Status(Code::kFailedPrecondition, fmt::format("delivery stream '{}' is paused; resume it first", name));
}

}  // namespace

Status DeliveryManager::CheckDeadLetterStream(const DeliveryConfig& config, std::string_view before) const {
  const std::string& stream = config.dead_letter_stream;
  if (stream.empty() || stream == before) return Status();
  if (!parts_.catalog.Find(stream)) {
    return Status(Code::kNotFound, fmt::format("Sluice.DeadLetterStream: stream '{0}' does not exist; make it first "
                                               "('sluice stream create {0}')",
                                               stream));
  }
  std::vector<std::shared_ptr<const DeliveryConfig>> others;
  {
    const std::lock_guard lock(streams_mutex_);
    for (const auto& [name, other] : streams_) {
      if (name != config.name) others.push_back(other->config());
    }
  }
  // From stream to stream, as dead letters would go.
  std::vector<std::string> reached{stream};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    for (const auto& other : others) {
      if (other->source_stream != reached[i] || other->dead_letter_stream.empty()) continue;
      if (other->dead_letter_stream == config.source_stream) {
        return Status(
            Code::kInvalidArgument,
            fmt::format("Sluice.DeadLetterStream: what fails would come back: delivery stream '{}' reads '{}' "
                        "and has '{}', which this one reads, as its dead-letter stream; give another stream",
                        other->name, reached[i], config.source_stream));
      }
      if (std::ranges::find(reached, other->dead_letter_stream) == reached.end())
        reached.push_back(other->dead_letter_stream);
    }
  }
  return Status();
}

/// Between two steps; what follows is slow and needs none of the stream's state.
Result<std::vector<LedgerEntry>> DeliveryManager::LedgerOf(DeliveryStream& stream) {
  Result<std::vector<LedgerEntry>> ledger = Error(Code::kInternal, "the ledger was not read");
  Between(stream, [&] { ledger = stream.Ledger(); });
  return ledger;
}

Result<DeliveryAnswer> DeliveryManager::Errors(std::string_view name, std::string_view request) {
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  const Result<ErrorListingRequest> wanted = ErrorListingRequestFromJson(request);
  if (!wanted) return Error(wanted.error());
  const Result<std::vector<LedgerEntry>> ledger = LedgerOf(**stream);
  if (!ledger) return Error(ledger.error());
  const std::shared_ptr<const DeliveryConfig> config = (*stream)->config();
  const std::unique_ptr<StreamAppender> streams = NewAppender();  // that of the delivery stream is at work
  ErrorReader reader(*objects_, config->bucket, streams.get());
  Result<std::string> page = ListErrors(reader, (*stream)->name(), *ledger, *wanted);
  if (!page) return Error(page.error());
  return DeliveryAnswer{std::move(*page), {}};
}

/// One that is not known, as it is of an earlier start, begins anew: what it delivered is in the ledger.
Result<DeliveryAnswer> DeliveryManager::Replay(std::string_view name, std::string_view request) {
  const Result<StreamPtr> found = FindStream(name);
  if (!found) return Error(found.error());
  DeliveryStream& stream = **found;
  if (Status status = CheckDelivers(name, stream.status()); !status.ok()) return Error(std::move(status));
  Result<ReplayCall> call = ReplayCallFromJson(request);
  if (!call) return Error(call.error());
  std::uint64_t number = call->number;
  if (!stream.replay().Find(number)) {
    if (!call->filter.seq_max) call->filter.seq_max = stream.status().checkpoint.next_seq - 1;
    number = stream.replay().Begin(call->filter);
    broker::log::Info("error records are delivered again",
                      {{"delivery_stream", name}, {"reason", call->filter.reason}, {"up_to", *call->filter.seq_max}});
  }
  const std::uint64_t failures = stream.status().failures;
  workers_.Wake(name);
  const auto progress = [&] { return stream.replay().Find(number).value_or(ReplayProgress{.done = true}); };
  workers_.WaitUntil([&] { return progress().done || stream.status().failures > failures; }, kReplayWaitMs);
  const DeliveryStatus status = stream.status();
  if (!progress().done && status.failures > failures)
    return Error(Code::kUnavailable, fmt::format("delivery fails and is tried again: {}", status.last_error));
  return ReplayAnswer(name, progress());
}

}  // namespace sluice::delivery
