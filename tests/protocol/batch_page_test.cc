// protocol/BATCH.md against the code: its examples are what the code writes, its limits are the constants.
#include <string>
#include <vector>

#include "protocol/batch.h"
#include "protocol/hash_key.h"
#include "protocol/sealed_batch.h"
#include "protocol/sequence_number.h"
#include "tests/catch.h"
#include "tests/protocol/bytes.h"

namespace sluice::protocol {
namespace {

/// The bytes of the page's only block that begins with `fence`; what stands behind # on a line is prose.
std::string ExampleBytes(const std::string& page, const std::string& fence = "```hex\n") {
  const std::size_t from = page.find(fence) + fence.size();
  REQUIRE(page.find(fence) != std::string::npos);
  REQUIRE(page.find(fence, from) == std::string::npos);
  std::string hex;
  bool prose = false;
  for (std::size_t i = from; page[i] != '`'; ++i) {
    if (page[i] == '#') prose = true;
    if (page[i] == '\n') prose = false;
    if (!prose) hex.push_back(page[i]);
  }
  return FromHex(hex);
}

std::string BuildExample() {
  BatchBuilder builder;
  builder.SetProducer(ProducerId(7), 0, 40);
  const std::vector<HeaderView> headers = {{"source", "web"}};
  builder.Add(1'700'000'000'000, "user-1", "hello", headers);
  builder.Add(1'700'000'000'250, "user-2", std::nullopt);
  std::string out;
  builder.Finish(out);
  return out;
}

TEST_CASE("BATCH.md: its example is what the builder writes", "[protocol]") {
  const std::string example = ExampleBytes(ReadSourceFile("protocol/BATCH.md"));
  CHECK(ToHex(BuildExample()) == ToHex(example));
  const auto header = VerifyBatch(example);
  REQUIRE(header);
  CHECK(header->record_count == 2);
}

TEST_CASE("BATCH.md: its sealed batch is what sealing its example gives, and opens to it", "[protocol]") {
  const std::string page = ReadSourceFile("protocol/BATCH.md");
  const std::string sealed = ExampleBytes(page, "```hex sealed\n");
  std::string key_bytes;
  while (key_bytes.size() < kSecretKeyBytes) key_bytes.push_back(static_cast<char>(key_bytes.size()));
  const SecretKey key = SecretKey::FromBytes(key_bytes);
  Seal seal{.key = key, .header = {.key_number = 1, .nonce = {}}};
  std::ranges::copy(FromHex("a0a1a2a3a4a5a6a700000000"), seal.header.nonce.begin());
  const ShardId shard{StreamId(7), ShardIndex(3)};
  FrameBuffer made = SealBatch(seal, shard, ExampleBytes(page));
  CHECK(ToHex(made.batch_view()) == ToHex(sealed));
  CHECK(VerifyBatch(sealed).has_value());
  const FrameHeader header{.shard = shard, .base_offset = {}, .record_count = 2, .durable_upto = {}};
  const auto opened = OpenFrame(Frame::Seal(std::move(made), header), key);
  REQUIRE(opened.has_value());
  CHECK(ToHex(opened->batch()) == ToHex(ExampleBytes(page)));
}

TEST_CASE("BATCH.md: its hash keys and its sequence number are what the code gives", "[protocol]") {
  const std::string page = ReadSourceFile("protocol/BATCH.md");
  const ShardMap four = ShardMap::Uniform(4);
  for (const std::string key : {"user-1", "user-2"}) {
    CHECK(page.find("| `" + key + "` | " + ToDecimal(HashPartitionKey(key))) != std::string::npos);
  }
  CHECK(four.FindByPartitionKey("user-1") == ShardIndex(3));
  CHECK(four.FindByPartitionKey("user-2") == ShardIndex(0));
  const SequenceNumber number{1'700'000'000, ShardIndex(3), Offset(41), 1'700'000'012};
  CHECK(page.find("`" + ToDecimal(number) + "`") != std::string::npos);
}

TEST_CASE("BATCH.md: its limits are the constants", "[protocol]") {
  const std::string page = ReadSourceFile("protocol/BATCH.md");
  const auto states = [&](std::size_t bytes, const std::string& constant) {
    const std::string row = " | " + std::to_string(bytes >> 20) + " MiB | `" + constant + "`";
    return page.find(row) != std::string::npos;
  };
  CHECK(states(kBatchBytesMax, "kBatchBytesMax"));
  CHECK(states(kBatchBytesUncompressedMax, "kBatchBytesUncompressedMax"));
  CHECK(states(kRecordBytesMax, "kRecordBytesMax"));
  CHECK(page.find(" | 16 MiB - " + std::to_string(kSealOverheadBytes) + " | `kSealOverheadBytes`") !=
        std::string::npos);
}

}  // namespace
}  // namespace sluice::protocol
