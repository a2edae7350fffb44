// Shard iterators and NextTokens: any text, and any bytes under a right seal. What is read writes as the same again.
#include "broker/api/kinesis/next_token.h"
#include "broker/api/kinesis/shard_iterator.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::kinesis {
namespace {

constexpr TokenKey kKey{1, 2, 3};

void Read(std::string_view text, bool sealed) {
  const auto iterator = DecodeShardIterator(text, kKey);
  const auto token = DecodeNextToken(text, NextToken::Of::kShards, kKey);
  SLUICE_CHECK(sealed || (!iterator && !token));  // nobody guesses a seal
  SLUICE_CHECK(!iterator || !token);
  if (iterator) SLUICE_CHECK(DecodeShardIterator(EncodeShardIterator(*iterator, kKey), kKey) == iterator);
  if (token) SLUICE_CHECK(EncodeNextToken(*token, kKey) == text);
}

}  // namespace
}  // namespace sluice::broker::kinesis

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::broker::kinesis;
  const std::string_view input = sluice::fuzz::Input(data, size);
  Read(input, false);
  Read(Seal(std::string(input), kKey), true);
  return 0;
}
