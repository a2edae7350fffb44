// PutMetricData of Amazon CloudWatch, so that the metrics of consumers and producers (KCL, KPL) stand beside the
// broker's own.
//
// Threads: made by one; the operation runs on the connection's loop.
#pragma once

#include "broker/api/aws/operation.h"
#include "broker/api/cloudwatch/metric_table.h"

namespace sluice::broker::cloudwatch {

/// `metrics` outlives the service.
aws::Service CloudwatchService(MetricTable& metrics);

}  // namespace sluice::broker::cloudwatch
