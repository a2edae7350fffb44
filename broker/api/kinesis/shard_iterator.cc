// The fields of an iterator at fixed places, big-endian as AWS's first eight bytes are.
#include "broker/api/kinesis/shard_iterator.h"

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::LoadBigEndian;
using protocol::StoreBigEndian;

constexpr std::uint64_t kFirstBytes = 1;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNameBytesMax = 128;

constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kNameBytesAt = 9;
constexpr std::size_t kReservedAt = 10;
constexpr std::size_t kStreamAt = 12;
constexpr std::size_t kShardAt = 16;
constexpr std::size_t kNextAt = 20;
constexpr std::size_t kIssuedAt = 28;
constexpr std::size_t kSaltAt = 36;
constexpr std::size_t kNameAt = 44;

/// What AWS's iterators have without their text form, less the seal: 200 bytes for a name of 24, 216 for one of 35.
constexpr std::size_t UnsealedBytes(std::size_t name_bytes) { return 184 + (name_bytes + 2) / 16 * 16 - kSealBytes; }
static_assert(UnsealedBytes(24) + kSealBytes == 200 && UnsealedBytes(35) + kSealBytes == 216);
static_assert(UnsealedBytes(kNameBytesMax) >= kNameAt + kNameBytesMax);

}  // namespace

std::string EncodeShardIterator(const ShardIterator& iterator, const TokenKey& key) {
  SLUICE_CHECK(!iterator.stream_name.empty() && iterator.stream_name.size() <= kNameBytesMax);
  std::string bytes(UnsealedBytes(iterator.stream_name.size()), '\0');
  char* const to = bytes.data();
  StoreBigEndian(to, kFirstBytes);
  StoreBigEndian(to + kVersionAt, kVersion);
  StoreBigEndian(to + kNameBytesAt, static_cast<std::uint8_t>(iterator.stream_name.size()));
  StoreBigEndian(to + kStreamAt, iterator.stream.value);
  StoreBigEndian(to + kShardAt, iterator.shard.value);
  StoreBigEndian(to + kNextAt, iterator.next.value);
  StoreBigEndian(to + kIssuedAt, iterator.issued_ms);
  StoreBigEndian(to + kSaltAt, iterator.salt);
  bytes.replace(kNameAt, iterator.stream_name.size(), iterator.stream_name);
  return Seal(std::move(bytes), key);
}

std::optional<ShardIterator> DecodeShardIterator(std::string_view text, const TokenKey& key) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  const std::optional<std::string> bytes = Unseal(text, key);
  if (!bytes || bytes->size() < kNameAt) return std::nullopt;
  const char* const from = bytes->data();
  const std::size_t name_bytes = LoadBigEndian<std::uint8_t>(from + kNameBytesAt);
  if (LoadBigEndian<std::uint64_t>(from) != kFirstBytes || LoadBigEndian<std::uint8_t>(from + kVersionAt) != kVersion ||
      LoadBigEndian<std::uint16_t>(from + kReservedAt) != 0 || name_bytes == 0 || name_bytes > kNameBytesMax ||
      bytes->size() != UnsealedBytes(name_bytes)) {
    return std::nullopt;
  }
  ShardIterator iterator{.stream_name = bytes->substr(kNameAt, name_bytes),
                         .stream = StreamId(LoadBigEndian<std::uint32_t>(from + kStreamAt)),
                         .shard = ShardIndex(LoadBigEndian<std::uint32_t>(from + kShardAt)),
                         .next = Offset(LoadBigEndian<std::uint64_t>(from + kNextAt)),
                         .issued_ms = LoadBigEndian<std::int64_t>(from + kIssuedAt),
                         .salt = LoadBigEndian<std::uint64_t>(from + kSaltAt)};
  if (iterator.next > kMaxOffset) return std::nullopt;
  return iterator;
}

}  // namespace sluice::broker::kinesis
