// The bytes of a file in memory, where zeros cost next to nothing: journal files are written full of them before their
// first use, and a simulation makes thousands.
//
// Bytes stand in pieces of 4 KiB; a piece that holds only zeros may be absent. Threads: none of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::storage {

class SparseBytes {
 public:
  SparseBytes() = default;
  explicit SparseBytes(std::string_view bytes) { Write(0, bytes); }
  SparseBytes(const SparseBytes& other);
  SparseBytes& operator=(const SparseBytes& other);
  SparseBytes(SparseBytes&&) = default;
  SparseBytes& operator=(SparseBytes&&) = default;

  std::uint64_t size() const { return size_; }
  /// What comes in addition is zeros.
  void Resize(std::uint64_t size);
  /// Grows where it must.
  void Write(std::uint64_t offset, std::string_view bytes);
  /// Copies from `offset`, up to the end at most; how many bytes that were.
  std::size_t Read(std::uint64_t offset, std::span<char> out) const;
  /// [begin, begin + bytes) becomes what `from` has there, zeros behind its end. Grows where it must.
  void CopyRange(const SparseBytes& from, std::uint64_t begin, std::uint64_t bytes);
  /// `bit / 8` must be below size().
  void FlipBit(std::uint64_t bit);
  std::string Text() const;

 private:
  static constexpr std::size_t kPieceBytes = 4096;
  using Piece = std::array<char, kPieceBytes>;
  static const Piece kZeros;

  /// The piece as it can be written to.
  Piece& Writable(std::uint64_t number);
  /// The bytes of a piece, zeros where it is absent or behind the end.
  const Piece& At(std::uint64_t number) const;

  std::uint64_t size_ = 0;
  std::vector<std::unique_ptr<Piece>> pieces_;  // null: zeros; bytes behind size_ are zeros
};

}  // namespace sluice::storage
