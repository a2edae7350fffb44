// Choosing line by line.
#include "broker/delivery/replay_planner.h"

#include <algorithm>

#include "broker/delivery/error_record.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kRangesMax = 2000;  // what one intent holds of them

/// What was chosen out of one place.
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

  /// All of it is read, whatever of it is chosen: only then it is known to be what was written.
  Status Choose(ErrorReader& reader, const ErrorSource& source) {
    Chosen chosen{.replay = source.open};
    chosen.replay.lines.clear();
    const Result<std::uint64_t> gone =
        reader.Read(source.open, [&](const ErrorLine& line) { return Look(line, chosen); });
    if (!gone) return gone.error();
    plan_.gone += *gone;
    if (chosen.records == 0) return Status();
    ranges_ += chosen.replay.lines.size();
    plan_.records += chosen.records;
    plan_.bytes += chosen.bytes;
    plan_.oldest_ms = plan_.oldest_ms == 0 ? chosen.oldest_ms : std::min(plan_.oldest_ms, chosen.oldest_ms);
    plan_.replays.push_back(std::move(chosen.replay));
    return Status();
  }

 private:
  Status Look(const ErrorLine& line, Chosen& chosen) {
    const bool enough = plan_.bytes + chosen.bytes >= bytes_max_ || ranges_ + chosen.replay.lines.size() >= kRangesMax;
    if (enough) return Status();
    const Result<ErrorRecord> record = ReadErrorRecordLine(line.text);
    if (!record) return record.error();
    if (filter_.Matches(line.type, record->code)) chosen.Add(line.number, *record);
    return Status();
  }

  const ErrorFilter& filter_;
  const std::uint64_t bytes_max_;
  ReplayPlan plan_;
  std::size_t ranges_ = 0;
};

}  // namespace

Result<ReplayPlan> PlanReplay(ErrorReader& reader, const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter,
                              std::uint64_t bytes_max) {
  Planner planner(filter, bytes_max);
  for (const ErrorSource& source : ErrorSources(ledger, filter)) {
    if (planner.full()) break;
    if (source.open.lines.empty()) continue;
    Status chosen = planner.Choose(reader, source);
    if (IsUnreadable(chosen)) {
      planner.plan().unreadable.push_back(chosen.message());
    } else if (!chosen.ok()) {
      return Error(std::move(chosen));
    }
  }
  return std::move(planner.plan());
}

}  // namespace sluice::delivery
