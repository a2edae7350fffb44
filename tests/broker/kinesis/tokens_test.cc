// What clients carry about for the broker: only what was sealed with its key is taken back.
#include <algorithm>

#include "broker/api/kinesis/next_token.h"
#include "broker/api/kinesis/shard_iterator.h"
#include "broker/api/kinesis/token_key.h"
#include "protocol/base64.h"
#include "tests/catch.h"

namespace sluice::broker::kinesis {
namespace {

constexpr TokenKey kKey{1, 2, 3};
constexpr TokenKey kOtherKey{1, 2, 4};

ShardIterator SomeIterator() {
  return {.stream_name = "orders",
          .stream = StreamId(7),
          .shard = ShardIndex(3),
          .next = Offset(41),
          .issued_ms = 1'700'000'000'000,
          .salt = 5};
}

TEST_CASE("ShardIterator: reads back, and with its key alone", "[kinesis]") {
  ShardIterator iterator = SomeIterator();
  iterator.stream_name = std::string(GENERATE(1, 13, 14, 15, 128), 'n');
  const std::string text = EncodeShardIterator(iterator, kKey);
  CHECK(text.starts_with("AAAAAAAAAAE"));  // as AWS's do
  CHECK(DecodeShardIterator(text, kKey) == iterator);
  CHECK(DecodeShardIterator("\"" + text + "\"", kKey) == iterator);
  CHECK(!DecodeShardIterator(text, kOtherKey));
  CHECK(!DecodeShardIterator("\"" + text, kKey));
}

TEST_CASE("ShardIterator: the example of TOKENS.md", "[kinesis]") {
  TokenKey key;
  std::ranges::generate(key, [next = 0]() mutable { return static_cast<unsigned char>(next++); });
  CHECK(EncodeShardIterator(SomeIterator(), key) ==
        "AAAAAAAAAAEBBgAAAAAABwAAAAMAAAAAAAAAKQAAAYvP5WgAAAAAAAAAAAVvcmRlcnMAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAC2r4r+nXOoCfBE27e+ESOorE1NDVKXE5MbIsvfRAITlQ==");
}

TEST_CASE("ShardIterator: any changed bit is seen", "[kinesis]") {
  const std::string bytes = *protocol::DecodeBase64(EncodeShardIterator(SomeIterator(), kKey));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK(!DecodeShardIterator(protocol::EncodeBase64(changed), kKey));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(!DecodeShardIterator(protocol::EncodeBase64(bytes.substr(0, size)), kKey));
  }
}

TEST_CASE("ShardIterator: what is sealed but no iterator is refused", "[kinesis]") {
  CHECK(!DecodeShardIterator(Seal("", kKey), kKey));
  CHECK(!DecodeShardIterator(Seal(std::string(168, '\0'), kKey), kKey));
  const NextToken token{.of = NextToken::Of::kStreams, .issued_ms = 1, .last_shard = 0, .stream = "orders"};
  CHECK(!DecodeShardIterator(EncodeNextToken(token, kKey), kKey));
}

TEST_CASE("NextToken: reads back in its own list", "[kinesis]") {
  const NextToken token{.of = NextToken::Of::kShards,
                        .issued_ms = 1'700'000'000'000,
                        .last_shard = 9,
                        .stream = "orders",
                        .filter = {ShardFilter::Kind::kOpenAt, 1'699'999'999'999}};
  const std::string text = EncodeNextToken(token, kKey);
  CHECK(DecodeNextToken(text, NextToken::Of::kShards, kKey) == token);
  CHECK(!DecodeNextToken(text, NextToken::Of::kStreams, kKey));
  CHECK(!DecodeNextToken(text, NextToken::Of::kShards, kOtherKey));
  CHECK(!DecodeNextToken(EncodeShardIterator(SomeIterator(), kKey), NextToken::Of::kShards, kKey));
}

TEST_CASE("TokenKey: made once, and kept", "[kinesis]") {
  const auto store = storage::NewMemoryMetadataStore();
  const auto made = LoadOrMakeTokenKey(*store);
  REQUIRE(made.has_value());
  CHECK(*made != TokenKey());
  CHECK(LoadOrMakeTokenKey(*store) == *made);
  CHECK(LoadOrMakeTokenKey(*storage::NewMemoryMetadataStore()) != *made);
  storage::Transaction damage;
  damage.Put("kinesis/token-key", "short");
  REQUIRE(store->Commit(damage).ok());
  CHECK(LoadOrMakeTokenKey(*store).error().code() == Code::kCorruption);
}

}  // namespace
}  // namespace sluice::broker::kinesis
