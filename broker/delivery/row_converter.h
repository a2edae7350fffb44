// RowConverter: JSON records become columns, by the rules of Firehose's two deserializers (OpenX and Hive JSON SerDe).
//
// A record is one JSON object or several, one after another. A record that is no such thing, or that holds a field that
// does not fit its column (where the schema has no overflow column), is an error of its own and leaves no row behind;
// the others go on.
//
// Threads: one thread at a time. Memory: the rows added since the last TakeBatch, in columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/schema.h"
#include "sluice/status.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace sluice::delivery {

/// The error codes of a record that does not convert; Firehose's.
inline constexpr std::string_view kParseErrorCode = "DataFormatConversion.ParseError";
inline constexpr std::string_view kMalformedDataCode = "DataFormatConversion.MalformedData";

/// The fields of Firehose's OpenXJsonSerDe and HiveJsonSerDe.
struct ConverterOptions {
  bool case_insensitive = true;                                    // CaseInsensitive
  bool dots_to_underscores = false;                                // ConvertDotsInJsonKeysToUnderscores
  std::vector<std::pair<std::string, std::string>> column_to_key;  // ColumnToJsonKeyMappings
  std::vector<std::string> timestamp_formats;                      // TimestampFormats: Joda patterns and "millis"
  bool fractions_before_1970 = true;  // false: a timestamp before 1970 with a fraction of a second does not fit
  std::size_t record_bytes_max = 10u << 20;
};

struct RowError {
  std::string_view code;
  std::string message;
};

class RowConverter {
 public:
  /// kInvalidArgument: no column, two columns for one JSON key, a timestamp format that cannot be read.
  static Result<std::unique_ptr<RowConverter>> New(const Schema& schema, const ConverterOptions& options);

  virtual ~RowConverter() = default;

  /// Adds the rows of one record, or none and the reason.
  virtual std::optional<RowError> Add(std::string_view record) = 0;

  /// Of the batch being built; `bytes` is the size of the records and a byte for every value. Take it before it reaches
  /// 1 GiB.
  virtual std::uint64_t rows() const = 0;
  virtual std::uint64_t bytes() const = 0;
  /// What the batch takes in memory.
  virtual std::uint64_t memory_bytes() const = 0;
  /// Over the converter's life.
  virtual std::uint64_t overflow_fields() const = 0;

  virtual std::shared_ptr<arrow::Schema> arrow_schema() const = 0;

  /// The rows added since the last call, as columns over the converter's own memory: good until the next Add, which
  /// starts anew.
  virtual std::shared_ptr<arrow::RecordBatch> TakeBatch() = 0;
};

}  // namespace sluice::delivery
