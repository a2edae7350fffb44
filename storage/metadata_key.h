// What both metadata stores say about a key. Values only; safe everywhere.
#pragma once

#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::storage {

/// A key in quotes, with bytes that cannot be printed as \xNN.
std::string PrintableKey(std::string_view key);

/// kFenced: somebody else changed `key` since the caller read it.
Status ConditionRefused(std::string_view key);

/// The first key after all keys that start with `prefix`; empty where there is none.
std::string EndOfPrefix(std::string_view prefix);

}  // namespace sluice::storage
