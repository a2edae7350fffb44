// PutRecord: one record, answered when it is durable.
#include "broker/api/firehose/delivery_encryption.h"
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

std::string Answer(const Context& context, const aws::Call& call, const DeliveryInfo& info,
                   const aws::PutResult& result) {
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("RecordId").Text(RecordId(result, info.source));
  writer->Name("Encrypted").Boolean(IsEncrypted(context, info));
  writer->EndMap();
  return writer->Take();
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto info = FindDirectPut(context, *call);
  if (!info) return call->Fail(std::move(info.error()));
  auto entries = ReadEntries(context, {*call->input().Find("Record")}, "record.");
  if (!entries) return call->Fail(std::move(entries.error()));
  Put(context, call, **info, std::move(*entries), [&context, call, info = *info](const aws::PutResults& results) {
    const aws::PutResult& result = results.front();
    if (result.appended) return call->Answer(Answer(context, *call, *info, result));
    call->Fail(PutError(result.appended.error(), info->name, call->caller()));
  });
}

}  // namespace

aws::Operation PutRecord(const Context& context) {
  return {"PutRecord", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::firehose
