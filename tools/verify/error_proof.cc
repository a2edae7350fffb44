// Lines of error objects, in the order of the ledger.
#include "tools/verify/error_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace sluice::tools {

using delivery::DeliveredObject;
using delivery::ErrorRecordPlace;
using delivery::LedgerEntry;
using delivery::ReplayedLines;
using delivery::SourceRange;

ErrorProof::ErrorProof(const delivery::LedgerDocument& ledger, std::vector<VerifyProblem>& problems)
    : problems_(problems) {
  for (const LedgerEntry& entry : ledger.entries) {
    for (const ReplayedLines& replay : entry.replays) replayed_[replay.key];
  }
}

void ErrorProof::Problem(std::string kind, const std::string& object, std::vector<SourceRange> ranges,
                         std::string message) {
  problems_.push_back({std::move(kind), object, std::move(ranges), std::move(message)});
}

void ErrorProof::Begin(const LedgerEntry& entry) {
  in_errors_.clear();
  replays_.clear();
  replays_known_ = true;
  for (const ReplayedLines& replay : entry.replays) TakeReplay(entry, replay);
  for (const DeliveredObject& object : entry.objects) {
    if (const auto found = replayed_.find(object.key); object.error && found != replayed_.end())
      found->second.rows = object.rows;
  }
}

void ErrorProof::TakeReplay(const LedgerEntry& entry, const ReplayedLines& replay) {
  Replayed& replayed = replayed_.at(replay.key);
  if (replay.lines.empty() || !replayed.rows || replay.lines.back().last >= *replayed.rows) {
    Problem(
        "ledger damaged", replay.key, {},
        fmt::format("delivery {} has delivered error records again that no delivery before it has written", entry.seq));
    replays_known_ = false;
    return;
  }
  if (!AddRanges(replayed.lines, replay.lines)) {
    Problem("records twice", replay.key, {},
            fmt::format("delivery {} has delivered error records again that another one had delivered again before",
                        entry.seq));
  }
  for (const auto& [line, place] : replayed.places) {
    if (HasLine(replay.lines, line)) replays_.emplace(place.shard, place.offset);
  }
  replays_known_ = replays_known_ && replayed.places.size() == *replayed.rows;
}

bool ErrorProof::IsOf(const LedgerEntry& entry, const ErrorRecordPlace& place) const {
  if (!entry.replays.empty()) return !replays_known_ || replays_.contains({place.shard, place.offset});
  return std::ranges::any_of(entry.ranges, [&](const SourceRange& range) {
    return range.shard == place.shard && range.first <= place.offset && place.offset <= range.last;
  });
}

/// One error record, `which` of the object or stream `where`.
void ErrorProof::TakePlace(const LedgerEntry& entry, const std::string& where, const std::string& which,
                           const ErrorRecordPlace& place) {
  const SourceRange one{place.shard, place.offset, place.offset};
  if (!IsOf(entry, place)) {
    Problem("error record foreign", where, {one},
            fmt::format("{}: the record is not in this delivery's ranges", which));
  } else if (!in_errors_.insert(place).second) {
    Problem("records twice", where, {one}, fmt::format("{}: the record is in the error output twice", which));
  }
}

void ErrorProof::CheckDeadLetter(const LedgerEntry& entry, const std::string& stream, Offset offset,
                                 std::string_view line) {
  const std::string which = fmt::format("offset {}", offset.value);
  const Result<ErrorRecordPlace> place = delivery::ParseErrorRecordLine(line);
  if (place) return TakePlace(entry, stream, which, *place);
  Problem("error record unreadable", stream, entry.ranges, fmt::format("{}: {}", which, place.error().message()));
}

void ErrorProof::Check(const LedgerEntry& entry, const DeliveredObject& object, const std::string& path) {
  const auto replayed = replayed_.find(object.key);
  std::ifstream file(path);
  const std::size_t seen_before = in_errors_.size();
  std::uint64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const Result<ErrorRecordPlace> place = delivery::ParseErrorRecordLine(line);
    if (!place) {
      Problem("error record unreadable", object.key, entry.ranges,
              fmt::format("line {}: {}", number, place.error().message()));
      continue;
    }
    if (replayed != replayed_.end()) replayed->second.places.emplace(number - 1, *place);
    TakePlace(entry, object.key, fmt::format("line {}", number), *place);
  }
  if (const std::size_t seen = in_errors_.size() - seen_before; seen != object.rows) {
    Problem("error records missing", object.key, entry.ranges,
            fmt::format("the object has {} error records of this delivery; {} were delivered", seen, object.rows));
  }
}

}  // namespace sluice::tools
