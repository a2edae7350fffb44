// The line that stands in the error output for a record that could not be delivered: Firehose's error record, and
// where it came from behind it.
//
//     {"attemptsMade":1,"arrivalTimestamp":..,"lastErrorCode":"DataFormatConversion.ParseError","lastErrorMessage":"..",
//      "attemptEndingTimestamp":..,"rawData":"<base64>","sequenceNumber":"<56 digits>","dataCatalogTable":{..},
//      "shardId":"shardId-000000000003"}
//
// of a failed conversion, where dataCatalogTable is what SchemaConfiguration says (catalogId, databaseName, tableName,
// region, versionId, roleArn, those that are given), or without one
// {"tableName":"<delivery stream>","versionId":"<schema version>"}; of everything else
//
//     {"attemptsMade":1,"arrivalTimestamp":..,"errorCode":"..","errorMessage":"..","attemptEndingTimestamp":..,
//      "rawData":"<base64>","lambdaARN":"..","sequenceNumber":"<56 digits>","shardId":"shardId-000000000003"}
//
// with lambdaARN where a Lambda failed, and "subsequenceNumber":<place>,"dataId":"<sequence number>.<place>" behind
// rawData where an HTTP endpoint did not take it, "EventId":"<sequence number>.<place>" where Splunk did not, and
// esDocumentId, esIndexName and esTypeName before rawData where a cluster did not. Behind sequenceNumber stands
// "subSequenceNumber":<place> where the record is one of several that came out of one.
// tests/delivery/error_lines.golden has a line of each kind.
//
// Values only; thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/delivery/catalog_table.h"
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
  std::int64_t shard_created_ms = 0;    // stands in the sequence number
  const CatalogTable* table = nullptr;  // nullptr: the schema is the delivery stream's own
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
