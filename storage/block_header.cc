// The common header of our files: magic, version, flags in front, checksum at the end.
#include "storage/block_header.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::storage {
namespace {

using protocol::LoadLittleEndian;
using protocol::StoreLittleEndian;

std::uint64_t Checksum(const char* header, std::string_view body) {
  return XXH3_64bits_withSeed(body.data(), body.size(), XXH3_64bits(header, kBlockChecksumAt));
}

}  // namespace

void BeginBlockHeader(std::span<char> header, std::uint32_t magic, std::uint8_t version, std::uint8_t flags) {
  SLUICE_CHECK(header.size() == kBlockHeaderBytes);
  std::ranges::fill(header, '\0');
  StoreLittleEndian<std::uint32_t>(header.data(), magic);
  header[kBlockVersionAt] = static_cast<char>(version);
  header[kBlockFlagsAt] = static_cast<char>(flags);
}

void SealBlockHeader(std::span<char> header, std::string_view body) {
  SLUICE_CHECK(header.size() == kBlockHeaderBytes);
  StoreLittleEndian<std::uint64_t>(header.data() + kBlockChecksumAt, Checksum(header.data(), body));
}

Status CheckBlockMagic(std::string_view header, std::uint32_t magic, std::uint8_t version, std::string_view what) {
  if (header.size() < kBlockHeaderBytes) return Status(Code::kCorruption, fmt::format("{}: cut short", what));
  if (const auto found = LoadLittleEndian<std::uint32_t>(header.data()); found != magic) {
    return Status(Code::kCorruption, fmt::format("{}: magic is {:#010x} instead of {:#010x}", what, found, magic));
  }
  const auto found = static_cast<std::uint8_t>(header[kBlockVersionAt]);
  if (found == 0) return Status(Code::kCorruption, fmt::format("{}: version is 0", what));
  if (found > version) {
    return Status(Code::kUnimplemented, fmt::format("{} has version {}, the newest this program reads is {}; use the "
                                                    "version of Sluice that wrote it",
                                                    what, found, version));
  }
  return {};
}

Status CheckBlockChecksum(std::string_view header, std::string_view body, std::string_view what) {
  SLUICE_CHECK(header.size() >= kBlockHeaderBytes);
  const auto stored = LoadLittleEndian<std::uint64_t>(header.data() + kBlockChecksumAt);
  const std::uint64_t found = Checksum(header.data(), body);
  if (found == stored) return {};
  return Status(Code::kCorruption, fmt::format("{}: checksum is {:016x}, its bytes give {:016x}", what, stored, found));
}

}  // namespace sluice::storage
