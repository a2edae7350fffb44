// Sequence numbers: the fields are shifted into one 188-bit integer, most significant first, which is written in
// decimal. protocol/BATCH.md, section "Sequence numbers", has the layout.
#include "protocol/sequence_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "protocol/check.h"
#include "protocol/uint128.h"

namespace sluice::protocol {
namespace {

constexpr std::uint64_t kLeadingDigit = 2;
constexpr std::uint64_t kVersion = 2;
constexpr std::int64_t kShardCreatedEnd_s = 16'025'175'000;
constexpr std::int64_t kRecordTimeEnd_s = std::int64_t{1} << 36;

// Widths of the fields in bits, in their order.
constexpr int kLeadingDigitBits = 4;
constexpr int kShardCreatedBits = 36;
constexpr int kShardLowBits = 4;
constexpr int kOffsetBits = 64;
constexpr int kZeroBits = 8;
constexpr int kRecordTimeBits = 36;
constexpr int kShardBits = 32;
constexpr int kVersionBits = 4;
static_assert(kLeadingDigitBits + kShardCreatedBits + kShardLowBits + kOffsetBits + kZeroBits + kRecordTimeBits +
                  kShardBits + kVersionBits ==
              47 * 4);

// Decimal digits are handled 19 at a time, as many as fit in 64 bits.
constexpr std::size_t kGroupDigits = 19;
constexpr std::uint64_t kTenTo19 = 10'000'000'000'000'000'000u;

/// An unsigned 192-bit integer, least significant word first.
class Integer192 {
 public:
  /// Shifts left and puts `field` into the freed bits.
  void Push(int bits, std::uint64_t field) {
    SLUICE_DCHECK(bits == 64 || field >> bits == 0);
    if (bits == 64) {
      words_ = {field, words_[0], words_[1]};
      return;
    }
    words_[2] = words_[2] << bits | words_[1] >> (64 - bits);
    words_[1] = words_[1] << bits | words_[0] >> (64 - bits);
    words_[0] = words_[0] << bits | field;
  }
  /// Takes the lowest bits and shifts right; the opposite of Push.
  std::uint64_t Pop(int bits) {
    const std::uint64_t low = words_[0];
    if (bits == 64) {
      words_ = {words_[1], words_[2], 0};
      return low;
    }
    words_[0] = words_[0] >> bits | words_[1] << (64 - bits);
    words_[1] = words_[1] >> bits | words_[2] << (64 - bits);
    words_[2] >>= bits;
    return low & ((std::uint64_t{1} << bits) - 1);
  }
  /// this = this * factor + addend. The value must stay below 2^192.
  void MultiplyAdd(std::uint64_t factor, std::uint64_t addend) {
    std::uint64_t carry = addend;
    for (std::uint64_t& word : words_) {
      const Uint128 product = Uint128{word} * factor + carry;
      word = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
    SLUICE_CHECK(carry == 0);
  }
  /// this = this / divisor; returns the remainder.
  std::uint64_t Divide(std::uint64_t divisor) {
    std::uint64_t remainder = 0;
    for (std::size_t i = words_.size(); i-- > 0;) {
      const Uint128 dividend = Uint128{remainder} << 64 | words_[i];
      words_[i] = static_cast<std::uint64_t>(dividend / divisor);
      remainder = static_cast<std::uint64_t>(dividend) - words_[i] * divisor;  // `%` would divide once more
    }
    return remainder;
  }
  bool IsZero() const { return (words_[0] | words_[1] | words_[2]) == 0; }

 private:
  std::array<std::uint64_t, 3> words_{};
};

std::unexpected<Status> NotASequenceNumber(std::string_view text) {
  return Error(Code::kInvalidArgument,
               fmt::format("'{}' is not a sequence number: use one that a record or a shard carries",
                           text.substr(0, 2 * kSequenceDigits)));
}

/// "00" to "99", one after another.
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = static_cast<char>('0' + (i % 2 == 0 ? i / 20 : i / 2 % 10));
  return pairs;
}();

/// The last `count` decimal digits of `value`, with zeros in front.
void PutDigits(std::uint64_t value, std::size_t count, char* to) {
  for (; count >= 2; count -= 2, value /= 100) std::memcpy(to + count - 2, &kPairs[value % 100 * 2], 2);
  if (count == 1) *to = static_cast<char>('0' + value % 10);
}

}  // namespace

SequenceDigits DigitsOf(const SequenceNumber& number) {
  SLUICE_CHECK(number.shard_created_s >= 0 && number.shard_created_s < kShardCreatedEnd_s);
  SLUICE_CHECK(number.record_time_s >= 0 && number.record_time_s < kRecordTimeEnd_s);
  SLUICE_CHECK(number.offset <= kMaxOffset);
  Integer192 value;
  value.Push(kLeadingDigitBits, kLeadingDigit);
  value.Push(kShardCreatedBits, static_cast<std::uint64_t>(number.shard_created_s));
  value.Push(kShardLowBits, number.shard.value & 0xF);
  value.Push(kOffsetBits, number.offset.value);
  value.Push(kZeroBits, 0);
  value.Push(kRecordTimeBits, static_cast<std::uint64_t>(number.record_time_s));
  value.Push(kShardBits, number.shard.value);
  value.Push(kVersionBits, kVersion);
  SequenceDigits decimal;
  for (std::size_t end = kSequenceDigits; end > 0;) {
    const std::size_t count = std::min(end, kGroupDigits);
    end -= count;
    PutDigits(value.Divide(kTenTo19), count, decimal.digits.data() + end);
  }
  // A leading hex digit of 2 always gives 56 decimal digits: 2 * 16^46 has 56, 3 * 16^46 too.
  SLUICE_CHECK(value.IsZero() && decimal.digits.front() != '0');
  return decimal;
}

std::string ToDecimal(const SequenceNumber& number) { return std::string(DigitsOf(number)); }

Result<SequenceNumber> ParseSequenceNumber(std::string_view decimal) {
  if (decimal.size() != kSequenceDigits) return NotASequenceNumber(decimal);
  Integer192 value;
  for (const char c : decimal) {
    if (c < '0' || c > '9') return NotASequenceNumber(decimal);
    value.MultiplyAdd(10, static_cast<std::uint64_t>(c - '0'));
  }
  SequenceNumber number;
  const std::uint64_t version = value.Pop(kVersionBits);
  number.shard = ShardIndex(static_cast<std::uint32_t>(value.Pop(kShardBits)));
  number.record_time_s = static_cast<std::int64_t>(value.Pop(kRecordTimeBits));
  const std::uint64_t zero = value.Pop(kZeroBits);
  number.offset = Offset(value.Pop(kOffsetBits));
  const std::uint64_t shard_low = value.Pop(kShardLowBits);
  number.shard_created_s = static_cast<std::int64_t>(value.Pop(kShardCreatedBits));
  const std::uint64_t leading_digit = value.Pop(kLeadingDigitBits);
  if (version != kVersion || zero != 0 || shard_low != (number.shard.value & 0xF) || leading_digit != kLeadingDigit ||
      !value.IsZero() || number.offset > kMaxOffset || number.shard_created_s >= kShardCreatedEnd_s) {
    return NotASequenceNumber(decimal);
  }
  return number;
}

}  // namespace sluice::protocol
