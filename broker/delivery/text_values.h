// Text that stands for a value: timestamps, dates, decimals. Pure functions, no locale, no allocation; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::delivery {

/// Days since 1970-01-01 of a date in the Gregorian calendar, or nothing where there is no such day.
std::optional<std::int32_t> DaysFromDate(std::int64_t year, unsigned month, unsigned day);

/// "2024-02-29", years 0001-9999.
std::optional<std::int32_t> ParseDate(std::string_view text);

/// Microseconds since 1970 UTC of "2024-02-29T12:00:00.123456789Z", a blank instead of 'T', up to 9 digits of fraction
/// (what is finer than a microsecond is cut), a zone as "Z", "+01:00", "+0100", or none for UTC.
std::optional<std::int64_t> ParseTimestamp(std::string_view text);

/// The same of what java.sql.Timestamp.valueOf takes, Hive's default: "2024-2-9 1:02:03.5", as UTC; zeros in front may
/// be missing, and white space may stand around it.
std::optional<std::int64_t> ParseJdbcTimestamp(std::string_view text);

/// Microseconds since 1970 of a JSON number: seconds where its magnitude is below 10^11 (fractions allowed), else
/// milliseconds.
std::optional<std::int64_t> TimestampFromNumber(std::string_view token);

/// Unscaled 128-bit value of a decimal text ("-12.50", "1e3") at `scale`; digits past the scale are rounded half up
/// (away from zero). Nothing where it is no number or needs more than `precision` digits.
std::optional<__int128> ParseDecimal(std::string_view text, unsigned precision, unsigned scale);

/// A whole number that fits 64 bits: "-12". No sign but '-', no leading zeros, as JSON writes it.
std::optional<std::int64_t> ParseInteger(std::string_view text);

/// A finite double by JSON's grammar.
std::optional<double> ParseDouble(std::string_view text);

/// False where `text` is a whole number that a double does not hold to its last digit.
bool DoubleHolds(std::string_view text);

}  // namespace sluice::delivery
