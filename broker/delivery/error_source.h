// The error records of a delivery stream that were not delivered since, as its ledger knows them: for telling what
// failed and why, and for delivering it again. They are lines of error objects, or records of dead-letter streams; who
// asks for them need not know which.
//
// Threads: one at a time; the rules of the object store and of the streams' reader count.
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
#include "broker/delivery/stream_appender.h"
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

/// One place where a delivery has put error records one behind the other: an error object, or some offsets of a
/// dead-letter stream.
struct ErrorSource {
  std::uint64_t first = 0;     // the number of the first one
  ReplayedLines open;          // those that were not delivered again: what a replay of all of them would say
  std::uint64_t replayed = 0;  // how many others were

  /// Tells it from all others of the ledger.
  std::string id() const;
};

/// Those of a ledger in its order, of which `filter` may mean something.
std::vector<ErrorSource> ErrorSources(const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter);

/// One error record where it stands; the texts live until the visitor returns.
struct ErrorLine {
  std::uint64_t number = 0;
  std::string_view type;  // an error type
  std::string_view text;  // without its break
};

/// Reads error records.
class ErrorReader {
 public:
  /// Ends with the first error.
  using Visitor = std::function<Status(const ErrorLine&)>;

  /// All outlive it; `bucket` is that of error objects whose lines do not say theirs. `streams`: nullptr where there is
  /// no dead-letter stream.
  ErrorReader(ObjectStore& objects, std::string_view bucket, StreamAppender* streams)
      : objects_(objects), bucket_(bucket), streams_(streams) {}

  /// Gives these lines in order, and returns how many of them are gone: dead letters that retention has removed, or
  /// that went with their stream. kNotFound: the object is gone; kCorruption: it is not what was written, which is said
  /// behind the last line.
  Result<std::uint64_t> Read(const ReplayedLines& lines, const Visitor& visitor);
  /// By all calls so far, of objects and dead letters.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  Status ReadObject(const ReplayedLines& lines, const Visitor& visitor);
  Result<std::uint64_t> ReadDeadLetters(const ReplayedLines& lines, const Visitor& visitor);

  ObjectStore& objects_;
  const std::string_view bucket_;
  StreamAppender* const streams_;
  std::uint64_t bytes_read_ = 0;
};

/// True where error records are not what they were, and never will be.
inline bool AreGone(const Status& status) {
  return status.code() == Code::kNotFound || status.code() == Code::kCorruption;
}

/// True for what says nothing of other error records: these are gone, or their stream's key is not there.
inline bool IsUnreadable(const Status& status) { return AreGone(status) || status.code() == Code::kFailedPrecondition; }

}  // namespace sluice::delivery
