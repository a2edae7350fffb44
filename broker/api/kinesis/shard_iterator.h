// Shard iterators: a place in a shard and when it was named, as text that clients carry about. The broker keeps nothing
// of them, so they outlive a restart; they are sealed (token_seal.h), and say when they were issued.
//
// Before the base64: AWS's first eight bytes, then fixed fields, the stream's name, zeros up to AWS's length for a name
// of this length, the seal: TOKENS.md. Values only. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/kinesis/token_seal.h"
#include "protocol/ids.h"

namespace sluice::broker::kinesis {

inline constexpr std::int64_t kIteratorAgeMaxMs = 300'000;

struct ShardIterator {
  std::string stream_name;
  StreamId stream;  // of this name, when the iterator was made
  ShardIndex shard;
  Offset next;  // the first record that it gives
  std::int64_t issued_ms = 0;
  std::uint64_t salt = 0;  // makes each iterator another one
  friend bool operator==(const ShardIterator&, const ShardIterator&) = default;
};

/// The name has 1 to 128 bytes.
std::string EncodeShardIterator(const ShardIterator& iterator, const TokenKey& key);
/// nullopt for anything that EncodeShardIterator did not make with this key. It may stand in double quotes, as AWS
/// allows.
std::optional<ShardIterator> DecodeShardIterator(std::string_view text, const TokenKey& key);

}  // namespace sluice::broker::kinesis
