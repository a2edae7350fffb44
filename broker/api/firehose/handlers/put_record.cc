// PutRecord: one record, answered when it is durable.
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/put.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape =
      NamedInputShape().Member("Record", RecordShape(), protocol::aws::Required::kYes);
  return shape;
}

std::string Answer(const aws::Call& call, const aws::PutResult& result, StreamId stream, bool encrypted) {
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("RecordId").Text(RecordId(result, stream));
  writer->Name("Encrypted").Boolean(encrypted);
  writer->EndMap();
  return writer->Take();
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto info = FindDirectPut(context, *call);
  if (!info) return call->Fail(std::move(info.error()));
  auto entries = ReadEntries(context, {*call->input().Find("Record")}, "record.");
  if (!entries) return call->Fail(std::move(entries.error()));
  Put(context, call, **info, PutMetrics::Operation::kPutRecord, std::move(*entries),
      [call, info = *info](const aws::PutResults& results, bool encrypted) {
        const aws::PutResult& result = results.front();
        if (result.appended) return call->Answer(Answer(*call, result, info->source, encrypted));
        call->Fail(PutError(result.appended.error(), info->name, call->caller()));
      });
}

}  // namespace

aws::Operation PutRecord(const Context& context) {
  return {"PutRecord", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::firehose
