// The configuration of a Redshift destination, in Firehose's shape. Values only; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/delivery/destination_config.h"

namespace sluice::delivery {

inline constexpr std::string_view kRedshiftMember = "RedshiftDestinationConfiguration";

/// Fills `config` from `map`; problems and warnings go to the map's report.
void ReadRedshiftDestination(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config);
/// Sluice.LoadsTable, once the destination is known.
void ReadLoadsTable(MapReader& sluice, DeliveryConfig& config);
/// The destination's member, as the canonical form has it.
void WriteRedshiftDestination(const DeliveryConfig& config, Secrets secrets, protocol::JsonWriter& json);

/// Empty, or what is wrong with what CopyCommand says: the member's name and why.
std::string CopyCommandProblem(const RedshiftConfig& config);

}  // namespace sluice::delivery
