// The delivery stage's part of a scrape; docs/metrics.md lists the names.
#pragma once

#include "broker/delivery/delivery_manager.h"
#include "broker/metrics.h"
#include "storage/env/env.h"

namespace sluice::delivery {

void CollectDeliveryMetrics(const DeliveryManager& manager, storage::Clock& clock, broker::MetricSink& sink);

}  // namespace sluice::delivery
