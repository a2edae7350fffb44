// Old numbers, and where a number stands in its shard.
#include "broker/api/kinesis/sequence_argument.h"

#include "broker/api/kinesis/stream_text.h"
#include "protocol/hash_key.h"

namespace sluice::broker::kinesis {

std::optional<std::string> AsOldestLayout(std::string_view decimal) {
  constexpr std::uint64_t kBitOfTheHighHalf = std::uint64_t{1} << (124 - 64);
  const auto number = protocol::ParseHashKey(decimal);  // 128 bits, as hash keys have
  if (!number || number->high >= kBitOfTheHighHalf) return std::nullopt;
  return protocol::ToDecimal(protocol::HashKey{number->high + kBitOfTheHighHalf, number->low});
}

bool IsOfStream(const protocol::SequenceNumber& number, const StreamInfo& stream) {
  return number.shard_created_s == CreatedSeconds(stream);
}

// A shard's starting number has the first record's offset, but no record's time.
Offset OffsetAfter(const protocol::SequenceNumber& number) {
  return number.record_time_s == 0 ? number.offset : number.offset + 1;
}

}  // namespace sluice::broker::kinesis
