// Record batches: what the builder writes the reader reads, and nothing else is read.
#include "protocol/batch.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kGzip, Compression::kSnappy, Compression::kLz4,
                                Compression::kZstd};

std::string SmallBatch(Compression compression) {
  BatchBuilder builder(compression);
  const std::vector<HeaderView> headers = {{"trace", "abc"}, {"empty", ""}, {"none", std::nullopt}};
  builder.Add(1'700'000'000'000, "user-1", "first", headers);
  builder.Add(1'700'000'000'005, std::nullopt, "second");
  builder.Add(1'699'999'999'990, "", std::nullopt);
  builder.SetProducer(ProducerId(7), 2, 40);
  std::string out;
  builder.Finish(out);
  return out;
}

TEST_CASE("BatchReader Next: reads what BatchBuilder wrote", "[protocol]") {
  for (const Compression compression : kAll) {
    INFO(CompressionName(compression));
    const std::string batch = SmallBatch(compression);
    const auto header = VerifyBatch(batch);
    REQUIRE(header);
    CHECK(header->compression() == compression);
    CHECK(header->record_count == 3);
    CHECK(header->last_offset_delta == 2);
    CHECK(header->base_timestamp_ms == 1'700'000'000'000);
    CHECK(header->max_timestamp_ms == 1'700'000'000'005);
    CHECK(header->producer_id == 7);
    CHECK(header->producer_epoch == 2);
    CHECK(header->base_sequence == 40);

    std::string scratch;
    auto reader = BatchReader::Open(batch, scratch);
    REQUIRE(reader);
    const RecordView* record = reader->Next().value();
    REQUIRE(record != nullptr);
    CHECK(record->timestamp_ms == 1'700'000'000'000);
    CHECK(record->key == "user-1");
    CHECK(record->value == "first");
    REQUIRE(record->headers.size() == 3);
    CHECK(record->headers[0].key == "trace");
    CHECK(record->headers[0].value == "abc");
    CHECK(record->headers[1].value == "");
    CHECK_FALSE(record->headers[2].value.has_value());
    record = reader->Next().value();
    REQUIRE(record != nullptr);
    CHECK(record->offset_delta == 1);
    CHECK(record->timestamp_ms == 1'700'000'000'005);
    CHECK_FALSE(record->key.has_value());
    CHECK(record->headers.empty());
    record = reader->Next().value();
    REQUIRE(record != nullptr);
    CHECK(record->timestamp_ms == 1'699'999'999'990);
    CHECK(record->key == "");
    CHECK_FALSE(record->value.has_value());
    CHECK(reader->Next().value() == nullptr);
  }
}

TEST_CASE("BatchBuilder AddFilled: the same batch as Add", "[protocol]") {
  const Compression compression = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  BatchBuilder added(compression);
  BatchBuilder filled(compression);
  for (const std::string_view value : {"", "x", "a value of some length"}) {
    added.Add(5, "key", value);
    filled.AddFilled(5, "key", value.size(), [&](char* to) { std::ranges::copy(value, to); });
  }
  std::string expected, batch;
  added.Finish(expected);
  filled.Finish(batch);
  CHECK(batch == expected);
}

TEST_CASE("SetBaseOffset: leaves the checksum valid", "[protocol]") {
  std::string batch = SmallBatch(Compression::kNone);
  SetBaseOffset(batch, Offset(123456789));
  const auto header = VerifyBatch(batch);
  REQUIRE(header);
  CHECK(header->base_offset == 123456789);
}

TEST_CASE("SetProducer: writes the fields and renews the checksum", "[protocol]") {
  std::string batch = SmallBatch(Compression::kNone);
  SetProducer(batch, ProducerId(77), 5, 123);
  const auto header = VerifyBatch(batch);
  REQUIRE(header);
  CHECK(header->producer_id == 77);
  CHECK(header->producer_epoch == 5);
  CHECK(header->base_sequence == 123);
}

TEST_CASE("BatchBuilder Finish: starts anew, appends behind what is there", "[protocol]") {
  BatchBuilder builder;
  std::string out = "before";
  builder.Add(1, "k", "v");
  builder.Finish(out);
  CHECK(builder.empty());
  CHECK(builder.size_bytes() == kBatchHeaderSize);
  builder.Add(2, "k", "v");
  std::string second;
  builder.Finish(second);
  CHECK(out.starts_with("before"));
  REQUIRE(VerifyBatch(std::string_view(out).substr(6)));
  const auto header = VerifyBatch(second);
  REQUIRE(header);
  CHECK(header->base_timestamp_ms == 2);
  CHECK(header->record_count == 1);
}

}  // namespace
}  // namespace sluice::protocol
