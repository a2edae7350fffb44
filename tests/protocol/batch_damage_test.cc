// Damaged and forged batches: every kind of damage is an error, also where the checksum was made to fit it.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "protocol/batch.h"
#include "protocol/crc32c.h"
#include "protocol/endian.h"
#include "tests/catch.h"
#include "tests/protocol/bytes.h"

namespace sluice::protocol {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kGzip, Compression::kSnappy, Compression::kLz4,
                                Compression::kZstd};

std::string SmallBatch(Compression compression) {
  BatchBuilder builder(compression);
  const std::vector<HeaderView> headers = {{"trace", "abc"}, {"none", std::nullopt}};
  builder.Add(1'700'000'000'000, "user-1", "first", headers);
  builder.Add(1'700'000'000'005, std::nullopt, "second");
  std::string out;
  builder.Finish(out);
  return out;
}

/// Sets batch_length and crc32c to what the bytes ask for.
void Seal(std::string& batch) {
  StoreBigEndian(batch.data() + 8, static_cast<std::int32_t>(batch.size() - 12));
  StoreBigEndian(batch.data() + 17, Crc32c(std::string_view(batch).substr(21)));
}

/// A batch with a sound header and checksum around `records`.
std::string Forge(std::string_view records, std::int32_t record_count = 1) {
  std::string batch = SmallBatch(Compression::kNone).substr(0, kBatchHeaderSize) + std::string(records);
  StoreBigEndian(batch.data() + 23, record_count - 1);
  StoreBigEndian(batch.data() + 57, record_count);
  Seal(batch);
  return batch;
}

Status ReadToEnd(std::string_view batch) {
  std::string scratch;
  auto reader = BatchReader::Open(batch, scratch);
  if (!reader) return reader.error();
  while (true) {
    const auto record = reader->Next();
    if (!record) {
      CHECK(reader->Next().error() == record.error());  // an error stays
      return record.error();
    }
    if (*record == nullptr) return Status();
  }
}

/// Opens the batch and reads to its end or to the first error. What a broker checks before it takes a batch must say
/// the same.
Status ReadAll(std::string_view batch) {
  Status status = ReadToEnd(batch);
  const auto header = ParseBatchHeader(batch);
  if (header && header->total_size() == batch.size()) {
    std::string scratch = "left over";
    const Status checked = CheckRecords(*header, batch, kRecordBytesMax, scratch);
    CHECK(checked.code() == status.code());
  }
  return status;
}

TEST_CASE("VerifyBatch: refuses every truncation and every longer batch", "[protocol]") {
  for (const Compression compression : kAll) {
    const std::string batch = SmallBatch(compression);
    REQUIRE(VerifyBatch(batch));
    for (std::size_t size = 0; size < batch.size(); ++size) {
      CHECK_FALSE(VerifyBatch(std::string_view(batch).substr(0, size)));
      CHECK_FALSE(ReadAll(std::string_view(batch).substr(0, size)).ok());
    }
    CHECK_FALSE(VerifyBatch(batch + '\0'));
    CHECK_FALSE(ReadAll(batch + '\0').ok());
  }
}

TEST_CASE("VerifyBatch: refuses every flipped bit but those a broker may set", "[protocol]") {
  for (const Compression compression : kAll) {
    const std::string batch = SmallBatch(compression);
    for (std::size_t at = 0; at < batch.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        INFO(CompressionName(compression) << " byte " << at << " bit " << bit);
        std::string flipped = batch;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        const bool sign_of_base_offset = at == 0 && bit == 7;
        const bool outside_the_checksum = (at < 8 && !sign_of_base_offset) || (at >= 12 && at < 16);
        const auto header = VerifyBatch(flipped);
        CHECK(header.has_value() == outside_the_checksum);
        if (!header) {
          CHECK((header.error().code() == Code::kCorruption || header.error().code() == Code::kUnimplemented));
        }
      }
    }
  }
}

TEST_CASE("BatchReader: survives every flipped bit under a checksum that fits", "[protocol]") {
  for (const Compression compression : kAll) {
    const std::string batch = SmallBatch(compression);
    for (std::size_t at = 21; at < batch.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = batch;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        Seal(flipped);
        const Status status = ReadAll(flipped);
        const bool says_sealed = at == 22 && bit == 7;
        if (says_sealed) CHECK(status.code() == Code::kInvalidArgument);
        if (says_sealed) continue;
        CHECK((status.ok() || status.code() == Code::kCorruption || status.code() == Code::kUnimplemented));
      }
    }
  }
}

TEST_CASE("ParseBatchHeader: names the field that is wrong", "[protocol]") {
  struct Wrong {
    std::string field;
    std::size_t at;
    std::string bytes;
  };
  const Wrong wrong =
      GENERATE(Wrong{"base_offset", 0, "ffffffffffffffff"}, Wrong{"batch_length", 8, "00000030"},
               Wrong{"batch_length", 8, "ffffffff"}, Wrong{"batch_length", 8, "01000000"}, Wrong{"magic 1", 16, "01"},
               Wrong{"magic 3", 16, "03"}, Wrong{"attributes", 21, "0040"}, Wrong{"attributes", 21, "8000"},
               Wrong{"compression number 5", 21, "0005"}, Wrong{"compression number 7", 21, "0007"},
               Wrong{"last_offset_delta", 23, "00000002"}, Wrong{"last_offset_delta", 23, "ffffffff"},
               Wrong{"record_count", 57, "00000000"}, Wrong{"record_count", 57, "ffffffff"},
               Wrong{"record_count", 57, "80000000"}, Wrong{"producer_id", 43, "fffffffffffffffe"},
               Wrong{"producer_epoch", 43, "0000000000000001"}, Wrong{"record_count", 23, "7ffffffe"});
  std::string batch = SmallBatch(Compression::kNone);
  batch.replace(wrong.at, wrong.bytes.size() / 2, FromHex(wrong.bytes));
  if (wrong.bytes == "7ffffffe") batch.replace(57, 4, FromHex("7fffffff"));
  const auto header = ParseBatchHeader(batch);
  REQUIRE_FALSE(header);
  INFO(header.error().ToString());
  CHECK(header.error().code() == Code::kCorruption);
  CHECK(header.error().message().find(wrong.field) != std::string::npos);
}

TEST_CASE("ParseBatchHeader: refuses a batch of no records, and more records than could fit", "[protocol]") {
  const std::string two = FromHex("0c 00 00 00 01 01 00  0c 00 00 02 01 01 00");
  CHECK(ParseBatchHeader(Forge(two, 2)).has_value());
  for (const std::int32_t count : {0, -1, 3}) {
    const auto header = ParseBatchHeader(Forge(two, count));
    REQUIRE_FALSE(header);
    CHECK(header.error().message().find("record_count " + std::to_string(count)) != std::string::npos);
  }
}

TEST_CASE("ParseBatchHeader: needs epoch and sequence of an idempotent producer", "[protocol]") {
  std::string batch = SmallBatch(Compression::kNone);
  batch.replace(43, 14, FromHex("0000000000000001 0000 00000000"));
  CHECK(ParseBatchHeader(batch).has_value());
  batch.replace(43, 14, FromHex("0000000000000001 ffff 00000000"));
  CHECK_FALSE(ParseBatchHeader(batch).has_value());
  batch.replace(43, 14, FromHex("0000000000000001 0000 ffffffff"));
  CHECK_FALSE(ParseBatchHeader(batch).has_value());
}

TEST_CASE("BatchReader Next: refuses each malformed record", "[protocol]") {
  // A sound record: length 6, attributes, timestamp 0, offset 0, key none, value none, no headers.
  REQUIRE(ReadAll(Forge(FromHex("0c 00 00 00 01 01 00"))).ok());
  const std::pair<std::string, std::string> wrong =
      GENERATE(std::pair<std::string, std::string>{"length too long", "0e 00 00 00 01 01 00"},
               std::pair<std::string, std::string>{"length negative", "0b 00 00 00 01 01 00"},
               std::pair<std::string, std::string>{"length zero", "00 00 00 00 01 01 00"},
               std::pair<std::string, std::string>{"length of six bytes", "ff ff ff ff ff 0f 00"},
               std::pair<std::string, std::string>{"length ends early", "80 80 80 80 80 80 80"},
               std::pair<std::string, std::string>{"length too short", "0a 00 00 00 01 01 00"},
               std::pair<std::string, std::string>{"attributes only", "02 00 00 00 01 01 00"},
               std::pair<std::string, std::string>{"timestamp ends early", "04 00 80 00 01 01 00"},
               std::pair<std::string, std::string>{"offset not its place", "0c 00 00 02 01 01 00"},
               std::pair<std::string, std::string>{"offset negative", "0c 00 00 01 01 01 00"},
               std::pair<std::string, std::string>{"key too long", "0c 00 00 00 08 01 00"},
               std::pair<std::string, std::string>{"key length -2", "0c 00 00 00 03 01 00"},
               std::pair<std::string, std::string>{"value too long", "0c 00 00 00 01 04 00"},
               std::pair<std::string, std::string>{"value length -2", "0c 00 00 00 01 03 00"},
               std::pair<std::string, std::string>{"header count negative", "0c 00 00 00 01 01 01"},
               std::pair<std::string, std::string>{"header count too large", "0c 00 00 00 01 01 02"},
               std::pair<std::string, std::string>{"header count huge", "14 00 00 00 01 01 fe ff ff ff 0f"},
               std::pair<std::string, std::string>{"header key none", "10 00 00 00 01 01 02 01 01"},
               std::pair<std::string, std::string>{"header key none, in two bytes", "12 00 00 00 01 01 02 81 00 01"},
               std::pair<std::string, std::string>{"header key too long", "10 00 00 00 01 01 02 04 01"},
               std::pair<std::string, std::string>{"header value too long", "10 00 00 00 01 01 02 00 02"},
               std::pair<std::string, std::string>{"bytes after the headers", "0e 00 00 00 01 01 00 00"},
               std::pair<std::string, std::string>{"bytes after the record", "0c 00 00 00 01 01 00 00"});
  INFO(wrong.first);
  const std::string batch = Forge(FromHex(wrong.second));
  REQUIRE(VerifyBatch(batch));
  CHECK(ReadAll(batch).code() == Code::kCorruption);
}

TEST_CASE("BatchReader Next: refuses fewer and more records than the header counts", "[protocol]") {
  const std::string two = FromHex("0c 00 00 00 01 01 00  0c 00 00 02 01 01 00");
  CHECK(ReadAll(Forge(two, 2)).ok());
  CHECK_FALSE(ReadAll(Forge(two, 1)).ok());
  CHECK_FALSE(ReadAll(Forge(two + "\x04", 3)).ok());
  CHECK_FALSE(ReadAll(Forge(two + std::string(7, '\0'), 3)).ok());
}

TEST_CASE("CheckRecords: counts key, value and headers against the limit, and names the record", "[protocol]") {
  const auto compression = GENERATE(Compression::kNone, Compression::kZstd);
  BatchBuilder builder(compression);
  const std::vector<HeaderView> headers = {{"h1", "1234"}, {"h2", std::nullopt}};
  builder.Add(0, std::nullopt, std::nullopt);
  builder.Add(0, "key", std::string(100, 'v'), headers);
  std::string batch;
  builder.Finish(batch);
  const auto header = VerifyBatch(batch);
  std::string scratch;
  constexpr std::size_t kContent = 3 + 100 + 2 + 4 + 2;
  CHECK(CheckRecords(*header, batch, kContent, scratch).ok());
  const Status over = CheckRecords(*header, batch, kContent - 1, scratch);
  CHECK(over.code() == Code::kInvalidArgument);
  CHECK(over.message().find("record 1 of the batch has 111 bytes, over the limit of 110") != std::string::npos);
}

TEST_CASE("CheckRecords: refuses a bomb at the cap, and does not keep it", "[protocol]") {
  const auto compression = GENERATE(Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd);
  std::string bomb = SmallBatch(compression).substr(0, kBatchHeaderSize);
  Compress(compression, std::string(kBatchBytesUncompressedMax + 1, '\0'), bomb);
  Seal(bomb);
  const auto header = VerifyBatch(bomb);
  REQUIRE(header.has_value());
  std::string scratch;
  const Status status = CheckRecords(*header, bomb, kRecordBytesMax, scratch);
  CHECK(status.code() == Code::kCorruption);
  CHECK(status.message().find("would exceed 67108864 bytes") != std::string::npos);
}

TEST_CASE("BatchReader: takes 10,000 headers of a record and no more", "[protocol]") {
  for (const std::size_t count : {10'000u, 10'001u}) {
    BatchBuilder builder;
    builder.Add(0, std::nullopt, std::nullopt, std::vector<HeaderView>(count));
    std::string batch;
    builder.Finish(batch);
    CHECK(ReadAll(batch).ok() == (count == kRecordHeadersMax));
  }
}

TEST_CASE("BatchReader Open: holds compressed batches to the count that fits", "[protocol]") {
  std::string batch = SmallBatch(Compression::kLz4);
  StoreBigEndian<std::int32_t>(batch.data() + 23, 99);
  StoreBigEndian<std::int32_t>(batch.data() + 57, 100);
  Seal(batch);
  CHECK(VerifyBatch(batch).has_value());  // only who decompresses can know
  CHECK(ReadAll(batch).code() == Code::kCorruption);
}

}  // namespace
}  // namespace sluice::protocol
