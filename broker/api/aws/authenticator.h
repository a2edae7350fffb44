// Whose request it is: Signature Version 4 against the configured access keys. docs/aws.md says what is accepted.
//
// Threads: one loop's own, so that the cache of signing keys needs no lock.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/api/aws/http_message.h"
#include "broker/api/aws/operation.h"
#include "protocol/aws/error.h"
#include "protocol/aws/sigv4.h"

namespace sluice::broker::aws {

struct AuthOptions {
  std::map<std::string, std::string> access_keys{};  // access key id -> secret access key
  std::map<std::string, std::string> accounts{};     // access key id -> account, where it is not `account`
  std::string account = "000000000000";
  std::string region = "us-east-1";   // of requests without a credential scope
  bool accept_any_signature = false;  // any key, or none
};

class Authenticator {
 public:
  /// `options` outlives it.
  explicit Authenticator(const AuthOptions& options) : options_(options) {}

  std::expected<Caller, protocol::aws::ApiError> Check(const HttpRequest& request, std::string_view signing_name,
                                                       std::int64_t now_s);

 private:
  Caller CallerOf(const protocol::aws::SignatureClaim& claim) const;
  const protocol::aws::SigningKey& KeyFor(const protocol::aws::SignatureClaim& claim, std::string_view secret);

  const AuthOptions& options_;
  std::unordered_map<std::string, protocol::aws::SigningKey> keys_;  // by access key and scope
};

}  // namespace sluice::broker::aws
