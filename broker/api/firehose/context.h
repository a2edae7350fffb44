// What the Firehose operations work with. All of it outlives the service and may be used from any thread.
#pragma once

#include <memory>

#include "broker/api/aws/answering.h"
#include "broker/api/firehose/delivery_lifecycle.h"
#include "broker/api/firehose/firehose_service.h"

namespace sluice::broker::firehose {

using aws::ApiResult;

struct Context {
  FirehoseParts parts;
  std::shared_ptr<DeliveryLifecycle> lifecycle = std::make_shared<DeliveryLifecycle>(parts.options, parts.clock);
};

}  // namespace sluice::broker::firehose
