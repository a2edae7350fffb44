// protocol/BATCH.md against the code: its examples are what the code writes, its limits are the constants.
#include <string>
#include <vector>

#include "protocol/batch.h"
#include "protocol/hash_key.h"
#include "protocol/sequence_number.h"
#include "tests/catch.h"
#include "tests/protocol/bytes.h"

namespace sluice::protocol {
namespace {

/// The bytes of the page's only hex block; what stands behind # on a line is prose.
std::string ExampleBytes(const std::string& page) {
  const std::string fence = "```hex\n";
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
}

}  // namespace
}  // namespace sluice::protocol
