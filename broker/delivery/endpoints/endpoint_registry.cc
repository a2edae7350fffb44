// One line per kind.
#include "broker/delivery/endpoints/endpoint_registry.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "broker/delivery/endpoints/http_endpoint.h"
#include "broker/delivery/endpoints/search_endpoint.h"
#include "broker/delivery/endpoints/splunk_endpoint.h"

namespace sluice::delivery {

std::span<const EndpointKind> EndpointKinds() {
  static const std::array kKinds = {HttpEndpointKind(), SplunkKind(), OpenSearchKind(), ElasticsearchKind()};
  return kKinds;
}

const EndpointKind* FindEndpointKind(std::string_view type) {
  const auto found = std::ranges::find(EndpointKinds(), type, &EndpointKind::type);
  return found == EndpointKinds().end() ? nullptr : std::to_address(found);
}

Status CheckEndpoint(const EndpointConfig& config, const ProcessorSettings& settings) {
  const EndpointKind* const kind = FindEndpointKind(config.type);
  return kind == nullptr || kind->check == nullptr ? Status() : kind->check(config, settings);
}

Result<std::string> AccessKeyOf(const EndpointConfig& config, const ProcessorSettings& settings) {
  if (!config.secret.enabled) return config.access_key;
  const std::array members = {FindEndpointKind(config.type)->secret_member};
  Result<std::vector<std::string>> texts = ReadSecretMembers(settings.secrets, config.secret.arn, members);
  return texts ? Result<std::string>(std::move(texts->front())) : Error(texts.error());
}

bool JoinsRecords(const DeliveryConfig& config) {
  return !config.endpoint.exists() || FindEndpointKind(config.endpoint.type)->joins_records;
}

}  // namespace sluice::delivery
