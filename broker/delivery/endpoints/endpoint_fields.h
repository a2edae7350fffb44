// Members that several kinds of endpoints have, under names of their own. Problems and warnings go to the map's report;
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/delivery/config_reader.h"
#include "broker/delivery/secret_provider.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

/// An address, which has to be there: https://.., or http://.. with a warning.
std::string ReadEndpointUrl(MapReader& map, std::string_view key);
/// What goes into a header as it is; empty where it is absent.
std::string ReadSecret(MapReader& map, std::string_view key);
/// RetryOptions.DurationInSeconds, `otherwise` where it is absent.
std::uint64_t ReadRetrySeconds(MapReader& map, std::uint64_t otherwise);
/// SecretsManagerConfiguration. Whether there is such a secret is not looked at.
SecretConfig ReadSecretsManager(MapReader& map);
/// Where it says anything.
void WriteSecretsManager(const SecretConfig& secret, protocol::JsonWriter& json);

}  // namespace sluice::delivery
