// PutMetricData: adds to the metrics that a scrape shows. Thread-safe.
#pragma once

#include "broker/api/aws/operation.h"
#include "broker/api/cloudwatch/metric_table.h"

namespace sluice::broker::cloudwatch {

/// `metrics` outlives it.
aws::Operation PutMetricData(MetricTable& metrics);

}  // namespace sluice::broker::cloudwatch
