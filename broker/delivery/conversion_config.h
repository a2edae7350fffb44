// Reads what the objects of an S3 destination are: their compression, and DataFormatConversionConfiguration with its
// serializer, deserializer and schema. Used by the readers of destinations only.
#pragma once

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/destination_config.h"

namespace sluice::delivery {

/// Fills `config` from the destination's `map`, of which only an extended one has a conversion; problems and warnings
/// go to the map's report.
void ReadConversion(MapReader& map, bool extended, const SluiceExtras& extras, DeliveryConfig& config);

/// CompressionFormat of a destination whose objects are records as they are.
void ReadRawCompression(MapReader& map, RawCompression& compression);

}  // namespace sluice::delivery
