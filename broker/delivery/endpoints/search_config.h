// What is configured of OpenSearch and Elasticsearch. Used by search_endpoint.cc only.
#pragma once

#include "broker/delivery/endpoints/endpoint_registry.h"

namespace sluice::delivery {

void ReadSearchConfig(MapReader& map, EndpointConfig& config);
void WriteSearchConfig(const EndpointConfig& config, Secrets secrets, protocol::JsonWriter& json);

/// Empty, or what is wrong with the name of an index.
std::string IndexProblem(std::string_view name);

}  // namespace sluice::delivery
