// The configuration of a destination that is a service: what all kinds have, in Firehose's shape. Values only;
// thread-safe.
#pragma once

#include <string>

#include "broker/delivery/destination_config.h"
#include "broker/delivery/endpoints/endpoint_registry.h"

namespace sluice::delivery {

/// "HttpEndpointDestinationConfiguration".
std::string DestinationMember(const EndpointKind& kind);

/// Fills `config` from `map`; problems and warnings go to the map's report.
void ReadEndpointDestination(MapReader& map, const EndpointKind& kind, const SluiceExtras& extras,
                             DeliveryConfig& config);
/// The member, as the canonical form has it.
void WriteEndpointDestination(const DeliveryConfig& config, Secrets secrets, protocol::JsonWriter& json);

}  // namespace sluice::delivery
