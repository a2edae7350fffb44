// Where secrets of destinations live, which a configuration names by an ARN (SecretsManagerConfiguration). Today there
// is one provider, a folder of files; a client of AWS Secrets Manager would be another.
//
//     delivery.secrets_dir/orders/key-a1b2c3.json     of arn:aws:secretsmanager:..:..:secret:orders/key-a1b2c3
//     delivery.secrets_dir/orders/key.json            where that is not there: six characters behind a '-' are AWS's
//     own
//
// Nobody keeps a secret: it is read when a request needs it, so one that is rotated counts from the next request on,
// and it is in no configuration that is stored or told.
//
// Threads: any; calls may block. A crash leaves nothing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::delivery {

/// SecretsManagerConfiguration.
struct SecretConfig {
  bool enabled = false;       // the secret counts, and not what stands in the destination
  std::string arn = {};       // or the secret's name
  std::string role_arn = {};  // kept as it is; nothing here needs it
  friend bool operator==(const SecretConfig&, const SecretConfig&) = default;
};

/// A secret as it is now.
struct SecretText {
  std::string text;
  std::string place;  // where it was read, for messages
};

class SecretProvider {
 public:
  virtual ~SecretProvider() = default;
  /// `arn`: as IsSecretArn takes it. kNotFound: there is none; kFailedPrecondition: others may read it, too;
  /// kUnavailable and other codes: not now. Messages say where it was looked for and what to do, and nothing of the
  /// secret.
  virtual Result<SecretText> Read(std::string_view arn) const = 0;
};

/// Files of this folder, which are refused where others than their owner and group may read them, as the key file is
/// (broker/encryption/private_file.h). `env` outlives it.
std::unique_ptr<SecretProvider> NewSecretFiles(storage::Env& env, std::string dir);

/// "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME", or NAME: letters, digits and -/_+=.@! .
bool IsSecretArn(std::string_view text);

/// The texts of these members of a secret, which is a JSON object, in their order. `provider` may be nullptr: there is
/// none, and the message names the setting. Errors as Read, and kInvalidArgument: it lacks one of them. They tell the
/// ARN, and nothing of the secret.
Result<std::vector<std::string>> ReadSecretMembers(const SecretProvider* provider, std::string_view arn,
                                                   std::span<const std::string_view> members);

/// What cannot stand in a header, as it would be another header: a line break or another control character.
bool HasControlCharacter(std::string_view text);

/// `message`, which somebody else has made, with *** in place of `secret`; as it is where that is empty.
std::string WithoutSecret(std::string message, std::string_view secret);

}  // namespace sluice::delivery
