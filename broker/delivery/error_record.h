// The line that stands in the error output for a record that could not be delivered: Firehose's error record, and
// shardId.
//
//     {"attemptsMade":1,"arrivalTimestamp":..,"lastErrorCode":"DataFormatConversion.ParseError","lastErrorMessage":"..",
//      "attemptEndingTimestamp":..,"rawData":"<base64>","shardId":"shardId-000000000003","sequenceNumber":"<56
//      digits>", "dataCatalogTable":{"tableName":"<delivery stream>","versionId":"<schema version>"}}
//
// of a failed conversion; of everything else
//
//     {"attemptsMade":1,"arrivalTimestamp":..,"errorCode":"..","errorMessage":"..","attemptEndingTimestamp":..,
//      "rawData":"<base64>","lambdaARN":"..","shardId":"shardId-000000000003","sequenceNumber":"<56 digits>"}
//
// with lambdaARN where a Lambda failed, and "subsequenceNumber":<place>,"dataId":"<sequence number>.<place>" behind
// rawData where an HTTP endpoint did not take it, "EventId":"<sequence number>.<place>" where Splunk did not. Behind
// sequenceNumber stands "subSequenceNumber":<place> where the
// record is one of several that came out of one.
//
// Values only; thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/delivery/processing/processor.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// {firehose:error-output-type} of records that did not convert, that a processor could not handle, that are not what
/// they were said to be compressed with.
inline constexpr std::string_view kFormatConversionFailed = "format-conversion-failed";
inline constexpr std::string_view kProcessingFailed = "processing-failed";
inline constexpr std::string_view kDecompressionFailed = "decompression-failed";
inline constexpr std::array kErrorTypes = {kFormatConversionFailed, kProcessingFailed, kDecompressionFailed};
/// And of those that an endpoint did not take.
inline constexpr std::string_view kHttpEndpointFailed = "http-endpoint-failed";
inline constexpr std::string_view kSplunkFailed = "splunk-failed";
inline constexpr std::string_view kElasticsearchFailed = "elasticsearch-failed";
inline constexpr std::string_view kOpenSearchFailed = "AmazonOpenSearchService-failed";
inline constexpr std::array kEndpointErrorTypes = {kHttpEndpointFailed, kSplunkFailed, kElasticsearchFailed,
                                                   kOpenSearchFailed};

/// What an error record says besides the failure.
struct ErrorContext {
  std::string_view delivery_stream;
  std::int64_t attempt_ms = 0;
  std::uint32_t schema_version = 0;
  std::int64_t shard_created_ms = 0;  // stands in the sequence number
};

/// Messages may quote a record, which may be any bytes, and JSON must be UTF-8: '?' stands for what is not.
std::string Utf8Text(std::string_view text);

/// One line, with its line break.
std::string ErrorRecordLine(const ErrorContext& context, const ProcessingFailure& failure);

/// Where the record of such a line came from.
struct ErrorRecordPlace {
  ShardIndex shard;
  Offset offset;
  std::optional<std::uint64_t> sub_sequence;  // in an opened aggregate
  friend auto operator<=>(const ErrorRecordPlace&, const ErrorRecordPlace&) = default;
};

/// What such a line says.
struct ErrorRecord {
  ErrorRecordPlace place;
  std::int64_t shard_created_ms = 0;
  std::int64_t arrival_ms = 0;
  std::int64_t attempt_ms = 0;
  std::string code;
  std::string message;
  std::string raw;  // the record itself
};
/// kCorruption says what is wrong with the line.
Result<ErrorRecord> ReadErrorRecordLine(std::string_view line);
/// Only its place.
Result<ErrorRecordPlace> ParseErrorRecordLine(std::string_view line);

}  // namespace sluice::delivery
