// DescribeAccountSettings: what UpdateAccountSettings has set.
#include "broker/api/kinesis/account_settings.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = protocol::aws::Shape::Structure();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto commitment = LoadCommitment(context.parts.metadata, call.caller().account);
  if (!commitment) return std::unexpected(InternalFailure(commitment.error()));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  WriteCommitment(*writer, *commitment, context.parts.clock.WallMs());
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation DescribeAccountSettings(const Context& context) {
  return {"DescribeAccountSettings", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
