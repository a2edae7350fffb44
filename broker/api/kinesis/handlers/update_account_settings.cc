// UpdateAccountSettings: begins or ends an account's commitment to a minimum throughput.
#include "broker/api/kinesis/account_settings.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape status = Shape::Text().OneOf({"ENABLED", "DISABLED"});
  static const Shape commitment = Shape::Structure().Member("Status", status, Required::kYes);
  static const Shape shape =
      Shape::Structure().Member("MinimumThroughputBillingCommitment", commitment, Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const std::string& account = call.caller().account;
  const auto before = LoadCommitment(context.parts.metadata, account);
  if (!before) return std::unexpected(InternalFailure(before.error()));
  const auto asked = call.input().Find("MinimumThroughputBillingCommitment")->Find("Status");
  const std::int64_t now_ms = context.parts.clock.WallMs();
  const BillingCommitment after = before->Asked(asked->text() == "ENABLED", now_ms);
  if (Status status = StoreCommitment(context.parts.metadata, account, *before, after); !status.ok()) {
    return std::unexpected(InternalFailure(status));
  }
  const auto writer = call.NewWriter();
  writer->BeginMap();
  WriteCommitment(*writer, after, now_ms);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation UpdateAccountSettings(const Context& context) {
  return {"UpdateAccountSettings", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
