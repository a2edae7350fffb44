// The seal of what clients carry about for us: shard iterators and NextTokens. HMAC-SHA-256 under a key of the data
// directory: a client can read what it was given, but nobody can make or change one.
//
// Not encrypted: there is nothing in it that its owner may not know, and an HMAC has no nonce that could be used twice,
// however many iterators one key seals. Values only. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::broker::kinesis {

using TokenKey = std::array<unsigned char, 32>;
inline constexpr std::size_t kSealBytes = 32;

/// `bytes` and their seal as base64 text.
std::string Seal(std::string bytes, const TokenKey& key);
/// What was sealed; nullopt for anything that Seal did not make with this key.
std::optional<std::string> Unseal(std::string_view text, const TokenKey& key);

}  // namespace sluice::broker::kinesis
