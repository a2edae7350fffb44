// What users ask of error records: DeliveryManager's actions that list them and deliver them again.
#include <fmt/format.h>

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
  json.Key("done").Bool(progress.done).Key("problem").String(Utf8Text(progress.problem)).EndObject();
  return {json.text(), {}};
}

Status CheckDelivers(std::string_view name, const DeliveryStatus& status) {
  if (status.mode == DeliveryMode::kFenced) return Status(Code::kFenced, status.last_error);
  if (status.mode != DeliveryMode::kPaused) return Status();
  return Status(Code::kFailedPrecondition, fmt::format("delivery stream '{}' is paused; resume it first", name));
}

}  // namespace

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
  Result<std::string> page = ListErrors(*objects_, (*stream)->name(), (*stream)->config()->bucket, *ledger, *wanted);
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
