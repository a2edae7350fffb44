// Reads ProcessingConfiguration: the processors of a destination. Used by destination_config.cc only.
#pragma once

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/destination_config.h"

namespace sluice::delivery {

/// Fills `config` from the destination's `map`; problems and warnings go to the map's report.
void ReadProcessing(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config);

}  // namespace sluice::delivery
