// The error records of a ledger, read one by one: each is one record of its delivery and there once, and those that
// were delivered again were so once.
//
// A replay is a delivery whose records are lines of earlier error objects. What fails again is in its own error
// objects.
//
// One thread. Memory: the places of the error records of one delivery, and those of objects that are replayed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/error_record.h"
#include "broker/delivery/ledger_document.h"
#include "broker/delivery/line_ranges.h"
#include "tools/verify/verify.h"

namespace sluice::tools {

class ErrorProof {
 public:
  /// Both outlive it.
  ErrorProof(const delivery::LedgerDocument& ledger, std::vector<VerifyProblem>& problems);

  /// The next delivery of the ledger, before its objects.
  void Begin(const delivery::LedgerEntry& entry);
  /// One of its dead letters.
  void CheckDeadLetter(const delivery::LedgerEntry& entry, const std::string& stream, Offset offset,
                       std::string_view line);
  /// One of its error objects, as a file.
  void Check(const delivery::LedgerEntry& entry, const delivery::DeliveredObject& object, const std::string& path);

 private:
  using Place = std::pair<ShardIndex, Offset>;
  struct Replayed {
    std::optional<std::uint64_t> rows = {};                           // of the object, once a delivery has written it
    delivery::LineRanges lines = {};                                  // that were delivered again so far
    std::map<std::uint64_t, delivery::ErrorRecordPlace> places = {};  // by line
  };
  void Problem(std::string kind, const std::string& object, std::vector<delivery::SourceRange> ranges,
               std::string message);
  void TakePlace(const delivery::LedgerEntry& entry, const std::string& where, const std::string& which,
                 const delivery::ErrorRecordPlace& place);
  void TakeReplay(const delivery::LedgerEntry& entry, const delivery::ReplayedLines& replay);
  bool IsOf(const delivery::LedgerEntry& entry, const delivery::ErrorRecordPlace& place) const;

  std::vector<VerifyProblem>& problems_;
  std::map<std::string, Replayed> replayed_;        // by key, of the objects of which something was
  std::set<delivery::ErrorRecordPlace> in_errors_;  // of the delivery in hand
  std::set<Place> replays_;                         // what it replays
  bool replays_known_ = true;                       // false where an object that it replays could not be read
};

}  // namespace sluice::tools
