// Writes each value of a row as JSON, by the type of its column.
#include "tools/lake/json_rows.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "protocol/base64.h"
#include "protocol/json_text.h"

namespace sluice::tools {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

template <typename ArrayType>
auto ValueOf(const arrow::Array& array, std::int64_t row) {
  return static_cast<const ArrayType&>(array).Value(row);
}

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Of days since 1970 (the civil calendar in eras of 400 years from 1 March).
std::string DateText(std::int64_t days) {
  days += 719'468;
  std::int64_t era = FloorDiv(days, 146'097);
  std::int64_t day_of_era = days - era * 146'097;
  std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  std::int64_t shifted = (5 * day_of_year + 2) / 153;
  std::int64_t month = shifted + (shifted < 10 ? 3 : -9);
  return fmt::format("{:04}-{:02}-{:02}", year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
                     day_of_year - (153 * shifted + 2) / 5 + 1);
}

std::string TimestampText(std::int64_t value, arrow::TimeUnit::type unit) {
  constexpr std::int64_t kPerSecond[] = {1, 1'000, 1'000'000, 1'000'000'000};
  constexpr int kDigits[] = {0, 3, 6, 9};
  std::int64_t per_second = kPerSecond[unit];
  std::int64_t seconds = FloorDiv(value, per_second);
  std::int64_t days = FloorDiv(seconds, kSecondsPerDay);
  std::int64_t second = seconds - days * kSecondsPerDay;
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}", DateText(days), second / 3600, second / 60 % 60, second % 60);
  if (std::int64_t fraction = value - seconds * per_second; fraction != 0) {
    const bool micros = unit == arrow::TimeUnit::NANO && fraction % 1000 == 0;  // ORC is read as nanoseconds
    text += fmt::format(".{:0{}}", micros ? fraction / 1000 : fraction, micros ? 6 : kDigits[unit]);
  }
  return text + "Z";
}

void AppendNumber(double number, std::string& out) {
  out += std::isfinite(number) ? fmt::format("{}", number) : "null";
}

void AppendList(const arrow::ListArray& list, std::int64_t row, std::string& out) {
  out += '[';
  for (std::int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    if (i > list.value_offset(row)) out += ',';
    AppendJsonValue(*list.values(), i, out);
  }
  out += ']';
}

void AppendMap(const arrow::MapArray& map, std::int64_t row, std::string& out) {
  out += '{';
  for (std::int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (i > map.value_offset(row)) out += ',';
    std::string key;
    AppendJsonValue(*map.keys(), i, key);
    out += key.starts_with('"') ? key : '"' + key + '"';
    out += ':';
    AppendJsonValue(*map.items(), i, out);
  }
  out += '}';
}

void AppendStruct(const arrow::StructArray& object, std::int64_t row, std::string& out) {
  out += '{';
  for (int i = 0; i < object.num_fields(); ++i) {
    if (i > 0) out += ',';
    protocol::AppendJsonString(out, object.type()->field(i)->name());
    out += ':';
    AppendJsonValue(*object.field(i), row, out);
  }
  out += '}';
}

void AppendOther(const arrow::Array& array, std::int64_t row, std::string& out) {
  arrow::Result<std::shared_ptr<arrow::Scalar>> scalar = array.GetScalar(row);
  protocol::AppendJsonString(out, scalar.ok() ? (*scalar)->ToString() : scalar.status().ToString());
}

}  // namespace

void AppendJsonValue(const arrow::Array& array, std::int64_t row, std::string& out) {
  if (array.IsNull(row)) {
    out += "null";
    return;
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      out += ValueOf<arrow::BooleanArray>(array, row) ? "true" : "false";
      return;
    case arrow::Type::INT8:
      out += fmt::format("{}", ValueOf<arrow::Int8Array>(array, row));
      return;
    case arrow::Type::INT16:
      out += fmt::format("{}", ValueOf<arrow::Int16Array>(array, row));
      return;
    case arrow::Type::INT32:
      out += fmt::format("{}", ValueOf<arrow::Int32Array>(array, row));
      return;
    case arrow::Type::INT64:
      out += fmt::format("{}", ValueOf<arrow::Int64Array>(array, row));
      return;
    case arrow::Type::FLOAT: {
      float number = ValueOf<arrow::FloatArray>(array, row);
      out += std::isfinite(number) ? fmt::format("{}", number) : "null";
      return;
    }
    case arrow::Type::DOUBLE:
      return AppendNumber(ValueOf<arrow::DoubleArray>(array, row), out);
    case arrow::Type::DECIMAL128:
      out += static_cast<const arrow::Decimal128Array&>(array).FormatValue(row);
      return;
    case arrow::Type::STRING:
      return protocol::AppendJsonString(out, static_cast<const arrow::StringArray&>(array).GetView(row));
    case arrow::Type::BINARY:
      out += '"' + protocol::EncodeBase64(static_cast<const arrow::BinaryArray&>(array).GetView(row)) + '"';
      return;
    case arrow::Type::DATE32:
      out += '"' + DateText(ValueOf<arrow::Date32Array>(array, row)) + '"';
      return;
    case arrow::Type::TIMESTAMP:
      out += '"' +
             TimestampText(ValueOf<arrow::TimestampArray>(array, row),
                           static_cast<const arrow::TimestampType&>(*array.type()).unit()) +
             '"';
      return;
    case arrow::Type::LIST:
      return AppendList(static_cast<const arrow::ListArray&>(array), row, out);
    case arrow::Type::MAP:
      return AppendMap(static_cast<const arrow::MapArray&>(array), row, out);
    case arrow::Type::STRUCT:
      return AppendStruct(static_cast<const arrow::StructArray&>(array), row, out);
    default:
      return AppendOther(array, row, out);
  }
}

void AppendJsonRow(const arrow::RecordBatch& batch, std::int64_t row, std::string& out) {
  out += '{';
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (i > 0) out += ',';
    protocol::AppendJsonString(out, batch.column_name(i));
    out += ':';
    AppendJsonValue(*batch.column(i), row, out);
  }
  out += '}';
}

}  // namespace sluice::tools
