// The error records of a ledger, read one by one: each is one record of its delivery and there once, and those that
// were delivered again were so once.
//
// A replay is a delivery whose records are error records of earlier ones: lines of error objects, or dead letters. What
// fails again is in its own error output.
//
// One thread. Memory: the places of the error records of one delivery, and of those that are replayed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/error_record.h"
#include "broker/delivery/ledger_document.h"
#include "broker/delivery/line_ranges.h"
#include "broker/delivery/replay_state.h"
#include "tools/verify/verify.h"

namespace sluice::tools {

class ErrorProof {
 public:
  /// Both outlive it.
  ErrorProof(const delivery::LedgerDocument& ledger, std::vector<VerifyProblem>& problems);

  /// The next delivery of the ledger, before its objects.
  void Begin(const delivery::LedgerEntry& entry);
  /// One of its dead letters, out of this range.
  void CheckDeadLetter(const delivery::LedgerEntry& entry, const delivery::DeadLetters& letters, Offset offset,
                       std::string_view line);
  /// Those of a range that were not delivered again, by their offsets.
  delivery::LineRanges OpenOf(const delivery::DeadLetters& letters) const;
  /// One of its error objects, as a file.
  void Check(const delivery::LedgerEntry& entry, const delivery::DeliveredObject& object, const std::string& path);

 private:
  using Place = std::pair<ShardIndex, Offset>;
  /// Of an object, or a shard of a dead-letter stream, of which something was delivered again.
  struct Replayed {
    delivery::LineRanges all = {};                                    // lines that are, by the whole ledger
    delivery::LineRanges written = {};                                // by the deliveries so far
    delivery::LineRanges lines = {};                                  // that were delivered again so far
    std::map<std::uint64_t, delivery::ErrorRecordPlace> places = {};  // of those of `all` that could be read
  };
  void Problem(std::string kind, const std::string& object, std::vector<delivery::SourceRange> ranges,
               std::string message);
  void TakePlace(const delivery::LedgerEntry& entry, const std::string& where, const std::string& which,
                 const delivery::ErrorRecordPlace& place);
  void TakeReplay(const delivery::LedgerEntry& entry, const delivery::ReplayedLines& replay);
  void AddWritten(const delivery::LinePlace& where, const delivery::LineRange& lines);
  void KeepPlace(const delivery::LinePlace& where, std::uint64_t line, const delivery::ErrorRecordPlace& place);
  bool IsOf(const delivery::LedgerEntry& entry, const delivery::ErrorRecordPlace& place) const;

  std::vector<VerifyProblem>& problems_;
  std::map<delivery::LinePlace, Replayed> replayed_;
  std::set<delivery::ErrorRecordPlace> in_errors_;  // of the delivery in hand
  std::set<Place> replays_;                         // what it replays
  bool replays_known_ = true;                       // false where something that it replays could not be read
};

}  // namespace sluice::tools
