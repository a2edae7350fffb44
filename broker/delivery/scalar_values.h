// Scalars of a JSON record into their columns: which JSON texts each type takes. Numbers and booleans are taken out of
// strings too, whole numbers from "12.0" as well, as the OpenX SerDe does; strings take every scalar as its text.
// Threads: one at a time (a column belongs to one batch).
#pragma once

#include <string_view>
#include <vector>

#include "broker/delivery/column.h"
#include "broker/delivery/timestamp_format.h"

namespace sluice::delivery {

/// How a record's timestamps are written, beside ISO-8601 and epoch numbers.
struct TimestampRules {
  std::vector<TimestampFormat> formats;
  bool millis = false;                // numbers count milliseconds, whatever their size
  bool fractions_before_1970 = true;  // false: such a time is a mismatch
};

enum class Outcome {
  kTaken,
  kMismatch,   // good JSON that the column's type does not hold
  kMalformed,  // not JSON
};

/// Appends a scalar to `column`, which is not nested. `text` is a string's content without escapes where `quoted`, else
/// the token: a number, true or false. Appends nothing unless kTaken.
Outcome AppendScalar(Column& column, std::string_view text, bool quoted, const TimestampRules& rules);

}  // namespace sluice::delivery
