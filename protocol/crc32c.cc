// CRC32C through ISA-L, whose function neither inverts its start value nor its result: both are done here.
#include "protocol/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>

namespace sluice::protocol {

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t previous) {
  // ISA-L counts in int: larger inputs go in pieces.
  constexpr std::size_t kPieceBytes = 1u << 30;
  std::uint32_t state = ~previous;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));  // read only, by its documentation
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes.remove_prefix(piece.size());
  }
  return ~state;
}

}  // namespace sluice::protocol
