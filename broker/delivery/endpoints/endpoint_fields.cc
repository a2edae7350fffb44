// Addresses and secrets.
#include "broker/delivery/endpoints/endpoint_fields.h"

#include <fmt/format.h>

#include "broker/delivery/http_client.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kRetrySecondsMax = 7200;

}  // namespace

std::string ReadEndpointUrl(MapReader& map, std::string_view key) {
  std::string url = map.String(key).value_or("");
  if (url.empty()) {
    map.report().Problem(map.LineOf(key), map.PathOf(key), "is missing: it says where to send");
  } else if (!IsHttpUrl(url)) {
    map.report().Problem(map.LineOf(key), map.PathOf(key), "must begin with https:// (or http://)");
  } else if (url.starts_with("http://")) {
    map.report().Warn(map.LineOf(key), map.PathOf(key),
                      "is http://: records and secrets go to the endpoint unencrypted; Firehose takes https:// only");
  }
  return url;
}

std::string ReadSecret(MapReader& map, std::string_view key) {
  std::string secret = map.String(key).value_or("");
  if (HasControlCharacter(secret)) {
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

SecretConfig ReadSecretsManager(MapReader& map) {
  SecretConfig secret;
  std::optional<MapReader> manager = map.Map("SecretsManagerConfiguration");
  if (!manager) return secret;
  const std::optional<bool> enabled = manager->Bool("Enabled");
  secret.arn = manager->String("SecretARN").value_or("");
  secret.role_arn = manager->String("RoleARN").value_or("");
  secret.enabled = enabled.value_or(!secret.arn.empty());
  if (!enabled && secret.enabled)
    manager->report().Warn(manager->line(), manager->PathOf("Enabled"), "is missing; taken as true");
  if (secret.arn.empty()) {
    if (secret.enabled)
      manager->report().Problem(manager->line(), manager->PathOf("SecretARN"), "is missing: it names the secret");
  } else if (!IsSecretArn(secret.arn)) {
    manager->report().Problem(
        manager->LineOf("SecretARN"), manager->PathOf("SecretARN"),
        fmt::format("'{}' is neither arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME nor a secret's name",
                    secret.arn));
  }
  manager->Finish();
  return secret;
}

void WriteSecretsManager(const SecretConfig& secret, protocol::JsonWriter& json) {
  if (secret == SecretConfig()) return;
  json.Key("SecretsManagerConfiguration").BeginObject().Key("Enabled").Bool(secret.enabled);
  if (!secret.arn.empty()) json.Key("SecretARN").String(secret.arn);
  if (!secret.role_arn.empty()) json.Key("RoleARN").String(secret.role_arn);
  json.EndObject();
}

}  // namespace sluice::delivery
