// Which JSON text each column type takes, one function for each type.
#include "broker/delivery/scalar_values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "broker/delivery/json_scan.h"
#include "broker/delivery/text_values.h"
#include "protocol/ascii.h"
#include "protocol/base64.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::optional<std::int64_t> WholeNumber(std::string_view text) {
  if (std::optional<std::int64_t> whole = ParseInteger(text)) return whole;
  constexpr double kExactMax = 9007199254740992.0;  // 2^53: beyond, a double does not name one integer
  std::optional<double> number = ParseDouble(text);
  if (!number || std::floor(*number) != *number || std::fabs(*number) > kExactMax) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

template <typename T>
bool AppendInteger(Column& column, std::string_view text) {
  std::optional<std::int64_t> number = WholeNumber(text);
  if (!number || *number < std::numeric_limits<T>::min() || *number > std::numeric_limits<T>::max()) return false;
  column.AppendFixed(static_cast<T>(*number));
  return true;
}

bool AppendBoolean(Column& column, std::string_view text) {
  if (text != "true" && text != "false") return false;
  column.AppendBoolean(text == "true");
  return true;
}

bool AppendFloat(Column& column, std::string_view text) {
  std::optional<double> number = ParseDouble(text);
  if (!number || std::fabs(*number) > std::numeric_limits<float>::max()) return false;
  column.AppendFixed(static_cast<float>(*number));
  return true;
}

bool AppendDouble(Column& column, std::string_view text) {
  std::optional<double> number = ParseDouble(text);
  if (number) column.AppendFixed(*number);
  return number.has_value();
}

bool AppendDecimal(Column& column, std::string_view text) {
  std::optional<__int128> number = ParseDecimal(text, column.precision(), column.scale());
  if (number) column.AppendFixed(*number);
  return number.has_value();
}

std::optional<std::int64_t> TimestampFromText(std::string_view text, const TimestampRules& rules) {
  for (const TimestampFormat& format : rules.formats) {
    if (std::optional<std::int64_t> micros = format.Parse(text)) return micros;
  }
  const std::optional<std::int64_t> micros = ParseTimestamp(text);
  return micros ? micros : ParseJdbcTimestamp(text);
}

/// As Hive reads `millis`: a whole number, and a fraction that is cut.
std::optional<std::int64_t> TimestampFromMillis(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point != text.npos && !std::ranges::all_of(text.substr(point + 1), protocol::IsDigit)) return std::nullopt;
  const std::optional<std::int64_t> millis = ParseInteger(text.substr(0, point));
  std::int64_t micros = 0;
  if (!millis || point + 1 == text.size() || __builtin_mul_overflow(*millis, 1000, &micros)) return std::nullopt;
  return micros;
}

bool AppendTimestamp(Column& column, std::string_view text, bool quoted, const TimestampRules& rules) {
  std::optional<std::int64_t> micros = quoted ? TimestampFromText(text, rules) : std::nullopt;
  if (!micros && rules.millis) micros = TimestampFromMillis(text);
  if (!micros) micros = TimestampFromNumber(text);
  if (!micros || (!rules.fractions_before_1970 && *micros < 0 && *micros % kMicrosPerSecond != 0)) return false;
  column.AppendFixed(*micros);
  return true;
}

bool AppendDate(Column& column, std::string_view text, bool quoted, const TimestampRules& rules) {
  constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
  if (!quoted) return false;
  std::optional<std::int32_t> days = ParseDate(text);
  if (!days) {
    std::optional<std::int64_t> micros = TimestampFromText(text, rules);
    if (!micros) return false;
    days = static_cast<std::int32_t>((*micros - (*micros < 0 ? kMicrosPerDay - 1 : 0)) / kMicrosPerDay);
  }
  column.AppendFixed(*days);
  return true;
}

bool AppendBase64(Column& column, std::string_view text, bool quoted) {
  if (!quoted) return false;
  Result<std::string> bytes = protocol::DecodeBase64(text);
  if (bytes) column.AppendBytes(*bytes);
  return bytes.has_value();
}

bool AppendTyped(Column& column, std::string_view text, bool quoted, const TimestampRules& rules) {
  switch (column.kind()) {
    case TypeKind::kBoolean:
      return AppendBoolean(column, text);
    case TypeKind::kTinyint:
      return AppendInteger<std::int8_t>(column, text);
    case TypeKind::kSmallint:
      return AppendInteger<std::int16_t>(column, text);
    case TypeKind::kInt:
      return AppendInteger<std::int32_t>(column, text);
    case TypeKind::kBigint:
      return AppendInteger<std::int64_t>(column, text);
    case TypeKind::kFloat:
      return AppendFloat(column, text);
    case TypeKind::kDouble:
      return AppendDouble(column, text);
    case TypeKind::kDecimal:
      return AppendDecimal(column, text);
    case TypeKind::kBinary:
      return AppendBase64(column, text, quoted);
    case TypeKind::kTimestamp:
      return AppendTimestamp(column, text, quoted, rules);
    case TypeKind::kDate:
      return AppendDate(column, text, quoted, rules);
    case TypeKind::kString:
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct:
      return false;
  }
  SLUICE_CHECK(false);
}

}  // namespace

Outcome AppendScalar(Column& column, std::string_view text, bool quoted, const TimestampRules& rules) {
  if (column.kind() == TypeKind::kString) {
    if (!quoted && text != "true" && text != "false" && !IsJsonNumber(text)) return Outcome::kMalformed;
    column.AppendBytes(text);
    return Outcome::kTaken;
  }
  if (AppendTyped(column, text, quoted, rules)) return Outcome::kTaken;
  bool json = quoted || text == "true" || text == "false" || IsJsonNumber(text);
  return json ? Outcome::kMismatch : Outcome::kMalformed;
}

}  // namespace sluice::delivery
