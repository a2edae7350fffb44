// What a scrape shows of the consumer groups. Threads: the scraping one.
#pragma once

#include "broker/groups/group_service.h"
#include "broker/metrics.h"
#include "storage/env/env.h"

namespace sluice::broker::groups {

void CollectGroupMetrics(GroupService& groups, storage::Clock& clock, MetricSink& sink);

}  // namespace sluice::broker::groups
