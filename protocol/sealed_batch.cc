// The layout (constants mirror the table in protocol/BATCH.md), and what the tag covers besides the records.
#include "protocol/sealed_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::protocol {
namespace {

constexpr std::size_t kVersionAt = kBatchHeaderSize;
constexpr std::size_t kKeyNumberAt = kVersionAt + 1;
constexpr std::size_t kNonceAt = kKeyNumberAt + 4;
constexpr std::size_t kRecordsAt = kNonceAt + kGcmNonceBytes;
static_assert(kRecordsAt + kGcmTagBytes == kBatchHeaderSize + kSealOverheadBytes);
static_assert(kSealedBit > 0 && kSealedBit < 0x100);

// The header from `attributes` on, which nobody changes once the batch is sealed; what stands before it a broker or the
// log fills in.
constexpr std::size_t kBoundHeaderAt = kBatchChecksummedAt;
constexpr std::size_t kBoundBytes = 8 + (kNonceAt - kBoundHeaderAt);

/// Stream and shard, then everything from `attributes` to the key number.
std::array<char, kBoundBytes> BoundBytes(ShardId shard, std::string_view sealed) {
  std::array<char, kBoundBytes> bound;
  StoreBigEndian(bound.data(), shard.stream.value);
  StoreBigEndian(bound.data() + 4, shard.index.value);
  std::ranges::copy(sealed.substr(kBoundHeaderAt, kNonceAt - kBoundHeaderAt), bound.begin() + 8);
  return bound;
}

}  // namespace

bool IsSealed(std::string_view batch) {
  SLUICE_DCHECK(batch.size() >= kBatchHeaderSize);
  // The bit is in the lower one of the two bytes.
  return (static_cast<unsigned char>(batch[kBoundHeaderAt + 1]) & kSealedBit) != 0;
}

Result<SealHeader> ParseSealHeader(std::string_view batch) {
  const auto batch_header = ParseBatchHeader(batch);
  if (!batch_header) return Error(batch_header.error());
  if (!batch_header->sealed() || batch_header->total_size() != batch.size()) {
    return Error(Code::kCorruption, fmt::format("{} bytes are not one sealed batch", batch.size()));
  }
  const auto version = static_cast<std::uint8_t>(batch[kVersionAt]);
  if (version != kSealVersion) {
    return Error(Code::kUnimplemented, fmt::format("sealed batch: version {} is not {}, the only one that this program "
                                                   "opens; use the version of Sluice that wrote it",
                                                   version, kSealVersion));
  }
  SealHeader header{.key_number = LoadBigEndian<std::uint32_t>(batch.data() + kKeyNumberAt), .nonce = {}};
  std::ranges::copy(batch.substr(kNonceAt, kGcmNonceBytes), header.nonce.begin());
  return header;
}

FrameBuffer SealBatch(const Seal& seal, ShardId shard, std::string_view batch) {
  SLUICE_CHECK(batch.size() >= kBatchHeaderSize && !IsSealed(batch));
  FrameBuffer buffer(batch.size() + kSealOverheadBytes);
  const std::span<char> sealed = buffer.batch();
  std::ranges::copy(batch.substr(0, kBatchHeaderSize), sealed.begin());
  sealed[kVersionAt] = static_cast<char>(kSealVersion);
  StoreBigEndian(sealed.data() + kKeyNumberAt, seal.header.key_number);
  std::ranges::copy(seal.header.nonce, sealed.begin() + kNonceAt);
  SetSealed(sealed, true);
  const auto bound = BoundBytes(shard, buffer.batch_view());
  GcmSeal({.key = seal.key, .nonce = seal.header.nonce, .bound = {bound.data(), bound.size()}},
          batch.substr(kBatchHeaderSize), sealed.data() + kRecordsAt);
  SetChecksum(sealed);
  return buffer;
}

Result<Frame> OpenFrame(const Frame& frame, const SecretKey& key) {
  const std::string_view sealed = frame.batch();
  const auto seal = ParseSealHeader(sealed);
  if (!seal) return Error(seal.error());
  const ShardId shard = frame.header().shard;
  const auto bound = BoundBytes(shard, sealed);
  FrameBuffer buffer(sealed.size() - kSealOverheadBytes);
  const std::span<char> batch = buffer.batch();
  std::ranges::copy(sealed.substr(0, kBatchHeaderSize), batch.begin());
  const bool opened = GcmOpen({.key = key, .nonce = seal->nonce, .bound = {bound.data(), bound.size()}},
                              sealed.substr(kRecordsAt), batch.data() + kBatchHeaderSize);
  if (!opened) {
    return Error(
        Code::kCorruption,
        fmt::format("sealed batch of shard {} at offset {}: its bytes are not those that were sealed with data "
                    "key {} for this place",
                    ToString(shard), frame.base_offset().value, seal->key_number));
  }
  SetSealed(batch, false);
  SetChecksum(batch);
  Frame plain = Frame::Seal(std::move(buffer), frame.header());
  plain.MarkOpened();
  return plain;
}

}  // namespace sluice::protocol
