// Addresses and secrets.
#include "broker/delivery/endpoints/endpoint_fields.h"

#include <algorithm>

namespace sluice::delivery {
namespace {

constexpr std::int64_t kRetrySecondsMax = 7200;

}  // namespace

std::string ReadEndpointUrl(MapReader& map, std::string_view key) {
  std::string url = map.String(key).value_or("");
  const bool plain = url.starts_with("http://");
  if (url.empty()) {
    map.report().Problem(map.LineOf(key), map.PathOf(key), "is missing: it says where to send");
  } else if ((!plain && !url.starts_with("https://")) || url.find_first_of(" \t\r\n") != url.npos) {
    map.report().Problem(map.LineOf(key), map.PathOf(key), "must begin with https:// (or http://)");
  } else if (plain) {
    map.report().Warn(map.LineOf(key), map.PathOf(key),
                      "is http://: records and secrets go to the endpoint unencrypted; Firehose takes https:// only");
  }
  return url;
}

std::string ReadSecret(MapReader& map, std::string_view key) {
  std::string secret = map.String(key).value_or("");
  // What cannot stand in a header would be another header.
  if (std::ranges::any_of(secret, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    map.report().Problem(map.LineOf(key), map.PathOf(key), "has a line break or another control character");
  }
  return secret;
}

std::uint64_t ReadRetrySeconds(MapReader& map, std::uint64_t otherwise) {
  std::optional<MapReader> retries = map.Map("RetryOptions");
  if (!retries) return otherwise;
  const auto seconds = retries->Int("DurationInSeconds", 0, kRetrySecondsMax);
  retries->Finish();
  return seconds ? static_cast<std::uint64_t>(*seconds) : otherwise;
}

void ReadSecretsManager(MapReader& map) {
  std::optional<MapReader> manager = map.Map("SecretsManagerConfiguration");
  if (!manager) return;
  if (manager->Bool("Enabled").value_or(false)) {
    manager->report().NotServed(manager->line(), manager->path(),
                                "is not served: there is no Secrets Manager to ask; give the secret itself");
  }
  manager->Ignore({"SecretARN", "RoleARN"});
  manager->Finish();
}

}  // namespace sluice::delivery
