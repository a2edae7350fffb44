// Delivery streams that tests begin with: one that delivers records as they are, others that convert them.
#pragma once

#include "broker/delivery/delivery_config.h"

namespace sluice::delivery {

inline DeliveryConfig RawConfig() {
  DeliveryConfig config;
  config.name = "orders-lake";
  config.direct_put = false;
  config.source_stream = "orders";
  config.bucket = "lake";
  config.prefix = "orders/";
  config.error_prefix = "errors/!{firehose:error-output-type}/";
  config.size_mb = 1;
  config.interval_s = 60;
  return config;
}

inline DeliveryConfig PartitionedByIdConfig() {
  DeliveryConfig config = RawConfig();
  config.prefix = "id=!{partitionKeyFromQuery:id}/";
  config.processors = {
      {"MetadataExtraction", {{"MetadataExtractionQuery", "{id: .id}"}, {"JsonParsingEngine", "JQ-1.6"}}}};
  config.dynamic_partitioning = true;
  return config;
}

inline DeliveryConfig ParquetConfig() {
  DeliveryConfig config = RawConfig();
  config.convert = true;
  config.columns = {{"id", "bigint"}, {"text", "string"}};
  return config;
}

inline DeliveryConfig OrcConfig() {
  DeliveryConfig config = ParquetConfig();
  config.format = ConvertedFormat::kOrc;
  return config;
}

}  // namespace sluice::delivery
