// Hash keys: what is read is written back as it was; any bytes have a hash key that belongs to one shard.
#include "protocol/hash_key.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  const std::string_view input = sluice::fuzz::Input(data, size);
  const auto key = ParseHashKey(input);
  SLUICE_CHECK(!key || ToDecimal(*key) == input);
  const HashKey hashed = HashPartitionKey(input);
  SLUICE_CHECK(ParseHashKey(ToDecimal(hashed)) == hashed);
  static const ShardMap map = ShardMap::Uniform(7);
  const ShardRange& range = map.ranges().at(map.Find(hashed).value);
  SLUICE_CHECK(range.first <= hashed && hashed <= range.last);
  return 0;
}
