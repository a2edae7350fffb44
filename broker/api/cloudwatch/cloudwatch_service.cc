// One operation, in three ways of writing.
#include "broker/api/cloudwatch/cloudwatch_service.h"

#include "broker/api/cloudwatch/put_metric_data.h"

namespace sluice::broker::cloudwatch {

aws::Service CloudwatchService(MetricTable& metrics) {
  return {.target_prefix = "GraniteServiceVersion20100801",
          .signing_name = "monitoring",
          .operations = {PutMetricData(metrics)},
          .wires = {aws::Wire::kRpcCbor, aws::Wire::kJson10, aws::Wire::kQuery},
          .query = {.version = "2010-08-01", .xml_namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"},
          .takes_gzip = true};
}

}  // namespace sluice::broker::cloudwatch
