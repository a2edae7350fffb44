// What a scrape asks the log store and the catalog for. Threads: any.
#pragma once

#include "broker/metrics.h"
#include "broker/stream_catalog.h"
#include "storage/log_store.h"

namespace sluice::broker {

void CollectStoreMetrics(storage::LogStore& store, const StreamCatalog& catalog, MetricSink& sink);

}  // namespace sluice::broker
