// Reads the S3 destination of a delivery stream's configuration (Firehose's ExtendedS3DestinationConfiguration or
// S3DestinationConfiguration). Used by delivery_config.cc only.
#pragma once

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"

namespace sluice::delivery {

/// What stands under "Sluice" about the schema and the files; read before the destination, which depends on it.
struct SluiceExtras {
  GlueTables tables = GlueTables::kNotAsked;
  bool has_schema = false;        // Columns or TableFile of its own, not those of a Glue table
  bool infer_schema = false;      // asked for
  bool infer_schema_off = false;  // InferSchema: false
  bool has_delimiter = false;
};

/// Fills `config` from `map`; problems and warnings go to the map's report.
void ReadS3Destination(MapReader& map, bool extended, const SluiceExtras& extras, DeliveryConfig& config);
/// What the bucket beside another destination holds: its error objects, or a backup of all records, too.
enum class ErrorBucket : bool { kErrorsOnly, kAllRecords };

/// The S3Configuration of another destination.
void ReadErrorBucket(MapReader& map, ErrorBucket holds, DeliveryConfig& config);

}  // namespace sluice::delivery
