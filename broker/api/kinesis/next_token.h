// NextTokens of lists: behind which stream or shard the next page begins, and when the token was issued. Sealed
// (token_seal.h), so that nobody has to check them for more. Values only. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/kinesis/shard_filter.h"
#include "broker/api/kinesis/token_seal.h"

namespace sluice::broker::kinesis {

inline constexpr std::int64_t kTokenAgeMaxMs = 300'000;

struct NextToken {
  enum class Of : std::uint8_t { kStreams = 1, kShards = 2, kConsumers = 3 };
  Of of = Of::kStreams;
  std::int64_t issued_ms = 0;
  std::uint32_t last_shard = 0;  // kShards: of the page before
  std::string stream;            // kShards: whose shards; kStreams: the last one of the page before;
                                 // kConsumers: "STREAM/CONSUMER", the last one of the page before
  ShardFilter filter = {};       // kShards
  friend bool operator==(const NextToken&, const NextToken&) = default;
};

std::string EncodeNextToken(const NextToken& token, const TokenKey& key);
/// nullopt for anything that EncodeNextToken did not make with this key, and for tokens of other lists.
std::optional<NextToken> DecodeNextToken(std::string_view text, NextToken::Of of, const TokenKey& key);

}  // namespace sluice::broker::kinesis
