// CRC32C (Castagnoli), the checksum of record batches. Thread-safe; tens of GB/s.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::protocol {

/// The CRC32C of `bytes`; of `before` and `bytes` together where `previous` is the CRC32C of `before`.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace sluice::protocol
