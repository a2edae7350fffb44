// Delivery: hands the call to the delivery stage.
#include "broker/api/native/handlers/messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

static_assert(static_cast<int>(DeliveryAction::kReplay) == ::sluice::native::DeliveryRequest::Action_MAX);

Result<std::string> HandleDelivery(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DeliveryRequest>(control);
  if (!request) return Error(request.error());
  if (context.delivery == nullptr) {
    return Error(Code::kUnimplemented, "this broker runs without delivery streams");
  }
  if (request->action() < 0 || request->action() > ::sluice::native::DeliveryRequest::Action_MAX) {
    return Error(Code::kUnimplemented, "this broker is older than the client: it does not know delivery action " +
                                           std::to_string(request->action()));
  }
  auto result = context.delivery->Handle(static_cast<DeliveryAction>(request->action()), request->name(),
                                         request->document(), request->document_name());
  if (!result) return Error(result.error());
  ::sluice::native::DeliveryResponse answer;
  answer.set_document(std::move(result->document));
  for (std::string& warning : result->warnings) answer.add_warnings(std::move(warning));
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
