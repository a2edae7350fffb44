// Which delivery stream a call is about. The broker has one set of them: each is there under every account and in every
// region, and its ARN carries the caller's. Thread-safe; does not block.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/firehose/context.h"

namespace sluice::broker::firehose {

/// "arn:aws:firehose:us-east-1:123456789012:deliverystream/orders".
std::string DeliveryArn(std::string_view name, const aws::Caller& caller);

/// The one of a call's DeliveryStreamName, in any state.
ApiResult<DeliveryInfoPtr> FindDelivery(const Context& context, const aws::Call& call);
/// The same, for puts: one that is not ACTIVE is not there.
ApiResult<DeliveryInfoPtr> FindForPut(const Context& context, const aws::Call& call);
/// The same, for changes: one that is not ACTIVE is in use.
ApiResult<DeliveryInfoPtr> FindForChange(const Context& context, const aws::Call& call);

/// With those that are DELETING, by name.
std::vector<DeliveryInfoPtr> AllDeliveries(const Context& context);

}  // namespace sluice::broker::firehose
