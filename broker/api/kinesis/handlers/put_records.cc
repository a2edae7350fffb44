// PutRecords: up to 500 records, each with a result of its own; answered when all of them are durable or refused.
//
// A record that breaks a rule of the API refuses the request. What the broker cannot take (no space, say) is told per
// record, also where that is all of them: clients try those again.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/put.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::size_t kRequestBytesMax = 10u << 20;  // keys and data of all records
constexpr std::size_t kProblemsMax = 10;

const Shape& Input() {
  static const Shape record = WithRecordMembers(Shape::Structure());
  static const Shape records = Shape::List(record).Length(1, 500);
  static const Shape shape =
      StreamInputShape().Member("Records", records, Required::kYes).Member("DryRun", BooleanShape());
  return shape;
}

protocol::aws::ApiError NullRecord(std::size_t place) {
  const std::string problem =
      fmt::format("Value null at 'records.{}.member' failed to satisfy constraint: Member must not be null", place);
  return protocol::aws::ValidationError({&problem, 1});
}

/// All records, after all checks.
ApiResult<std::vector<PutEntry>> CheckedEntries(const Context& context, const aws::Call& call,
                                                const StreamInfo& stream) {
  const std::size_t bytes_max = RecordBytesMax(context, stream);
  std::vector<PutEntry> entries;
  std::vector<std::string> problems;
  std::size_t bytes = 0;
  for (const auto [unnamed, record] : call.input().Find("Records")->children()) {
    if (record.kind() == protocol::aws::Kind::kNull) return std::unexpected(NullRecord(entries.size() + 1));
    ApiResult<PutEntry> entry = ReadEntry(context, stream, record);
    if (!entry) return std::unexpected(entry.error());
    bytes += entry->bytes;
    entries.push_back(*entry);
    const bool lacks_key = LacksKey(stream, *entry);
    if ((!lacks_key && entry->bytes <= bytes_max) || problems.size() == kProblemsMax) continue;
    const std::string place = fmt::format("records.{}.member.", entries.size());
    problems.push_back(lacks_key ? NullKey(place) : TooLarge(place, bytes_max));
  }
  if (!problems.empty()) return std::unexpected(protocol::aws::ValidationError(problems));
  if (bytes > kRequestBytesMax) return std::unexpected(InvalidArgument("Records size exceeds 10 MB limit"));
  if (auto dry = CheckDryRun(call, "PutRecords")) return std::unexpected(std::move(*dry));
  return entries;
}

void WriteError(protocol::aws::Writer& writer, std::string_view type, std::string_view message) {
  writer.Name("ErrorCode").Text(type);
  writer.Name("ErrorMessage").Text(message);
}

void WriteResult(const aws::Call& call, const StreamInfo& stream, const PutResult& result,
                 protocol::aws::Writer& writer) {
  const auto& [shard, appended, throttled] = result;
  writer.BeginMap();
  if (appended) {
    writer.Name("SequenceNumber").Text(RecordNumber(*shard, appended->base_offset, appended->append_time_ms));
    writer.Name("ShardId").Text(ShardName(shard->shard));
  } else if (throttled) {
    const protocol::aws::ApiError error = RateExceeded(shard->shard, stream.name, call.caller());
    WriteError(writer, error.type, error.message);
  } else {
    WriteError(writer, "InternalFailure", appended.error().message());
  }
  writer.EndMap();
}

void Answer(aws::Call& call, const StreamInfo& stream, const PutResults& results) {
  std::int64_t failed = 0;
  for (const PutResult& result : results) {
    if (!result.appended) ++failed;
    if (!result.appended && result.appended.error().code() == Code::kNotFound) {  // deleted a moment ago
      return call.Fail(StreamNotFound(stream.name, call.caller()));
    }
    if (!result.appended && result.appended.error().code() == Code::kFailedPrecondition) {
      return call.Fail(RecordsFailure(result.appended.error(), stream.name, call.caller()));
    }
  }
  constexpr std::size_t kResultBytes = 128;
  const auto writer = call.NewWriter();
  writer->Reserve(results.size() * kResultBytes);
  writer->BeginMap();
  writer->Name("FailedRecordCount").Integer(failed);
  writer->Name("Records").BeginList();
  for (const PutResult& result : results) WriteResult(call, stream, result, *writer);
  writer->EndList();
  if (stream.encryption.on) writer->Name("EncryptionType").Text("KMS");
  writer->EndMap();
  call.Answer(writer->Take());
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto stream = AccessStream(context, *call, "PutRecords");
  if (!stream) return call->Fail(std::move(stream.error()));
  auto entries = CheckedEntries(context, *call, **stream);
  if (!entries) return call->Fail(std::move(entries.error()));
  Put(context, call, *stream, std::move(*entries),
      [call, stream = *stream](const PutResults& results) { Answer(*call, *stream, results); });
}

}  // namespace

aws::Operation PutRecords(const Context& context) {
  return {"PutRecords", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
