// PutRecordBatch: up to 500 records, each with a result of its own; answered when all of them are durable or refused.
//
// A record that breaks a rule of the API refuses the request. What the broker cannot take (no space, say) is told per
// record, also where that is all of them: clients try those again.
#include <fmt/format.h>

#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/put.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {

using protocol::aws::Value;

namespace {

constexpr std::size_t kRequestBytesMax = 4u << 20;  // of all records

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape records = protocol::aws::Shape::List(RecordShape()).Length(1, 500);
  static const protocol::aws::Shape shape = NamedInputShape().Member("Records", records, protocol::aws::Required::kYes);
  return shape;
}

ApiResult<std::vector<aws::PutEntry>> CheckedEntries(const Context& context, const aws::Call& call) {
  std::vector<Value> records;
  for (const auto [unnamed, record] : call.input().Find("Records")->children()) {
    records.push_back(record);
    if (record.kind() != protocol::aws::Kind::kNull) continue;
    const std::string problem = fmt::format(
        "Value null at 'records.{}.member' failed to satisfy constraint: Member must not be null", records.size());
    return std::unexpected(protocol::aws::ValidationError({&problem, 1}));
  }
  auto entries = ReadEntries(context, records, "records.");
  if (!entries) return entries;
  std::size_t bytes = 0;
  for (const aws::PutEntry& entry : *entries) bytes += entry.bytes;
  if (bytes > kRequestBytesMax) return std::unexpected(InvalidArgument("Records size exceeds 4 MB limit"));
  return entries;
}

void WriteResult(const aws::PutResult& result, const DeliveryInfo& info, const aws::Caller& caller,
                 protocol::aws::Writer& writer) {
  writer.BeginMap();
  if (result.appended) {
    writer.Name("RecordId").Text(RecordId(result, info.source));
  } else {
    const protocol::aws::ApiError error = PutError(result.appended.error(), info.name, caller);
    writer.Name("ErrorCode").Text(error.type);
    writer.Name("ErrorMessage").Text(error.message);
  }
  writer.EndMap();
}

void Answer(aws::Call& call, const DeliveryInfo& info, const aws::PutResults& results, bool encrypted) {
  std::int64_t failed = 0;
  for (const aws::PutResult& result : results) {
    if (!result.appended) ++failed;
    if (!result.appended && result.appended.error().code() == Code::kNotFound) {  // deleted a moment ago
      return call.Fail(NotFound(info.name, call.caller()));
    }
  }
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("FailedPutCount").Integer(failed);
  writer->Name("Encrypted").Boolean(encrypted);
  writer->Name("RequestResponses").BeginList();
  for (const aws::PutResult& result : results) WriteResult(result, info, call.caller(), *writer);
  writer->EndList();
  writer->EndMap();
  call.Answer(writer->Take());
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto info = FindDirectPut(context, *call);
  if (!info) return call->Fail(std::move(info.error()));
  auto entries = CheckedEntries(context, *call);
  if (!entries) return call->Fail(std::move(entries.error()));
  Put(context, call, **info, PutMetrics::Operation::kPutRecordBatch, std::move(*entries),
      [call, info = *info](const auto& results, bool encrypted) { Answer(*call, *info, results, encrypted); });
}

}  // namespace

aws::Operation PutRecordBatch(const Context& context) {
  return {"PutRecordBatch", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::firehose
