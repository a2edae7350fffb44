// TimestampFormat: reads timestamps by a Joda-Time pattern, as Hive's JSON SerDe takes them in TimestampFormats.
// Values after construction; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

class TimestampFormat {
 public:
  /// Letters: y (and Y, u: year), M (number, or English month name for MMM and more), d, H, h with a, m, s, S
  /// (fraction), Z and X (offset, or 'Z'), z (UTC, GMT, Z), E (day name, checked to be letters); text in single quotes;
  /// other characters stand for themselves. kInvalidArgument names the letter that is none of these.
  static Result<TimestampFormat> Compile(std::string_view pattern);

  /// Microseconds since 1970, UTC where the text has no zone. Nothing where the text does not match.
  std::optional<std::int64_t> Parse(std::string_view text) const;

 private:
  struct Piece {
    char letter = 0;  // 0: `literal`
    std::size_t count = 0;
    std::string literal;
  };
  std::vector<Piece> pieces_;
};

}  // namespace sluice::delivery
