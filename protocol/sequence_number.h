// Sequence numbers as Kinesis writes them: 56 decimal digits that hold shard creation time, shard index, offset and
// record time, so that they grow within a shard and over a split or merge, and a number of another stream is
// recognised. Layout (47 hex digits, "version 2"): protocol/BATCH.md, section "Sequence numbers".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::protocol {

struct SequenceNumber {
  std::int64_t shard_created_s = 0;  // seconds since 1970; below 16,025,175,000
  ShardIndex shard;
  Offset offset;
  std::int64_t record_time_s = 0;  // seconds since 1970
  friend bool operator==(const SequenceNumber&, const SequenceNumber&) = default;
};

inline constexpr std::size_t kSequenceDigits = 56;
/// A number's decimal digits, without memory of their own.
struct SequenceDigits {
  std::array<char, kSequenceDigits> digits;
  operator std::string_view() const { return {digits.data(), digits.size()}; }
};
/// All in range, as the fields say.
SequenceDigits DigitsOf(const SequenceNumber& number);
/// The same as a string.
std::string ToDecimal(const SequenceNumber& number);
/// Reads what ToDecimal wrote; kInvalidArgument for anything else.
Result<SequenceNumber> ParseSequenceNumber(std::string_view decimal);

}  // namespace sluice::protocol
