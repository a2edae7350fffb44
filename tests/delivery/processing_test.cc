// Processors by themselves: what becomes of a record, in which place, and what is said of one that they cannot process.
#include <fmt/format.h>

#include "broker/delivery/error_record.h"
#include "broker/delivery/processing/processor_registry.h"
#include "tests/catch.h"
#include "tests/delivery/log_documents.h"

namespace sluice::delivery {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;
using Strings = std::vector<std::string>;

Result<std::unique_ptr<Processor>> TryMake(std::string_view type, Parameters parameters) {
  const ProcessorKind* const kind = FindProcessorKind(type);
  REQUIRE(kind != nullptr);
  return kind->make({.type = std::string(type), .parameters = std::move(parameters)}, {});
}

std::unique_ptr<Processor> Make(std::string_view type, Parameters parameters) {
  auto made = TryMake(type, std::move(parameters));
  REQUIRE(made.has_value());
  return std::move(*made);
}

std::unique_ptr<Processor> Decompression() { return Make("Decompression", {}); }
std::vector<std::unique_ptr<Processor>> One(std::unique_ptr<Processor> processor) {
  std::vector<std::unique_ptr<Processor>> one;
  one.push_back(std::move(processor));
  return one;
}

RecordRef At(std::uint64_t offset, std::string_view value, std::optional<std::uint64_t> sub_sequence = {}) {
  return {.value = value,
          .key = "key",
          .shard = ShardIndex(3),
          .offset = Offset(offset),
          .append_time_ms = 77,
          .sub_sequence = sub_sequence};
}

/// A batch that went through processors.
struct Processed {
  WorkBatch batch;

  Processed(const std::vector<RecordRef>& records, const std::vector<std::unique_ptr<Processor>>& processors) {
    for (const RecordRef& record : records) batch.Add(record);
    for (const auto& processor : processors) REQUIRE(processor->Process(batch).ok());
  }
  Processed(std::string_view value, std::unique_ptr<Processor> processor) {
    batch.Add(At(0, value));
    REQUIRE(processor->Process(batch).ok());
  }

  Strings Values() const {
    Strings values;
    for (const WorkRecord& record : batch.records) values.emplace_back(record.record.value);
    return values;
  }
  /// OFFSET.PLACE of every record: "7.2"; "7" of one that is alone.
  Strings Places() const {
    Strings places;
    for (const WorkRecord& record : batch.records) places.push_back(Place(record.record));
    return places;
  }
  static std::string Place(const RecordRef& record) {
    const std::string offset = std::to_string(record.offset.value);
    return record.sub_sequence ? fmt::format("{}.{}", offset, *record.sub_sequence) : offset;
  }
  /// The only failure, as "TYPE|CODE|MESSAGE".
  std::string Failure() const {
    REQUIRE(batch.failures.size() == 1);
    CHECK(batch.records.empty());
    CHECK(batch.filtered == 0);
    const ProcessingFailure& failure = batch.failures[0];
    CHECK(failure.attempts == 1);
    CHECK(failure.lambda_arn.empty());
    return fmt::format("{}|{}|{}", failure.error_type, failure.code, failure.message);
  }
};

TEST_CASE("Decompression Process: gzip of one member, of several, of nothing", "[delivery]") {
  const Processed done({At(0, Gzip("one")), At(1, Gzip("two") + Gzip("") + Gzip("three")), At(2, Gzip(""))},
                       One(Decompression()));
  CHECK(done.Values() == Strings{"one", "twothree", ""});
  CHECK(done.Places() == Strings{"0", "1", "2"});
  CHECK(done.batch.records[1].source == Gzip("two") + Gzip("") + Gzip("three"));
  CHECK(done.batch.records[1].record.key == "key");
  CHECK(done.batch.failures.empty());
}

TEST_CASE("Decompression Process: what is no gzip data fails with its own bytes, the others go on", "[delivery]") {
  const std::string good = Gzip("good");
  std::string changed = good;
  changed[good.size() - 5] = static_cast<char>(changed[good.size() - 5] ^ 1);  // in the checksum
  const auto [bad, message] = GENERATE_COPY(table<std::string, std::string>({
      {"", "gzip data is damaged: it ends early"},
      {"{}", "gzip data is damaged: incorrect header check"},
      {good.substr(0, good.size() - 1), "gzip data is damaged: it ends early"},
      {good + "x", "gzip data is damaged: "},
      {changed, "gzip data is damaged: incorrect data check"},
  }));
  WorkBatch batch;
  for (const std::string& value : {good, bad, good}) batch.Add(At(batch.records.size(), value));
  REQUIRE(Decompression()->Process(batch).ok());
  REQUIRE(batch.failures.size() == 1);
  const ProcessingFailure& failure = batch.failures[0];
  CHECK(failure.error_type == kDecompressionFailed);
  CHECK(failure.code == "Decompression failed.");
  CHECK(failure.message.starts_with(message));
  CHECK(failure.record.value == bad);
  CHECK(failure.record.offset == Offset(1));
  REQUIRE(batch.records.size() == 2);
  CHECK(batch.records[1].record.offset == Offset(2));
  CHECK(batch.records[1].record.value == "good");
}

TEST_CASE("Decompression Process: 64 MiB of one record and no more", "[delivery]") {
  const std::string zeros(64u << 20, '0');
  const std::string full = Gzip(zeros);
  const Processed taken(full, Decompression());
  REQUIRE(taken.batch.records.size() == 1);
  CHECK(taken.batch.records[0].record.value.size() == zeros.size());
  const Processed bomb(full + Gzip("0"), Decompression());
  CHECK(bomb.Failure() == "decompression-failed|Decompression failed.|decompressed data would exceed 67108864 bytes");
}

}  // namespace
}  // namespace sluice::delivery
