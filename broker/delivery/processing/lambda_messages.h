// What a Lambda that transforms records is asked and what it answers: Firehose's JSON, byte by byte.
//
//   request  {"invocationId":..,"deliveryStreamArn":..,"sourceKinesisStreamArn":..,"region":..,"records":[
//              {"recordId":..,"approximateArrivalTimestamp":<ms>,"data":"<base64>","kinesisRecordMetadata":{"shardId":..,
//               "partitionKey":..,"sequenceNumber":..,"subsequenceNumber":..,"approximateArrivalTimestamp":<ms>}}]}
//   answer   {"records":[{"recordId":..,"result":"Ok"|"Dropped"|"ProcessingFailed","data":"<base64>",
//              "metadata":{"partitionKeys":{..}}}]}
//
// sourceKinesisStreamArn and kinesisRecordMetadata are there where a stream is read. Answers may be of any bytes.
//
// Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/object_writer.h"

namespace sluice::delivery {

/// Of requests and of answers, as AWS.
inline constexpr std::size_t kLambdaBytesMax = 6u << 20;

/// Why an invocation gave nothing.
struct LambdaFailure {
  std::string_view code;  // a constant, as error records have it
  std::string message;
  /// Nobody answered, or not for the function: it says nothing about the records, which wait.
  bool away = false;
};

inline constexpr std::string_view kLambdaFunctionError = "Lambda.FunctionError";
inline constexpr std::string_view kLambdaTimedOut = "Lambda.FunctionTimedOut";
inline constexpr std::string_view kLambdaNotJson = "Lambda.JsonProcessingException";
inline constexpr std::string_view kLambdaTooLarge = "Lambda.FunctionRequestTooLarge";
inline constexpr std::string_view kLambdaMissing = "Lambda.MissingRecordId";
inline constexpr std::string_view kLambdaDuplicated = "Lambda.DuplicatedRecordId";

/// Whose records they are.
struct LambdaCaller {
  std::string delivery_stream_arn;
  std::string source_stream_arn;  // empty: direct put
  std::string region;
};

/// Names a record to a Lambda: the same each time, and no other record of the delivery stream has it.
std::string LambdaRecordId(const RecordRef& record, std::int64_t shard_created_ms);

/// Adds a record to the list of a request; `id` is its LambdaRecordId. A comma goes in front where there are others.
void AppendLambdaRecord(const RecordRef& record, std::string_view id, bool of_stream, std::string& list);
std::string LambdaRequest(const LambdaCaller& caller, std::string_view invocation_id, std::string_view list);

/// What became of one record.
struct LambdaOutcome {
  enum class Kind : std::uint8_t { kMissing, kDuplicated, kOk, kDropped, kFailed };
  Kind kind = Kind::kMissing;
  std::string data;                                                 // kOk
  std::vector<std::pair<std::string, std::string>> partition_keys;  // kOk; only those with a value
  friend bool operator==(const LambdaOutcome&, const LambdaOutcome&) = default;
};

/// One for each of `ids`, in their order, whatever the answer's; records that nobody asked for are passed over. An
/// answer that breaks a rule otherwise is none at all.
std::expected<std::vector<LambdaOutcome>, LambdaFailure> ParseLambdaAnswer(std::string_view answer,
                                                                           std::span<const std::string> ids);

/// What a function says about its own failure: {"errorMessage":..}; else the beginning of the text.
std::string LambdaErrorText(std::string_view answer);

}  // namespace sluice::delivery
