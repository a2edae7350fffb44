// Reads and writes what a delivery stream's configuration says of the backup of its source records: Firehose's
// S3BackupMode and the plain S3 destination beside it. Used by the readers of destinations only.
#pragma once

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

/// S3BackupMode, Enabled or Disabled, and S3BackupConfiguration, of an extended S3 destination whose own place is in
/// `config` already.
void ReadBackup(MapReader& map, DeliveryConfig& config);

/// A plain S3 destination, for objects of records as they are.
BackupConfig ReadBackupDestination(MapReader map);

/// The backup of all records in the bucket of what an endpoint does not take, whose place is in `config` already.
void ReadBackupBesideErrors(MapReader& map, DeliveryConfig& config);

/// The same in its canonical form, as a map under `key`.
void WriteBackupDestination(std::string_view key, const BackupConfig& backup, protocol::JsonWriter& json);

}  // namespace sluice::delivery
