// Writing and reading of error records.
#include "broker/delivery/error_record.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "broker/delivery/state_reader.h"
#include "protocol/base64.h"
#include "protocol/json_writer.h"
#include "protocol/sequence_number.h"

namespace sluice::delivery {
namespace {

std::string PlaceId(const RecordRef& record, const protocol::SequenceNumber& number) {
  return fmt::format("{}.{}", protocol::ToDecimal(number), record.sub_sequence.value_or(0));
}

/// A version that is not given is the newest one, as in Firehose.
void WriteCatalogTable(const CatalogTable& table, protocol::JsonWriter& json) {
  const auto write = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) json.Key(key).String(value);
  };
  write("catalogId", table.catalog_id);
  write("databaseName", table.database);
  write("tableName", table.table);
  write("region", table.region);
  write("versionId", table.version_id.empty() ? "LATEST" : table.version_id);
  write("roleArn", table.role_arn);
}

void WriteTable(const ErrorContext& context, protocol::JsonWriter& json) {
  json.Key("dataCatalogTable").BeginObject();
  if (context.table != nullptr) {
    WriteCatalogTable(*context.table, json);
  } else {
    json.Key("tableName").String(context.delivery_stream);
    json.Key("versionId").String(std::to_string(context.schema_version));
  }
  json.EndObject();
}

}  // namespace

std::string Utf8Text(std::string_view text) {
  std::string safe(text);
  if (simdjson::validate_utf8(safe.data(), safe.size())) return safe;
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return safe;
}

std::string ErrorRecordLine(const ErrorContext& context, const ProcessingFailure& failure) {
  const RecordRef& record = failure.record;
  const bool conversion = failure.error_type == kFormatConversionFailed;
  const protocol::SequenceNumber number{.shard_created_s = context.shard_created_ms / 1000,
                                        .shard = record.shard,
                                        .offset = record.offset,
                                        .record_time_s = record.append_time_ms / 1000};
  protocol::JsonWriter json;
  json.BeginObject().Key("attemptsMade").Number(failure.attempts);
  json.Key("arrivalTimestamp").Number(record.append_time_ms);
  json.Key(conversion ? "lastErrorCode" : "errorCode").String(failure.code);
  json.Key(conversion ? "lastErrorMessage" : "errorMessage").String(Utf8Text(failure.message));
  json.Key("attemptEndingTimestamp").Number(failure.ended_ms > 0 ? failure.ended_ms : context.attempt_ms);
  for (const auto& [name, value] : failure.fields) json.Key(name).Raw(value);
  json.Key("rawData").String(protocol::EncodeBase64(record.value));
  if (!failure.lambda_arn.empty()) json.Key("lambdaARN").String(failure.lambda_arn);
  if (failure.error_type == kHttpEndpointFailed)
    json.Key("subsequenceNumber").Number(record.sub_sequence.value_or(0)).Key("dataId").String(PlaceId(record, number));
  if (failure.error_type == kSplunkFailed) json.Key("EventId").String(PlaceId(record, number));
  json.Key("sequenceNumber").String(protocol::ToDecimal(number));
  if (record.sub_sequence) json.Key("subSequenceNumber").Number(*record.sub_sequence);
  if (conversion) WriteTable(context, json);
  json.Key("shardId").String(fmt::format("shardId-{:012}", record.shard.value));
  json.EndObject();
  return json.text() + '\n';
}

Result<ErrorRecord> ReadErrorRecordLine(std::string_view line) {
  const Result<ConfigNode> tree = ParseJsonTree(line, "error record");
  if (!tree) return Error(Code::kCorruption, tree.error().message());
  StateReader reader(*tree, "an error record");
  ErrorRecord record;
  const bool conversion = reader.Has("lastErrorCode");
  record.arrival_ms = reader.I64("arrivalTimestamp");
  record.attempt_ms = reader.I64("attemptEndingTimestamp");
  record.code = reader.String(conversion ? "lastErrorCode" : "errorCode");
  record.message = reader.String(conversion ? "lastErrorMessage" : "errorMessage");
  const std::string shard_id = reader.String("shardId");
  Result<std::string> raw = protocol::DecodeBase64(reader.String("rawData"));
  const Result<protocol::SequenceNumber> number = protocol::ParseSequenceNumber(reader.String("sequenceNumber"));
  if (reader.Has("subSequenceNumber")) record.place.sub_sequence = reader.U64("subSequenceNumber");
  if (!number) reader.Fail(number.error().message());
  if (!raw) reader.Fail("'rawData' is not base64");
  if (number && shard_id != fmt::format("shardId-{:012}", number->shard.value))
    reader.Fail("'shardId' and 'sequenceNumber' disagree");
  if (!reader.ok()) return Error(reader.status());
  record.place.shard = number->shard;
  record.place.offset = number->offset;
  record.shard_created_ms = number->shard_created_s * 1000;
  record.raw = std::move(*raw);
  return record;
}

Result<ErrorRecordPlace> ParseErrorRecordLine(std::string_view line) {
  Result<ErrorRecord> record = ReadErrorRecordLine(line);
  return record ? Result<ErrorRecordPlace>(record->place) : Error(record.error());
}

}  // namespace sluice::delivery
