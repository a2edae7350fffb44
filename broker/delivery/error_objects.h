// The error objects of a delivery stream, as its ledger knows them, and their lines: for telling what failed and why,
// and for delivering it again.
//
// Threads: any; the object store's rules count.
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

struct ErrorObject {
  std::uint64_t seq = 0;  // of the delivery that has written it
  std::int64_t decided_ms = 0;
  std::string_view type;  // of kErrorTypes
  DeliveredObject object;
  LineRanges replayed;  // lines that were delivered again

  std::uint64_t open() const { return object.rows - CountLines(replayed); }
};

/// Those of a ledger in its order, of which `filter` may mean something.
std::vector<ErrorObject> ErrorObjects(const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter);

/// Gives the lines of an error object one after another, without their breaks; the text lives until the visitor
/// returns. It returns false to stop there. kNotFound: the object is gone; kCorruption: it is not what was written,
/// which is said behind the last line.
using ErrorLineVisitor = std::function<Result<bool>(std::uint64_t line, std::string_view text)>;
Status ReadErrorLines(ObjectStore& objects, std::string_view bucket, const DeliveredObject& object,
                      const ErrorLineVisitor& visitor);

/// True for what says nothing of other objects.
inline bool IsUnreadable(const Status& status) {
  return status.code() == Code::kNotFound || status.code() == Code::kCorruption;
}

}  // namespace sluice::delivery
