// Batches made by Kafka's own Java client (tests/protocol/data/KafkaBatches.java says how) are read as they were meant.
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "protocol/batch.h"
#include "tests/catch.h"
#include "tests/protocol/bytes.h"

namespace sluice::protocol {
namespace {

std::string KafkaBatch(const std::string& name) {
  std::istringstream lines(ReadSourceFile("tests/protocol/data/kafka_batches.txt"));
  std::string found;
  std::string hex;
  while (lines >> found >> hex) {
    if (found == name) return FromHex(hex);
  }
  FAIL("no batch " << name);
  return "";
}

/// The record as text: what KafkaBatches.java appended, in one line.
std::string Describe(const RecordView& record) {
  const auto text = [](std::optional<std::string_view> bytes) { return bytes ? std::string(*bytes) : "null"; };
  std::ostringstream line;
  line << record.offset_delta << ' ' << record.timestamp_ms << ' ' << text(record.key) << '=' << text(record.value);
  for (const HeaderView& header : record.headers) line << ' ' << header.key << ':' << text(header.value);
  return line.str();
}

std::vector<std::string> Records(const std::string& batch) {
  std::string scratch;
  auto reader = BatchReader::Open(batch, scratch);
  REQUIRE(reader);
  std::vector<std::string> records;
  while (true) {
    const auto record = reader->Next();
    REQUIRE(record);
    if (*record == nullptr) return records;
    records.push_back(Describe(**record));
  }
}

TEST_CASE("BatchReader Next: reads Kafka's batches of every compression", "[protocol]") {
  for (const std::string name : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    INFO(name);
    const std::string batch = KafkaBatch(name);
    const auto header = VerifyBatch(batch);
    REQUIRE(header);
    CHECK(CompressionName(header->compression()) == name);
    CHECK_FALSE(header->idempotent());
    CHECK(header->max_timestamp_ms == 1'700'000'000'005);
    CHECK(Records(batch) ==
          std::vector<std::string>{"0 1700000000000 user-1=first trace:abc none:null",
                                   "1 1700000000005 null=second second second second second second second second",
                                   "2 1699999999990 =null"});
  }
}

TEST_CASE("BatchBuilder Finish: writes Kafka's own bytes", "[protocol]") {
  BatchBuilder builder;
  const std::vector<HeaderView> headers = {{"trace", "abc"}, {"none", std::nullopt}};
  builder.Add(1'700'000'000'000, "user-1", "first", headers);
  builder.Add(1'700'000'000'005, std::nullopt, "second second second second second second second second");
  builder.Add(1'699'999'999'990, "", std::nullopt);
  std::string plain;
  builder.Finish(plain);
  CHECK(ToHex(plain) == ToHex(KafkaBatch("none")));

  builder.SetProducer(ProducerId(4711), 3, 42);
  builder.Add(1'700'000'000'000, "k", "v");
  std::string idempotent;
  builder.Finish(idempotent);
  CHECK(ToHex(idempotent) == ToHex(KafkaBatch("idempotent")));
}

TEST_CASE("BatchReader Next: gives the broker's time where Kafka stamped the batch", "[protocol]") {
  const std::string batch = KafkaBatch("log_append_time");
  const auto header = VerifyBatch(batch);
  REQUIRE(header);
  CHECK(header->log_append_time());
  CHECK(Records(batch) == std::vector<std::string>{"0 1700000001234 k=v"});
}

TEST_CASE("VerifyBatch: does not serve transactions, markers and older formats", "[protocol]") {
  for (const std::string name : {"transactional", "control"}) {
    const auto header = VerifyBatch(KafkaBatch(name));
    REQUIRE_FALSE(header);
    CHECK(header.error().code() == Code::kUnimplemented);
  }
  const std::string old = KafkaBatch("magic_1");
  const auto header = VerifyBatch(old + std::string(kBatchHeaderSize, '\0'));
  REQUIRE_FALSE(header);
  CHECK(header.error().code() == Code::kCorruption);
  CHECK(header.error().message().find("magic 1") != std::string::npos);
}

}  // namespace
}  // namespace sluice::protocol
