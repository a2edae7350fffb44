// Schoolbook arithmetic on decimal digits.
#include "broker/api/dynamodb/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::broker::dynamodb {
namespace {

constexpr std::size_t kTextMax = 512;  // of what is parsed at all
constexpr int kExponentMax = 10'000;   // beyond it all numbers are too large, or too small
static_assert(Number::kMagnitudeMax - Number::kMagnitudeMin <= 255);  // one byte of SortBytes

constexpr std::string_view kTooLong = "Attempting to store more than 38 significant digits in a Number";
constexpr std::string_view kOverflow =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
constexpr std::string_view kUnderflow =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";

std::unexpected<std::string> NoNumber(std::string_view text) {
  if (text.empty()) return std::unexpected(std::string("The parameter cannot be converted to a numeric value"));
  return std::unexpected(
      fmt::format("The parameter cannot be converted to a numeric value: {}", text.substr(0, kTextMax)));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Moves the digits at the front of `rest` to the end of `digits`; how many they were.
std::size_t TakeDigits(std::string_view& rest, std::string& digits) {
  const std::size_t count = std::ranges::find_if_not(rest, IsDigit) - rest.begin();
  digits += rest.substr(0, count);
  rest.remove_prefix(count);
  return count;
}

/// "E+12" at the front of `rest`; false where it is none.
bool TakeExponent(std::string_view& rest, int& exponent) {
  if (rest.empty() || (rest.front() != 'e' && rest.front() != 'E')) return true;
  rest.remove_prefix(1);
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  std::string digits;
  if (TakeDigits(rest, digits) == 0) return false;
  int size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  size = error == std::errc() ? std::min(size, kExponentMax) : kExponentMax;
  exponent += negative ? -size : size;
  return true;
}

/// The digits with their point at `places` from the right end, all of one length.
std::string Aligned(std::string_view digits, int exponent, int low) {
  return std::string(digits) +
         std::string(static_cast<std::size_t>(exponent - static_cast<int>(digits.size()) - low), '0');
}

std::string AddDigits(std::string a, std::string b) {
  const std::size_t size = std::max(a.size(), b.size()) + 1;
  a.insert(0, size - a.size(), '0');
  b.insert(0, size - b.size(), '0');
  int carry = 0;
  for (std::size_t i = size; i-- > 0;) {
    const int sum = (a[i] - '0') + (b[i] - '0') + carry;
    a[i] = static_cast<char>('0' + sum % 10);
    carry = sum / 10;
  }
  return a;
}

/// `a` is not less than `b`.
std::string SubtractDigits(std::string a, std::string b) {
  b.insert(0, a.size() - b.size(), '0');
  int borrow = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int difference = a[i] - b[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    a[i] = static_cast<char>('0' + difference + 10 * borrow);
  }
  return a;
}

}  // namespace

Number::Number(std::size_t value) { *this = *Parse(std::to_string(value)); }

std::expected<Number, std::string> Number::Parse(std::string_view text) {
  if (text.size() > kTextMax) return NoNumber(text);
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  std::string digits;
  int exponent = static_cast<int>(TakeDigits(rest, digits));
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    TakeDigits(rest, digits);
  }
  if (digits.empty() || !TakeExponent(rest, exponent) || !rest.empty()) return NoNumber(text);
  return Made(negative, std::move(digits), exponent);
}

std::expected<Number, std::string> Number::Made(bool negative, std::string digits, int exponent) {
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, zeros);
  digits.erase(digits.find_last_not_of('0') + 1);
  Number number;
  if (digits.empty()) return number;
  number.negative_ = negative;
  number.digits_ = std::move(digits);
  number.exponent_ = exponent - static_cast<int>(zeros);
  if (number.exponent_ - 1 > kMagnitudeMax) return std::unexpected(std::string(kOverflow));
  if (number.exponent_ - 1 < kMagnitudeMin) return std::unexpected(std::string(kUnderflow));
  if (number.digits_.size() > kDigitsMax) return std::unexpected(std::string(kTooLong));
  return number;
}

std::expected<Number, std::string> Number::Sum(const Number& a, const Number& b) {
  if (a.digits_.empty()) return b;
  if (b.digits_.empty()) return a;
  const int low =
      std::min(a.exponent_ - static_cast<int>(a.digits_.size()), b.exponent_ - static_cast<int>(b.digits_.size()));
  std::string first = Aligned(a.digits_, a.exponent_, low);
  std::string second = Aligned(b.digits_, b.exponent_, low);
  bool negative = a.negative_;
  std::string digits;
  if (a.negative_ == b.negative_) {
    digits = AddDigits(std::move(first), std::move(second));
  } else if (a.CompareMagnitude(b) >= 0) {
    digits = SubtractDigits(std::move(first), std::move(second));
  } else {
    negative = b.negative_;
    digits = SubtractDigits(std::move(second), std::move(first));
  }
  const int exponent = low + static_cast<int>(digits.size());
  return Made(negative, std::move(digits), exponent);
}

Number Number::Negated() const {
  Number number = *this;
  number.negative_ = !digits_.empty() && !negative_;
  return number;
}

std::string Number::ToText() const {
  if (digits_.empty()) return "0";
  const int count = static_cast<int>(digits_.size());
  std::string text = negative_ ? "-" : "";
  if (exponent_ <= 0) return text + "0." + std::string(static_cast<std::size_t>(-exponent_), '0') + digits_;
  if (exponent_ >= count) return text + digits_ + std::string(static_cast<std::size_t>(exponent_ - count), '0');
  const auto whole = static_cast<std::size_t>(exponent_);
  return text + digits_.substr(0, whole) + "." + digits_.substr(whole);
}

// Sign, exponent, digits, and an end that sorts below every digit; all turned round for negative numbers.
std::string Number::SortBytes() const {
  if (digits_.empty()) return "\x02";
  std::string bytes(1, static_cast<char>(exponent_ - 1 - kMagnitudeMin));
  bytes += digits_;
  bytes += '\x01';
  if (!negative_) return "\x03" + bytes;
  for (char& byte : bytes) byte = static_cast<char>(~byte);
  return "\x01" + bytes;
}

std::strong_ordering Number::CompareMagnitude(const Number& other) const {
  if (digits_.empty() || other.digits_.empty()) return !digits_.empty() <=> !other.digits_.empty();
  if (exponent_ != other.exponent_) return exponent_ <=> other.exponent_;
  return digits_ <=> other.digits_;
}

std::strong_ordering operator<=>(const Number& a, const Number& b) {
  if (a.negative_ != b.negative_) return b.negative_ <=> a.negative_;
  return a.negative_ ? b.CompareMagnitude(a) : a.CompareMagnitude(b);
}

}  // namespace sluice::broker::dynamodb
