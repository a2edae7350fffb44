// Writing requests, reading answers.
#include "broker/delivery/processing/lambda_messages.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <unordered_map>

#include "broker/delivery/error_record.h"
#include "protocol/base64.h"
#include "protocol/json_writer.h"
#include "protocol/sequence_number.h"

namespace sluice::delivery {
namespace {

using Unusable = std::unexpected<LambdaFailure>;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kErrorTextBytes = 300;

Unusable NotJson(std::string why) { return Unusable({kLambdaNotJson, std::move(why)}); }

Unusable Wrong(std::string_view id, std::string_view why) {
  return Unusable({kLambdaFunctionError, fmt::format("The Lambda function was successfully invoked but it returned an "
                                                     "error result: record {} {}.",
                                                     id, why)});
}

/// Scalars; what has no value is no key.
std::vector<std::pair<std::string, std::string>> PartitionKeysOf(const object& record) {
  std::vector<std::pair<std::string, std::string>> keys;
  object map;
  if (record["metadata"]["partitionKeys"].get(map) != simdjson::SUCCESS) return keys;
  for (const auto& [key, value] : map) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      keys.emplace_back(key, text);
    } else if (value.is_number() || value.is_bool()) {
      keys.emplace_back(key, simdjson::minify(value));
    }
  }
  return keys;
}

std::expected<LambdaOutcome, LambdaFailure> ReadOutcome(const object& record, std::string_view id) {
  std::string_view result;
  if (record["result"].get(result) != simdjson::SUCCESS) return Wrong(id, "has no result");
  LambdaOutcome outcome;
  if (result == "Dropped") {
    outcome.kind = LambdaOutcome::Kind::kDropped;
  } else if (result == "ProcessingFailed") {
    outcome.kind = LambdaOutcome::Kind::kFailed;
  } else if (result == "Ok") {
    outcome.kind = LambdaOutcome::Kind::kOk;
    std::string_view data;
    if (record["data"].get(data) != simdjson::SUCCESS) return Wrong(id, "is Ok and has no data");
    Result<std::string> bytes = protocol::DecodeBase64(data);
    if (!bytes) return Wrong(id, "has data that is not base64");
    outcome.data = std::move(*bytes);
    outcome.partition_keys = PartitionKeysOf(record);
  } else {
    return Wrong(id, "has a result that is none of Ok, Dropped, ProcessingFailed");
  }
  return outcome;
}

}  // namespace

std::string LambdaRecordId(const RecordRef& record, std::int64_t shard_created_ms) {
  const protocol::SequenceNumber number{.shard_created_s = shard_created_ms / 1000,
                                        .shard = record.shard,
                                        .offset = record.offset,
                                        .record_time_s = record.append_time_ms / 1000};
  return fmt::format("{}{:020}", protocol::ToDecimal(number), record.sub_sequence.value_or(0));
}

void AppendLambdaRecord(const RecordRef& record, std::string_view id, bool of_stream, std::string& list) {
  constexpr std::size_t kSequenceNumberDigits = 56;
  protocol::JsonWriter json;
  json.BeginObject().Key("recordId").String(id);
  json.Key("approximateArrivalTimestamp").Number(record.append_time_ms);
  json.Key("data").Base64(record.value);
  if (of_stream) {
    json.Key("kinesisRecordMetadata").BeginObject();
    json.Key("shardId").String(fmt::format("shardId-{:012}", record.shard.value));
    json.Key("partitionKey").String(Utf8Text(record.key));
    json.Key("sequenceNumber").String(id.substr(0, kSequenceNumberDigits));
    json.Key("subsequenceNumber").String(record.sub_sequence ? std::to_string(*record.sub_sequence) : "");
    json.Key("approximateArrivalTimestamp").Number(record.append_time_ms).EndObject();
  }
  json.EndObject();
  if (!list.empty()) list += ',';
  list += json.text();
}

std::string LambdaRequest(const LambdaCaller& caller, std::string_view invocation_id, std::string_view list) {
  protocol::JsonWriter json;
  json.Reserve(list.size() + 1024);
  json.BeginObject().Key("invocationId").String(invocation_id);
  json.Key("deliveryStreamArn").String(caller.delivery_stream_arn);
  if (!caller.source_stream_arn.empty()) json.Key("sourceKinesisStreamArn").String(caller.source_stream_arn);
  json.Key("region").String(caller.region);
  json.Key("records").BeginList().Raw(list).EndList().EndObject();
  return json.Take();
}

std::expected<std::vector<LambdaOutcome>, LambdaFailure> ParseLambdaAnswer(std::string_view answer,
                                                                           std::span<const std::string> ids) {
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(answer.data(), answer.size()).get(root); error != simdjson::SUCCESS) {
    return NotJson(fmt::format("the answer is not JSON: {}", protocol::JsonErrorText(simdjson::error_message(error))));
  }
  simdjson::dom::array records;
  if (root["records"].get(records) != simdjson::SUCCESS) {
    if (root["errorMessage"].error() == simdjson::SUCCESS)
      return Unusable({kLambdaFunctionError, LambdaErrorText(answer)});
    return NotJson("the answer has no list of records");
  }
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
  std::vector<LambdaOutcome> outcomes(ids.size());
  for (const element& item : records) {
    object record;
    std::string_view id;
    if (item.get(record) != simdjson::SUCCESS) return NotJson("a record of the answer is not an object");
    if (record["recordId"].get(id) != simdjson::SUCCESS) return NotJson("a record of the answer has no recordId");
    const auto place = places.find(id);
    if (place == places.end()) continue;
    std::expected<LambdaOutcome, LambdaFailure> outcome = ReadOutcome(record, id);
    if (!outcome) return std::unexpected(std::move(outcome.error()));
    LambdaOutcome& known = outcomes[place->second];
    if (known.kind == LambdaOutcome::Kind::kMissing) {
      known = std::move(*outcome);
    } else {
      known = {.kind = LambdaOutcome::Kind::kDuplicated, .data = {}, .partition_keys = {}};
    }
  }
  return outcomes;
}

std::string LambdaErrorText(std::string_view answer) {
  simdjson::dom::parser parser;
  element root;
  std::string_view message;
  if (parser.parse(answer.data(), answer.size()).get(root) == simdjson::SUCCESS &&
      root["errorMessage"].get(message) == simdjson::SUCCESS) {
    std::string_view type;
    if (root["errorType"].get(type) != simdjson::SUCCESS || type.empty()) return std::string(message);
    return fmt::format("{}: {}", type, message);
  }
  return std::string(answer.substr(0, kErrorTextBytes));
}

}  // namespace sluice::delivery
