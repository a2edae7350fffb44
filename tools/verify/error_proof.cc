// Error records, in the order of the ledger.
#include "tools/verify/error_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace sluice::tools {

using delivery::DeadLetters;
using delivery::DeliveredObject;
using delivery::ErrorRecordPlace;
using delivery::LedgerEntry;
using delivery::LinePlace;
using delivery::LineRange;
using delivery::LineRanges;
using delivery::ReplayedLines;
using delivery::SourceRange;

ErrorProof::ErrorProof(const delivery::LedgerDocument& ledger, std::vector<VerifyProblem>& problems)
    : problems_(problems) {
  for (const LedgerEntry& entry : ledger.entries) {
    for (const ReplayedLines& replay : entry.replays) {
      LineRanges& all = replayed_[PlaceOf(replay)].all;
      all.insert(all.end(), replay.lines.begin(), replay.lines.end());
    }
  }
  for (auto& [where, replayed] : replayed_) replayed.all = United(std::move(replayed.all));
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
    if (object.error && object.rows > 0) AddWritten({std::nullopt, object.key}, {0, object.rows - 1});
  }
  for (const DeadLetters& letters : entry.dead_letters)
    AddWritten({letters.shard, ""}, {letters.first.value, letters.last.value});
}

void ErrorProof::AddWritten(const LinePlace& where, const LineRange& lines) {
  const auto found = replayed_.find(where);
  if (found == replayed_.end()) return;
  LineRanges& written = found->second.written;
  const bool in_order = written.empty() || lines.first > written.back().last;
  written.push_back(lines);
  if (!in_order) written = United(std::move(written));
}

void ErrorProof::KeepPlace(const LinePlace& where, std::uint64_t line, const ErrorRecordPlace& place) {
  const auto found = replayed_.find(where);
  if (found != replayed_.end() && HasLine(found->second.all, line)) found->second.places.emplace(line, place);
}

LineRanges ErrorProof::OpenOf(const DeadLetters& letters) const {
  const LineRanges all = {{letters.first.value, letters.last.value}};
  const auto found = replayed_.find({letters.shard, ""});
  return found == replayed_.end() ? all : Without(all, found->second.all);
}

void ErrorProof::TakeReplay(const LedgerEntry& entry, const ReplayedLines& replay) {
  Replayed& replayed = replayed_.at(PlaceOf(replay));
  if (replay.lines.empty() || !Without(replay.lines, replayed.written).empty()) {
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
  std::uint64_t known = 0;
  for (const LineRange& range : replay.lines) {
    const auto end = replayed.places.upper_bound(range.last);
    for (auto each = replayed.places.lower_bound(range.first); each != end; ++each, ++known)
      replays_.emplace(each->second.shard, each->second.offset);
  }
  replays_known_ = replays_known_ && known == CountLines(replay.lines);
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

void ErrorProof::CheckDeadLetter(const LedgerEntry& entry, const DeadLetters& letters, Offset offset,
                                 std::string_view line) {
  const std::string which = fmt::format("offset {}", offset.value);
  const Result<ErrorRecordPlace> place = delivery::ParseErrorRecordLine(line);
  if (!place) {
    return Problem("error record unreadable", letters.stream, entry.ranges,
                   fmt::format("{}: {}", which, place.error().message()));
  }
  KeepPlace({letters.shard, ""}, offset.value, *place);
  TakePlace(entry, letters.stream, which, *place);
}

void ErrorProof::Check(const LedgerEntry& entry, const DeliveredObject& object, const std::string& path) {
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
    KeepPlace({std::nullopt, object.key}, number - 1, *place);
    TakePlace(entry, object.key, fmt::format("line {}", number), *place);
  }
  if (const std::size_t seen = in_errors_.size() - seen_before; seen != object.rows) {
    Problem("error records missing", object.key, entry.ranges,
            fmt::format("the object has {} error records of this delivery; {} were delivered", seen, object.rows));
  }
}

}  // namespace sluice::tools
