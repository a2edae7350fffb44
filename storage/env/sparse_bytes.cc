// Every range is walked piece by piece.
#include "storage/env/sparse_bytes.h"

#include <algorithm>
#include <cstring>

#include "protocol/check.h"

namespace sluice::storage {

const SparseBytes::Piece SparseBytes::kZeros{};

SparseBytes::SparseBytes(const SparseBytes& other) : size_(other.size_), pieces_(other.pieces_.size()) {
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (other.pieces_[i] != nullptr) pieces_[i] = std::make_unique<Piece>(*other.pieces_[i]);
  }
}

SparseBytes& SparseBytes::operator=(const SparseBytes& other) {
  if (this != &other) *this = SparseBytes(other);
  return *this;
}

SparseBytes::Piece& SparseBytes::Writable(std::uint64_t number) {
  if (pieces_[number] == nullptr) pieces_[number] = std::make_unique<Piece>();
  return *pieces_[number];
}

const SparseBytes::Piece& SparseBytes::At(std::uint64_t number) const {
  return number < pieces_.size() && pieces_[number] != nullptr ? *pieces_[number] : kZeros;
}

void SparseBytes::Resize(std::uint64_t size) {
  pieces_.resize((size + kPieceBytes - 1) / kPieceBytes);
  if (size < size_ && size % kPieceBytes != 0 && pieces_.back() != nullptr) {
    std::fill(pieces_.back()->begin() + static_cast<std::ptrdiff_t>(size % kPieceBytes), pieces_.back()->end(), '\0');
  }
  size_ = size;
}

void SparseBytes::Write(std::uint64_t offset, std::string_view bytes) {
  if (offset + bytes.size() > size_) Resize(offset + bytes.size());
  while (!bytes.empty()) {
    const std::size_t in_piece = offset % kPieceBytes;
    const std::string_view now = bytes.substr(0, kPieceBytes - in_piece);
    const bool stays_absent =
        pieces_[offset / kPieceBytes] == nullptr && std::memcmp(now.data(), kZeros.data(), now.size()) == 0;
    if (!stays_absent) now.copy(Writable(offset / kPieceBytes).data() + in_piece, now.size());
    offset += now.size();
    bytes.remove_prefix(now.size());
  }
}

std::size_t SparseBytes::Read(std::uint64_t offset, std::span<char> out) const {
  if (offset >= size_) return 0;
  const std::size_t bytes = std::min<std::uint64_t>(out.size(), size_ - offset);
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t in_piece = (offset + done) % kPieceBytes;
    const std::size_t now = std::min(bytes - done, kPieceBytes - in_piece);
    std::memcpy(out.data() + done, At((offset + done) / kPieceBytes).data() + in_piece, now);
    done += now;
  }
  return bytes;
}

void SparseBytes::CopyRange(const SparseBytes& from, std::uint64_t begin, std::uint64_t bytes) {
  if (begin + bytes > size_) Resize(begin + bytes);
  for (const std::uint64_t end = begin + bytes; begin < end;) {
    const std::size_t in_piece = begin % kPieceBytes;
    const std::size_t now = std::min<std::uint64_t>(end - begin, kPieceBytes - in_piece);
    Write(begin, std::string_view(from.At(begin / kPieceBytes).data() + in_piece, now));
    begin += now;
  }
}

void SparseBytes::FlipBit(std::uint64_t bit) {
  SLUICE_CHECK(bit / 8 < size_);
  char& byte = Writable(bit / 8 / kPieceBytes)[bit / 8 % kPieceBytes];
  byte = static_cast<char>(byte ^ (1 << (bit % 8)));
}

std::string SparseBytes::Text() const {
  std::string text(size_, '\0');
  Read(0, text);
  return text;
}

}  // namespace sluice::storage
