// Reading of the secret.
#include "broker/delivery/aws_keys.h"

#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::delivery {

Result<std::optional<AwsSigner>> ConfiguredSigner(const ProcessorSettings& settings, std::string region,
                                                  std::string service) {
  // As `aws configure export-credentials` names them.
  constexpr std::array<std::string_view, 3> kMembers = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
  if (settings.signing_secret.empty()) return std::nullopt;
  const std::span members(kMembers);
  Result<std::vector<std::string>> keys = ReadSecretMembers(settings.secrets, settings.signing_secret, members);
  if (!keys) keys = ReadSecretMembers(settings.secrets, settings.signing_secret, members.first(2));
  if (!keys) return Error(keys.error().WithContext("delivery.signing_secret"));
  keys->resize(kMembers.size());
  return AwsSigner{.region = std::move(region),
                   .service = std::move(service),
                   .access_key_id = std::move((*keys)[0]),
                   .secret_access_key = std::move((*keys)[1]),
                   .session_token = std::move((*keys)[2])};
}

}  // namespace sluice::delivery
