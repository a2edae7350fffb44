// Choosing line by line.
#include "broker/delivery/replay_planner.h"

#include <algorithm>

#include "broker/delivery/error_record.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kRangesMax = 2000;  // what one intent holds of them

/// What was chosen out of one object.
struct Chosen {
  ReplayedLines replay;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_ms = 0;

  void Add(std::uint64_t line, const ErrorRecord& record) {
    AddLine(replay.lines, line);
    ++records;
    bytes += record.raw.size();
    oldest_ms = oldest_ms == 0 ? record.arrival_ms : std::min(oldest_ms, record.arrival_ms);
  }
};

class Planner {
 public:
  Planner(const ErrorFilter& filter, std::uint64_t bytes_max) : filter_(filter), bytes_max_(bytes_max) {}

  bool full() const { return plan_.bytes >= bytes_max_ || ranges_ >= kRangesMax; }
  ReplayPlan& plan() { return plan_; }

  /// The whole object is read, whatever of it is chosen: only then it is known to be what was written.
  Status Choose(ObjectStore& objects, std::string_view bucket, const ErrorObject& object) {
    Chosen chosen{.replay = {object.object.key, object.object.bytes, object.object.checksum, {}}};
    Status read = ReadErrorLines(objects, bucket, object.object, [&](std::uint64_t line, std::string_view text) {
      return Look(object, line, text, chosen);
    });
    if (!read.ok() || chosen.records == 0) return read;
    ranges_ += chosen.replay.lines.size();
    plan_.records += chosen.records;
    plan_.bytes += chosen.bytes;
    plan_.oldest_ms = plan_.oldest_ms == 0 ? chosen.oldest_ms : std::min(plan_.oldest_ms, chosen.oldest_ms);
    plan_.replays.push_back(std::move(chosen.replay));
    return Status();
  }

 private:
  Result<bool> Look(const ErrorObject& object, std::uint64_t line, std::string_view text, Chosen& chosen) {
    const bool enough = plan_.bytes + chosen.bytes >= bytes_max_ || ranges_ + chosen.replay.lines.size() >= kRangesMax;
    if (enough || HasLine(object.replayed, line)) return true;
    const Result<ErrorRecord> record = ReadErrorRecordLine(text);
    if (!record) return Error(record.error());
    if (!filter_.Matches(object.type, record->code)) return true;
    chosen.Add(line, *record);
    return true;
  }

  const ErrorFilter& filter_;
  const std::uint64_t bytes_max_;
  ReplayPlan plan_;
  std::size_t ranges_ = 0;
};

}  // namespace

Result<ReplayPlan> PlanReplay(ObjectStore& objects, std::string_view bucket, const std::vector<LedgerEntry>& ledger,
                              const ErrorFilter& filter, std::uint64_t bytes_max) {
  Planner planner(filter, bytes_max);
  for (const ErrorObject& object : ErrorObjects(ledger, filter)) {
    if (planner.full()) break;
    if (object.open() == 0) continue;
    Status chosen = planner.Choose(objects, bucket, object);
    if (IsUnreadable(chosen)) {
      planner.plan().unreadable.push_back(chosen.message());
    } else if (!chosen.ok()) {
      return Error(std::move(chosen));
    }
  }
  return std::move(planner.plan());
}

}  // namespace sluice::delivery
