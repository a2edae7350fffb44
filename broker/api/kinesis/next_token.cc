// A token's fields at fixed places, the name behind them. The first byte tells it from a shard iterator, which begins
// with a zero.
#include "broker/api/kinesis/next_token.h"

#include "protocol/endian.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::LoadBigEndian;
using protocol::StoreBigEndian;

constexpr std::size_t kOfAt = 0;
constexpr std::size_t kIssuedAt = 1;
constexpr std::size_t kShardAt = 9;
constexpr std::size_t kFilterAt = 13;
constexpr std::size_t kFilterTimeAt = 14;
constexpr std::size_t kNameAt = 22;

}  // namespace

std::string EncodeNextToken(const NextToken& token, const TokenKey& key) {
  std::string bytes(kNameAt, '\0');
  StoreBigEndian(bytes.data() + kOfAt, static_cast<std::uint8_t>(token.of));
  StoreBigEndian(bytes.data() + kIssuedAt, token.issued_ms);
  StoreBigEndian(bytes.data() + kShardAt, token.last_shard);
  StoreBigEndian(bytes.data() + kFilterAt, static_cast<std::uint8_t>(token.filter.kind));
  StoreBigEndian(bytes.data() + kFilterTimeAt, token.filter.time_ms);
  return Seal(bytes + token.stream, key);
}

std::optional<NextToken> DecodeNextToken(std::string_view text, NextToken::Of of, const TokenKey& key) {
  const std::optional<std::string> bytes = Unseal(text, key);
  if (!bytes || bytes->size() < kNameAt) return std::nullopt;
  if (LoadBigEndian<std::uint8_t>(bytes->data() + kOfAt) != static_cast<std::uint8_t>(of)) return std::nullopt;
  const auto filter = LoadBigEndian<std::uint8_t>(bytes->data() + kFilterAt);
  if (filter > static_cast<std::uint8_t>(ShardFilter::Kind::kFrom)) return std::nullopt;
  return NextToken{
      .of = of,
      .issued_ms = LoadBigEndian<std::int64_t>(bytes->data() + kIssuedAt),
      .last_shard = LoadBigEndian<std::uint32_t>(bytes->data() + kShardAt),
      .stream = bytes->substr(kNameAt),
      .filter = {static_cast<ShardFilter::Kind>(filter), LoadBigEndian<std::int64_t>(bytes->data() + kFilterTimeAt)}};
}

}  // namespace sluice::broker::kinesis
