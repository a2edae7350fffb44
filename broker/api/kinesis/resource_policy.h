// Resource policies: IAM's JSON, as far as the accounts and access keys of this broker can be its principals.
//
// Each statement has Effect, Principal, Action and Resource. Principals are "*", an account ("123456789012" or
// "arn:aws:iam::123456789012:root") and an access key, as a user of its account
// ("arn:aws:iam::123456789012:user/AKIAEXAMPLE"); others are kept and match nobody. Actions may have * and ?. What
// could not be enforced (Condition, NotPrincipal, ..) is refused when the policy is put. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"

namespace sluice::broker::kinesis {

inline constexpr std::size_t kPolicyBytesMax = 20u << 10;

/// The policy without white space, as it is kept. `resource`: the ARN that it is put to, which its Resources must name.
ApiResult<std::string> CheckedPolicy(std::string_view json, std::string_view resource);

/// The policy of a stream, or of its consumer of this name, for a change; null where the consumer has gone.
std::string* PolicyIn(StreamInfo& stream, const std::string& consumer);

enum class Verdict : std::uint8_t { kSilent, kAllow, kDeny };  // the later ones count more
/// What a checked policy says of a caller and an operation; a statement that denies counts more than any that allows.
Verdict JudgePolicy(std::string_view policy, const aws::Caller& caller, std::string_view operation);

}  // namespace sluice::broker::kinesis
