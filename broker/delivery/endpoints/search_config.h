// What is configured of OpenSearch and Elasticsearch. Used by search_endpoint.cc only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "broker/delivery/endpoints/endpoint_registry.h"
#include "broker/delivery/http_client.h"

namespace sluice::delivery {

void ReadSearchConfig(MapReader& map, EndpointConfig& config);
void WriteSearchConfig(const EndpointConfig& config, Secrets secrets, protocol::JsonWriter& json);

/// ClusterEndpoint, or what the setting delivery.domains has for DomainARN or else for the domain's name.
/// kInvalidArgument: it has nothing.
Result<std::string> ClusterUrl(const EndpointConfig& config, const std::map<std::string, std::string>& domains);

/// Who signs requests to the cluster: nobody where the setting delivery.signing_secret is empty, or a name stands in
/// the cluster's URL. Errors as ClusterUrl and ReadSecretMembers.
Result<std::optional<AwsSigner>> ClusterSigner(const EndpointConfig& config, const ProcessorSettings& settings);

/// Empty, or what is wrong with the name of an index.
std::string IndexProblem(std::string_view name);

}  // namespace sluice::delivery
