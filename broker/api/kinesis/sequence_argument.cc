// Old numbers, and where a number stands in its shard.
#include "broker/api/kinesis/sequence_argument.h"

#include "protocol/hash_key.h"

namespace sluice::broker::kinesis {

std::optional<std::string> AsOldestLayout(std::string_view decimal) {
  constexpr std::uint64_t kBitOfTheHighHalf = std::uint64_t{1} << (124 - 64);
  const auto number = protocol::ParseHashKey(decimal);  // 128 bits, as hash keys have
  if (!number || number->high >= kBitOfTheHighHalf) return std::nullopt;
  return protocol::ToDecimal(protocol::HashKey{number->high + kBitOfTheHighHalf, number->low});
}

const ShardInfo* ShardOf(const protocol::SequenceNumber& number, const StreamInfo& stream) {
  const ShardInfo* const shard = stream.FindShard(number.shard);
  return shard != nullptr && number.shard_created_s == shard->created_ms / 1000 ? shard : nullptr;
}

std::optional<NumberPlace> PlaceOf(const protocol::SequenceNumber& number, const ShardInfo& shard, Offset end) {
  if (shard.closed() && number.offset == kMaxOffset) return NumberPlace{end, end};  // its ending number
  // A shard's starting number has the first record's offset, but no record's time.
  const Offset after = number.record_time_s == 0 ? number.offset : number.offset + 1;
  if (after > end) return std::nullopt;
  return NumberPlace{number.offset, after};
}

}  // namespace sluice::broker::kinesis
