// What the headers of all our files share: 64 bytes that begin with a magic number and a version and end with an
// XXH3-64 checksum, which covers the 56 bytes before it and whatever body belongs to the header. storage/FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::storage {

inline constexpr std::size_t kBlockHeaderBytes = 64;
inline constexpr std::size_t kBlockVersionAt = 4;
inline constexpr std::size_t kBlockFlagsAt = 5;
inline constexpr std::size_t kBlockChecksumAt = 56;

/// Zeroes the header and writes magic, version and flags.
void BeginBlockHeader(std::span<char> header, std::uint32_t magic, std::uint8_t version, std::uint8_t flags = 0);
/// Writes the checksum over header and body.
void SealBlockHeader(std::span<char> header, std::string_view body);

/// Checks size, magic, version and, with `body`, the checksum. `what` names the thing in messages.
Status CheckBlockMagic(std::string_view header, std::uint32_t magic, std::uint8_t version, std::string_view what);
Status CheckBlockChecksum(std::string_view header, std::string_view body, std::string_view what);

}  // namespace sluice::storage
