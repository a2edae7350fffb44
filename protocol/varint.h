// Variable-length integers as record batches use them: seven bits a byte, lowest first, the top bit says that another
// byte follows; signed values are folded first (zigzag: 0, -1, 1, -2 become 0, 1, 2, 3). protocol/BATCH.md has
// examples.
//
// Writers go through raw pointers, because the builder has reserved the room; readers take a view that they shorten,
// and check every byte. Values only, safe everywhere.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::protocol {

/// The longest forms: 32 bits in 5 bytes, 64 bits in 10.
inline constexpr std::size_t kVarintSizeMax = 5;
inline constexpr std::size_t kVarlongSizeMax = 10;

constexpr std::uint64_t ZigZag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t UnZigZag(std::uint64_t folded) {
  return static_cast<std::int64_t>(folded >> 1 ^ (0 - (folded & 1)));
}

constexpr std::size_t UnsignedVarintSize(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}
constexpr std::size_t VarintSize(std::int64_t value) { return UnsignedVarintSize(ZigZag(value)); }

/// Writes at `to` and returns the first byte after.
inline char* WriteUnsignedVarint(char* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}
inline char* WriteVarint(char* to, std::int64_t value) { return WriteUnsignedVarint(to, ZigZag(value)); }

/// Takes one number of at most `bits` bits (32 or 64) off the front of `in`. False where the bytes end early or the
/// number is larger; `in` is then unchanged.
inline bool ReadUnsignedVarint(std::string_view& in, int bits, std::uint64_t& value) {
  if (!in.empty() && static_cast<std::uint8_t>(in.front()) < 0x80) {  // most of them
    value = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    return true;
  }
  std::uint64_t sum = 0;
  int shift = 0;
  for (std::size_t i = 0; i < in.size() && shift < bits; ++i, shift += 7) {
    const auto byte = static_cast<std::uint8_t>(in[i]);
    const std::uint64_t low = byte & 0x7F;
    if (shift + 7 > bits && low >> (bits - shift) != 0) return false;
    sum |= low << shift;
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      value = sum;
      return true;
    }
  }
  return false;
}

/// The signed forms: ReadVarint for 32 bits, ReadVarlong for 64.
inline bool ReadVarint(std::string_view& in, std::int32_t& value) {
  std::uint64_t folded = 0;
  if (!ReadUnsignedVarint(in, 32, folded)) return false;
  value = static_cast<std::int32_t>(UnZigZag(folded));
  return true;
}
inline bool ReadVarlong(std::string_view& in, std::int64_t& value) {
  std::uint64_t folded = 0;
  if (!ReadUnsignedVarint(in, 64, folded)) return false;
  value = UnZigZag(folded);
  return true;
}

}  // namespace sluice::protocol
