// Reads ProcessingConfiguration: the processors of a destination. Used by what reads destinations only.
#pragma once

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/destination_config.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

/// Fills `config` from the destination's `map`; problems and warnings go to the map's report.
void ReadProcessing(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config);
/// The member ProcessingConfiguration of the canonical form, where there is something in it (delivery_config_json.cc).
void WriteProcessing(const DeliveryConfig& config, protocol::JsonWriter& json);

}  // namespace sluice::delivery
