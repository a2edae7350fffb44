// Reads DynamicPartitioningConfiguration. Used by destination_config.cc only.
#pragma once

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"

namespace sluice::delivery {

/// Behind Prefix and ProcessingConfiguration, which it must fit. Problems and warnings go to the map's report.
void ReadDynamicPartitioning(MapReader& map, DeliveryConfig& config);

}  // namespace sluice::delivery
