// Loads and stores of integers in a fixed byte order, at any alignment. Kafka's formats are big-endian, ours
// little-endian. Values only, safe everywhere; the caller has checked that the bytes are there.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <type_traits>

namespace sluice::protocol {

/// The value with its bytes in the opposite order.
template <std::integral Int>
constexpr Int SwapBytes(Int value) {
  auto bits = static_cast<std::make_unsigned_t<Int>>(value);
  if constexpr (sizeof(Int) == 2) bits = __builtin_bswap16(bits);
  if constexpr (sizeof(Int) == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof(Int) == 8) bits = __builtin_bswap64(bits);
  return static_cast<Int>(bits);
}

template <std::integral Int, std::endian order>
Int LoadInteger(const char* bytes) {
  Int value;
  std::memcpy(&value, bytes, sizeof value);
  return order == std::endian::native ? value : SwapBytes(value);
}

template <std::integral Int, std::endian order>
void StoreInteger(char* bytes, Int value) {
  if (order != std::endian::native) value = SwapBytes(value);
  std::memcpy(bytes, &value, sizeof value);
}

template <std::integral Int>
Int LoadBigEndian(const char* bytes) {
  return LoadInteger<Int, std::endian::big>(bytes);
}

template <std::integral Int>
void StoreBigEndian(char* bytes, Int value) {
  StoreInteger<Int, std::endian::big>(bytes, value);
}

template <std::integral Int>
Int LoadLittleEndian(const char* bytes) {
  return LoadInteger<Int, std::endian::little>(bytes);
}

template <std::integral Int>
void StoreLittleEndian(char* bytes, Int value) {
  StoreInteger<Int, std::endian::little>(bytes, value);
}

}  // namespace sluice::protocol
