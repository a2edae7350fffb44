// A number as DynamoDB has them: up to 38 significant decimal digits, from 1E-130 to just below 1E+126, exact. Values
// only.
#pragma once

#include <compare>
#include <expected>
#include <string>
#include <string_view>

namespace sluice::broker::dynamodb {

class Number {
 public:
  static constexpr int kDigitsMax = 38;
  static constexpr int kMagnitudeMax = 125;  // of the first digit, as a power of ten
  static constexpr int kMagnitudeMin = -130;

  Number() = default;  // 0
  explicit Number(std::size_t value);

  /// "-1.50", "2E+3"; the error is DynamoDB's message.
  static std::expected<Number, std::string> Parse(std::string_view text);
  /// Exact; an error, DynamoDB's message, where the result has too many digits or is out of range.
  static std::expected<Number, std::string> Sum(const Number& a, const Number& b);
  Number Negated() const;

  /// Without exponent, and without zeros that say nothing: "-1.5", "2000".
  std::string ToText() const;
  /// Bytes that compare as the numbers do; no two of them are each other's beginning.
  std::string SortBytes() const;
  std::size_t digits() const { return digits_.size(); }
  bool negative() const { return negative_; }

  friend std::strong_ordering operator<=>(const Number& a, const Number& b);
  friend bool operator==(const Number&, const Number&) = default;

 private:
  /// Takes zeros away at both ends and checks the limits.
  static std::expected<Number, std::string> Made(bool negative, std::string digits, int exponent);
  std::strong_ordering CompareMagnitude(const Number& other) const;

  bool negative_ = false;
  std::string digits_;  // '0' to '9', neither end is a zero; empty: 0
  int exponent_ = 0;    // the value is 0.DIGITS times ten to this; 0 where there are no digits
};

}  // namespace sluice::broker::dynamodb
