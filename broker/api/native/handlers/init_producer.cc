// InitProducer: an id for an idempotent producer; a name gets its id again with a higher epoch.
#include "broker/api/native/handlers/messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleInitProducer(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::InitProducerRequest>(control);
  if (!request) return Error(request.error());
  const auto grant = context.catalog.InitProducer(request->name());
  if (!grant) return Error(grant.error());
  ::sluice::native::InitProducerResponse answer;
  answer.set_producer_id(grant->id.value);
  answer.set_epoch(grant->epoch);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
