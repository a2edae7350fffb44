// A Joda-Time pattern becomes a list of steps; parsing runs them over the text.
#include "broker/delivery/timestamp_format.h"

#include <fmt/format.h>

#include <array>

#include "broker/delivery/text_values.h"
#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kLetters = "yYuMdHhmsSZXzEa";
constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

using protocol::IsDigit;
using protocol::IsLetter;

// What the text said so far.
struct Fields {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t micros = 0;
  std::int64_t offset_minutes = 0;
  bool afternoon = false;
  bool twelve_hours = false;
};

// Up to `count_max` digits, one at least.
std::optional<std::int64_t> TakeNumber(std::string_view& text, std::size_t count_max) {
  std::int64_t number = 0;
  std::size_t digits = 0;
  for (; digits < count_max && digits < text.size() && IsDigit(text[digits]); ++digits) {
    number = number * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

std::string TakeWord(std::string_view& text) {
  std::string word;
  while (!text.empty() && IsLetter(text.front())) {
    word += static_cast<char>(text.front() | 0x20);
    text.remove_prefix(1);
  }
  return word;
}

bool TakeMonthName(std::string_view& text, Fields& fields) {
  std::string word = TakeWord(text);
  if (word.size() < 3) return false;
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == word || kMonths[i].substr(0, 3) == word) {
      fields.month = static_cast<unsigned>(i + 1);
      return true;
    }
  }
  return false;
}

bool TakeOffset(std::string_view& text, Fields& fields) {
  if (!text.empty() && (text.front() == 'Z' || text.front() == 'z')) {
    text.remove_prefix(1);
    return true;
  }
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
  bool west = text.front() == '-';
  text.remove_prefix(1);
  std::optional<std::int64_t> hours = TakeNumber(text, 2);
  if (!text.empty() && text.front() == ':') text.remove_prefix(1);
  std::optional<std::int64_t> minutes = TakeNumber(text, 2);
  if (!hours || !minutes || *hours > 18 || *minutes > 59) return false;
  fields.offset_minutes = (*hours * 60 + *minutes) * (west ? -1 : 1);
  return true;
}

bool TakeFraction(std::string_view& text, std::size_t count, Fields& fields) {
  std::int64_t unit = 100'000;
  std::size_t digits = 0;
  for (; digits < text.size() && digits < count && IsDigit(text[digits]); ++digits, unit /= 10) {
    fields.micros += unit * (text[digits] - '0');
  }
  text.remove_prefix(digits);
  return digits > 0;
}

bool TakeHalfOfDay(std::string_view& text, Fields& fields) {
  std::string word = TakeWord(text);
  fields.afternoon = word == "pm";
  return word == "am" || word == "pm";
}

bool TakeNumberInto(std::string_view& text, std::size_t count_max, std::int64_t& out) {
  std::optional<std::int64_t> number = TakeNumber(text, count_max);
  out = number.value_or(0);
  return number.has_value();
}

bool TakeYear(std::string_view& text, std::size_t count, Fields& fields) {
  if (!TakeNumberInto(text, count == 2 ? 2 : 4, fields.year)) return false;
  if (count == 2) fields.year += fields.year < 70 ? 2000 : 1900;
  return true;
}

bool TakePiece(char letter, std::size_t count, std::string_view& text, Fields& fields) {
  std::int64_t number = 0;
  switch (letter) {
    case 'y':
    case 'Y':
    case 'u':
      return TakeYear(text, count, fields);
    case 'M':
      if (count >= 3) return TakeMonthName(text, fields);
      if (!TakeNumberInto(text, 2, number)) return false;
      fields.month = static_cast<unsigned>(number);
      return true;
    case 'd':
      if (!TakeNumberInto(text, 2, number)) return false;
      fields.day = static_cast<unsigned>(number);
      return true;
    case 'h':
      fields.twelve_hours = true;
      return TakeNumberInto(text, 2, fields.hour);
    case 'H':
      return TakeNumberInto(text, 2, fields.hour);
    case 'm':
      return TakeNumberInto(text, 2, fields.minute);
    case 's':
      return TakeNumberInto(text, 2, fields.second);
    case 'S':
      return TakeFraction(text, count, fields);
    case 'Z':
    case 'X':
      return TakeOffset(text, fields);
    case 'z': {
      std::string word = TakeWord(text);
      return word == "utc" || word == "gmt" || word == "z";
    }
    case 'E':
      return TakeWord(text).size() >= 3;
    default:
      return TakeHalfOfDay(text, fields);
  }
}

std::optional<std::int64_t> ToMicros(Fields fields) {
  if (fields.twelve_hours) {
    if (fields.hour < 1 || fields.hour > 12) return std::nullopt;
    fields.hour = fields.hour % 12 + (fields.afternoon ? 12 : 0);
  }
  if (fields.hour > 23 || fields.minute > 59 || fields.second > 59) return std::nullopt;
  std::optional<std::int32_t> days = DaysFromDate(fields.year, fields.month, fields.day);
  if (!days) return std::nullopt;
  std::int64_t minutes = (std::int64_t{*days} * 24 + fields.hour) * 60 + fields.minute - fields.offset_minutes;
  return (minutes * 60 + fields.second) * 1'000'000 + fields.micros;
}

// The text in quotes that begins at `place`, which moves behind it; two quotes are one, inside and outside.
std::optional<std::string> TakeQuoted(std::string_view pattern, std::size_t& place) {
  if (pattern.substr(place).starts_with("''")) {
    place += 2;
    return "'";
  }
  std::string literal;
  for (++place; place < pattern.size(); ++place) {
    if (pattern[place] == '\'') {
      ++place;
      if (place == pattern.size() || pattern[place] != '\'') return literal;
    }
    literal += pattern[place];
  }
  return std::nullopt;
}

}  // namespace

Result<TimestampFormat> TimestampFormat::Compile(std::string_view pattern) {
  TimestampFormat format;
  for (std::size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (IsLetter(c)) {
      if (kLetters.find(c) == std::string_view::npos) {
        return Error(Code::kInvalidArgument,
                     fmt::format("timestamp format '{}': the letter '{}' is not supported", pattern, c));
      }
      std::size_t count = 0;
      while (i < pattern.size() && pattern[i] == c) ++i, ++count;
      format.pieces_.push_back({c, count, {}});
    } else if (c == '\'') {
      std::optional<std::string> literal = TakeQuoted(pattern, i);
      if (!literal) {
        return Error(Code::kInvalidArgument, fmt::format("timestamp format '{}': a quote is not closed", pattern));
      }
      format.pieces_.push_back({0, 0, *std::move(literal)});
    } else {
      format.pieces_.push_back({0, 0, std::string(1, c)});
      ++i;
    }
  }
  if (format.pieces_.empty()) return Error(Code::kInvalidArgument, "a timestamp format is empty");
  return format;
}

std::optional<std::int64_t> TimestampFormat::Parse(std::string_view text) const {
  Fields fields;
  for (const Piece& piece : pieces_) {
    if (piece.letter == 0) {
      if (!text.starts_with(piece.literal)) return std::nullopt;
      text.remove_prefix(piece.literal.size());
    } else if (!TakePiece(piece.letter, piece.count, text, fields)) {
      return std::nullopt;
    }
  }
  return text.empty() ? ToMicros(fields) : std::nullopt;
}

}  // namespace sluice::delivery
