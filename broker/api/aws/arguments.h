// What operations take out of their calls, and ARNs for their answers. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/aws/operation.h"

namespace sluice::broker::aws {

/// A text member of the call's input; empty where it is absent.
std::string_view TextOf(const Call& call, std::string_view member);
/// A boolean member of the call's input; false where it is absent.
bool BooleanOf(const Call& call, std::string_view member);
/// An integer member of the call's input.
std::optional<std::int64_t> IntegerOf(const Call& call, std::string_view member);

/// "arn:aws:kinesis:us-east-1:123456789012:stream/orders", of the caller's account and region.
std::string Arn(const Caller& caller, std::string_view service, std::string_view resource);

}  // namespace sluice::broker::aws
