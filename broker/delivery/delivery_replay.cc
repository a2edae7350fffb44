// Delivering of error records once more: DeliveryStream's part of it.
//
// A replay is a delivery as every other, whose records are error records instead of ranges of the log, lines of error
// objects or dead letters: decided by one transaction, written under keys that follow from it, and entered in the
// ledger with what it replays. So no record is delivered twice, whatever crashes: an error record is replayed when an
// entry of the ledger says so, and not before. Retention spares dead letters from the decision on; where it was faster,
// the decision is taken back, and the next one is without them.
#include <fmt/format.h>

#include "broker/delivery/delivery_stream.h"
#include "broker/delivery/replay_planner.h"
#include "protocol/check.h"

namespace sluice::delivery {

/// By turns, as a long replay would hold up what waits in the log.
Result<std::int64_t> DeliveryStream::DecideStep() {
  if (replay_turn_ && replay_.Wanted()) {
    replay_turn_ = false;
    if (Status status = DecideReplay(); !status.ok()) return Error(std::move(status));
    return 0;
  }
  const Result<std::int64_t> wait_ms = PlanStep();
  if (!wait_ms) return wait_ms;
  replay_turn_ = replay_turn_ || state_.intent.has_value() || *wait_ms > 0;
  return replay_turn_ && replay_.Wanted() ? 0 : *wait_ms;
}

/// Decides the next piece of the replay; ends it where nothing is left.
Status DeliveryStream::DecideReplay() {
  std::optional<ReplayProgress> wanted = replay_.Wanted();
  SLUICE_CHECK(wanted.has_value());
  const Result<std::vector<LedgerEntry>> ledger = store_.LoadLedger();
  if (!ledger) return ledger.error();
  ErrorReader reader(parts_.objects, terms_->config.bucket, parts_.appender.get());
  const Result<ReplayPlan> plan = PlanReplay(reader, *ledger, wanted->filter, planner_.bytes_max());
  if (!plan) {
    replay_.End(plan.error().message(), 0);
    return Status();
  }
  if (plan->records == 0) {
    const std::size_t more = plan->unreadable.empty() ? 0 : plan->unreadable.size() - 1;
    replay_.End(plan->unreadable.empty() ? ""
                : more == 0              ? plan->unreadable.front()
                                         : fmt::format("{} (and {} more)", plan->unreadable.front(), more),
                plan->gone);
    return Status();
  }
  return StoreDecision(MakeReplayIntent(*plan), std::nullopt);
}

Intent DeliveryStream::MakeReplayIntent(const ReplayPlan& plan) const {
  Intent intent = NewIntent();
  intent.time_ms = plan.oldest_ms;
  const std::optional<Schema> schema = UsedSchema();
  intent.schema_version = schema ? schema->version : 0;
  intent.replays = plan.replays;
  AddKeys(intent);
  return intent;
}

}  // namespace sluice::delivery
