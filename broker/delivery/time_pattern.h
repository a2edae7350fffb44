// Date and time patterns as Java's DateTimeFormatter has them, which Firehose uses in prefixes: letters are fields,
// text in single quotes is literal, everything else stands for itself. US week rules and English names, as on
// Firehose's machines.
//
// Values only; safe to share between threads once parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/time_zone.h"
#include "sluice/status.h"

namespace sluice::delivery {

class TimePattern {
 public:
  /// kInvalidArgument names the letter that is no field, or that stands too often in a row.
  static Result<TimePattern> Parse(std::string_view pattern);

  /// Second precision, as Firehose: fractions are zeros.
  std::string Format(std::int64_t unix_s, const TimeZone& zone) const;

 private:
  struct Part {
    char letter = 0;  // 0: literal
    int count = 0;
    std::string literal;
  };
  std::vector<Part> parts_;
};

}  // namespace sluice::delivery
