// DescribeStream: a stream's settings, and where its shards stand.
#include "broker/api/native/handlers/messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleDescribeStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DescribeStreamRequest>(control);
  if (!request) return Error(request.error());
  const auto stream = context.catalog.Find(request->name());
  if (!stream) return Error(stream.error());
  ::sluice::native::StreamInfo answer;
  ToMessage(context, **stream, answer);
  if (request->closed_shards()) AddClosedShards(context, **stream, answer);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
