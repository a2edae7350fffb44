// Delivery streams that send records to an HTTP endpoint, and endpoints that answer them.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/config_document.h"
#include "protocol/base64.h"
#include "tests/catch.h"
#include "tests/delivery/fake_endpoint.h"
#include "tests/delivery/sample_config.h"

namespace sluice::delivery {

inline DeliveryConfig EndpointDeliveryConfig(std::string url, std::uint64_t retry_s = 300) {
  DeliveryConfig config = RawConfig();
  config.endpoint = {.type = "HttpEndpoint", .url = std::move(url), .retry_s = retry_s};
  return config;
}

/// What a request of an HTTP endpoint holds.
struct EndpointRequestSeen {
  std::string id;
  std::string timestamp;
  std::vector<std::string> values;
};

inline EndpointRequestSeen ReadEndpointRequest(const std::string& body) {
  const auto tree = ParseJsonTree(body, "request");
  if (!tree) return {};
  EndpointRequestSeen seen{tree->Find("requestId")->value.text, tree->Find("timestamp")->value.text, {}};
  for (const ConfigNode& record : tree->Find("records")->value.items) {
    seen.values.push_back(protocol::DecodeBase64(record.Find("data")->value.text).value_or("not base64"));
  }
  return seen;
}

/// An answer as the contract has it.
inline FakeEndpoint::Answer EndpointAnswer(std::string_view id, int status = 200, std::string_view more = "") {
  return {.status = status,
          .body = fmt::format(R"({{"requestId":"{}","timestamp":1700000000000{}}})", id, more),
          .headers = {{"Content-Type", "application/json"}}};
}

/// Takes everything.
inline FakeEndpoint::Answer TakeAll(const FakeEndpoint::Request& request) {
  return EndpointAnswer(ReadEndpointRequest(request.body).id);
}

}  // namespace sluice::delivery
