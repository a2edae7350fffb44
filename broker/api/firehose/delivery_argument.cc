// Looking up by name.
#include "broker/api/firehose/delivery_argument.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/api/aws/arguments.h"
#include "broker/api/firehose/errors.h"

namespace sluice::broker::firehose {

std::string DeliveryArn(std::string_view name, const aws::Caller& caller) {
  return aws::Arn(caller, "firehose", fmt::format("deliverystream/{}", name));
}

ApiResult<DeliveryInfoPtr> FindDelivery(const Context& context, const aws::Call& call) {
  const std::string_view name = TextOf(call, "DeliveryStreamName");
  if (DeliveryInfoPtr info = context.parts.deliveries.Find(name)) return info;
  if (DeliveryInfoPtr deleting = context.lifecycle->FindDeleting(name)) return deleting;
  return std::unexpected(NotFound(name, call.caller()));
}

ApiResult<DeliveryInfoPtr> FindForPut(const Context& context, const aws::Call& call) {
  ApiResult<DeliveryInfoPtr> info = FindDelivery(context, call);
  if (!info || context.lifecycle->StateOf(**info) == DeliveryState::kActive) return info;
  return std::unexpected(NotFound((*info)->name, call.caller()));
}

ApiResult<DeliveryInfoPtr> FindForChange(const Context& context, const aws::Call& call) {
  ApiResult<DeliveryInfoPtr> info = FindDelivery(context, call);
  if (!info) return info;
  const DeliveryState state = context.lifecycle->StateOf(**info);
  if (state == DeliveryState::kActive) return info;
  return std::unexpected(NotActive(state, (*info)->name, call.caller()));
}

std::vector<DeliveryInfoPtr> AllDeliveries(const Context& context) {
  const auto name_of = [](const DeliveryInfoPtr& info) -> const std::string& { return info->name; };
  std::vector<DeliveryInfoPtr> all = context.parts.deliveries.All();
  for (DeliveryInfoPtr& deleting : context.lifecycle->Deleting()) {
    const auto place = std::ranges::lower_bound(all, deleting->name, {}, name_of);
    if (place == all.end() || (*place)->name != deleting->name) all.insert(place, std::move(deleting));
  }
  return all;
}

}  // namespace sluice::broker::firehose
