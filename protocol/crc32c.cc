// CRC32C: short inputs by the processor's own instruction, long ones through ISA-L.
//
// ISA-L reads 64 bytes at a time. A record that was copied a moment ago is still on its way to the cache, in pieces
// that such a read spans, so that it waits for all of them; the instruction reads 8 bytes, which the processor hands
// on. Measured on appends of 1 KiB: 0.5 us of a loop's time for each (docs/performance.md). It takes three cycles and
// one can begin in each: three parts of the input are worked on side by side, and then put together.
#include "protocol/crc32c.h"

#include <isa-l/crc.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace sluice::protocol {
namespace {

constexpr std::size_t kShortBytesMax = 2048;

/// The states below are neither inverted at the start nor at the end.
std::uint32_t LongState(std::uint32_t state, std::string_view bytes) {
  // ISA-L counts in int: larger inputs go in pieces.
  constexpr std::size_t kPieceBytes = 1u << 30;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));  // read only, by its documentation
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes.remove_prefix(piece.size());
  }
  return state;
}

#ifdef __x86_64__

/// What `kBytes` zeros behind an input make of its state: linear in the state, so a table for each of its bytes.
template <std::size_t kBytes>
constexpr std::array<std::array<std::uint32_t, 256>, 4> MakeShiftTable() {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, reflected
  std::array<std::array<std::uint32_t, 256>, 4> table{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t state = std::uint32_t{1} << bit;
    for (std::size_t i = 0; i < 8 * kBytes; ++i) state = (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0);
    for (std::size_t value = 0; value < 256; ++value) {
      if ((value >> (bit % 8) & 1) != 0) table[bit / 8][value] ^= state;
    }
  }
  return table;
}

template <std::size_t kBytes>
std::uint32_t Shift(std::uint32_t state) {
  static constexpr auto kTable = MakeShiftTable<kBytes>();
  return kTable[0][state & 0xFF] ^ kTable[1][state >> 8 & 0xFF] ^ kTable[2][state >> 16 & 0xFF] ^
         kTable[3][state >> 24];
}

[[gnu::target("crc32")]] std::uint64_t Add8(std::uint64_t state, const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return __builtin_ia32_crc32di(state, word);
}

/// Takes as many pieces of three lanes off the front of `bytes` as there are.
template <std::size_t kLaneBytes>
[[gnu::target("crc32")]] std::uint64_t TakeLanes(std::uint64_t state, std::string_view& bytes) {
  for (; bytes.size() >= 3 * kLaneBytes; bytes.remove_prefix(3 * kLaneBytes)) {
    const char* const at = bytes.data();
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kLaneBytes; i += 8) {
      state = Add8(state, at + i);
      second = Add8(second, at + kLaneBytes + i);
      third = Add8(third, at + 2 * kLaneBytes + i);
    }
    state = Shift<kLaneBytes>(static_cast<std::uint32_t>(state)) ^ second;
    state = Shift<kLaneBytes>(static_cast<std::uint32_t>(state)) ^ third;
  }
  return state;
}

[[gnu::target("crc32")]] std::uint32_t ShortState(std::uint32_t start, std::string_view bytes) {
  std::uint64_t state = TakeLanes<128>(start, bytes);
  state = TakeLanes<32>(state, bytes);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) state = Add8(state, bytes.data());
  auto end = static_cast<std::uint32_t>(state);
  for (const char byte : bytes) end = __builtin_ia32_crc32qi(end, static_cast<unsigned char>(byte));
  return end;
}

bool HasInstruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}

#else

std::uint32_t ShortState(std::uint32_t start, std::string_view bytes) { return LongState(start, bytes); }
bool HasInstruction() { return false; }

#endif

}  // namespace

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t previous) {
  const bool is_short = bytes.size() <= kShortBytesMax && HasInstruction();
  return ~(is_short ? ShortState(~previous, bytes) : LongState(~previous, bytes));
}

}  // namespace sluice::protocol
