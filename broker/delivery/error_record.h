// The line that stands in the error output for a record that could not be converted: Firehose's error record, and
// shardId.
//
//     {"attemptsMade":1,"arrivalTimestamp":..,"lastErrorCode":"DataFormatConversion.ParseError","lastErrorMessage":"..",
//      "attemptEndingTimestamp":..,"rawData":"<base64>","shardId":"shardId-000000000003","sequenceNumber":"<56
//      digits>", "dataCatalogTable":{"tableName":"<delivery stream>","versionId":"<schema version>"}}
//
// and, behind sequenceNumber, "subSequenceNumber":<place> where the record was packed in an aggregate.
//
// Values only; thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/delivery/object_writer.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// {firehose:error-output-type} of these records.
inline constexpr std::string_view kFormatConversionFailed = "format-conversion-failed";

/// What all error records of one object have in common.
struct ErrorContext {
  std::string_view delivery_stream;
  std::int64_t attempt_ms = 0;
  std::uint32_t schema_version = 0;
};

/// Why a record is there.
struct RecordFailure {
  std::string_view code;
  std::string_view message;
};

/// One line, with its line break. The shard's creation time stands in the sequence number.
std::string ErrorRecordLine(const ErrorContext& context, const RecordRef& record, std::int64_t shard_created_ms,
                            const RecordFailure& failure);

/// Where the record of such a line came from.
struct ErrorRecordPlace {
  ShardIndex shard;
  Offset offset;
  std::optional<std::uint64_t> sub_sequence;  // in an opened aggregate
  friend auto operator<=>(const ErrorRecordPlace&, const ErrorRecordPlace&) = default;
};
/// kCorruption says what is wrong with the line.
Result<ErrorRecordPlace> ParseErrorRecordLine(std::string_view line);

}  // namespace sluice::delivery
