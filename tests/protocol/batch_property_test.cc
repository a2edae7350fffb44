// Properties of batches over random records: what goes in comes out, whatever the compression.
#include <rapidcheck.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/batch.h"
#include "tests/catch.h"

namespace sluice::protocol {
namespace {

struct Header {
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const Header&, const Header&) = default;
};

struct Record {
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  friend bool operator==(const Record&, const Record&) = default;
};

std::optional<std::string> AnyBytes() {
  if (*rc::gen::inRange(0, 5) == 0) return std::nullopt;
  // Repetition, so that compression has something to do, and lengths over the first varint sizes.
  const auto piece = *rc::gen::arbitrary<std::string>();
  std::string bytes;
  for (int i = *rc::gen::inRange(0, 100); i > 0; --i) bytes += piece;
  return bytes;
}

Record AnyRecord() {
  Record record;
  record.timestamp_ms = *rc::gen::arbitrary<std::int64_t>();
  record.key = AnyBytes();
  record.value = AnyBytes();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    record.headers.push_back({*rc::gen::arbitrary<std::string>(), AnyBytes()});
  }
  return record;
}

std::vector<Record> AnyRecords() {
  std::vector<Record> records;
  for (int i = *rc::gen::inRange(1, 40); i > 0; --i) records.push_back(AnyRecord());
  return records;
}

std::string Build(BatchBuilder& builder, const std::vector<Record>& records) {
  for (const Record& record : records) {
    std::vector<HeaderView> headers;
    for (const Header& header : record.headers) headers.push_back({header.key, header.value});
    builder.Add(record.timestamp_ms, record.key, record.value, headers);
  }
  std::string batch;
  builder.Finish(batch);
  return batch;
}

std::vector<Record> Read(const std::string& batch) {
  std::string scratch = "left over";
  auto reader = BatchReader::Open(batch, scratch);
  RC_ASSERT(reader.has_value());
  std::vector<Record> records;
  while (true) {
    const auto view = reader->Next();
    RC_ASSERT(view.has_value());
    if (*view == nullptr) return records;
    Record record{(*view)->timestamp_ms, {}, {}, {}};
    if ((*view)->key) record.key = std::string(*(*view)->key);
    if ((*view)->value) record.value = std::string(*(*view)->value);
    for (const HeaderView& header : (*view)->headers) {
      record.headers.push_back({std::string(header.key), {}});
      if (header.value) record.headers.back().value = std::string(*header.value);
    }
    RC_ASSERT((*view)->offset_delta == static_cast<std::int32_t>(records.size()));
    records.push_back(std::move(record));
  }
}

TEST_CASE("BatchBuilder: random records come back from the reader", "[protocol]") {
  const auto compression = static_cast<Compression>(GENERATE(0, 1, 2, 3, 4));
  INFO(CompressionName(compression));
  BatchBuilder builder(compression);
  CHECK(rc::check([&] {
    const std::vector<Record> records = AnyRecords();
    const std::string batch = Build(builder, records);
    RC_ASSERT(VerifyBatch(batch).has_value());
    RC_ASSERT((Read(batch) == records));
  }));
}

TEST_CASE("BatchBuilder: size_bytes is the size of the uncompressed batch", "[protocol]") {
  CHECK(rc::check([] {
    BatchBuilder builder;
    for (const Record& record : AnyRecords()) builder.Add(record.timestamp_ms, record.key, record.value);
    const std::size_t size = builder.size_bytes();
    std::string batch;
    builder.Finish(batch);
    RC_ASSERT(batch.size() == size);
  }));
}

TEST_CASE("VerifyBatch: random bytes over a batch never pass unless they are the same", "[protocol]") {
  const auto compression = static_cast<Compression>(GENERATE(0, 4));
  BatchBuilder builder(compression);
  CHECK(rc::check([&] {
    const std::string batch = Build(builder, AnyRecords());
    std::string damaged = batch;
    const auto at = *rc::gen::inRange<std::size_t>(16, batch.size());
    const auto bytes = *rc::gen::nonEmpty(rc::gen::arbitrary<std::string>());
    damaged.replace(at, bytes.size(), bytes);
    RC_PRE(damaged != batch);
    RC_ASSERT_FALSE(VerifyBatch(damaged).has_value());
  }));
}

}  // namespace
}  // namespace sluice::protocol
