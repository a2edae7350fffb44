// The error records of a delivery stream that were not delivered since, as its ledger knows them, and their lines: for
// telling what failed and why, and for delivering it again.
//
// Threads: one at a time; the object store's rules count.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/line_ranges.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/replay_state.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// Which error records are meant.
struct ErrorFilter {
  std::string reason;                         // an error type, a code, or the part of a code before its '.'; empty: all
  std::int64_t since_ms = 0;                  // those of deliveries that were decided from then on
  std::optional<std::uint64_t> seq_max = {};  // of deliveries up to this one
  friend bool operator==(const ErrorFilter&, const ErrorFilter&) = default;

  bool Matches(std::string_view type, std::string_view code) const;
};

/// One place where a delivery has put error records.
struct ErrorSource {
  ReplayedLines open;          // those that were not delivered again: what a replay of all of them would say
  std::uint64_t replayed = 0;  // how many others were

  /// Tells it from all others of the ledger.
  std::string id() const { return open.key; }
};

/// Those of a ledger in its order, of which `filter` may mean something.
std::vector<ErrorSource> ErrorSources(const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter);

/// One error record where it stands; the texts live until the visitor returns.
struct ErrorLine {
  std::uint64_t number = 0;
  std::string_view type;  // of kErrorTypes
  std::string_view text;  // without its break
};

/// Reads error records.
class ErrorReader {
 public:
  /// Ends with the first error.
  using Visitor = std::function<Status(const ErrorLine&)>;

  /// All outlive it; `bucket` is that of the error objects.
  ErrorReader(ObjectStore& objects, std::string_view bucket) : objects_(objects), bucket_(bucket) {}

  /// Gives these lines in order. kNotFound: what they stand in is gone; kCorruption: it is not what was written, which
  /// is said behind the last line.
  Status Read(const ReplayedLines& lines, const Visitor& visitor);
  /// By all calls so far, of what the lines stand in.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  ObjectStore& objects_;
  const std::string_view bucket_;
  std::uint64_t bytes_read_ = 0;
};

/// True for what says nothing of other error records.
inline bool IsUnreadable(const Status& status) {
  return status.code() == Code::kNotFound || status.code() == Code::kCorruption;
}

}  // namespace sluice::delivery
