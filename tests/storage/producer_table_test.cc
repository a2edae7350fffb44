// The window of idempotent producers.
#include "storage/producer_table.h"

#include "tests/catch.h"

namespace sluice::storage {
namespace {

protocol::BatchHeader Batch(std::int64_t id, std::int16_t epoch, std::int32_t sequence, std::int32_t count = 1) {
  protocol::BatchHeader header;
  header.producer_id = id;
  header.producer_epoch = epoch;
  header.base_sequence = sequence;
  header.record_count = count;
  return header;
}

}  // namespace

TEST_CASE("ProducerTable Check: new, duplicate, gap, older epoch", "[storage]") {
  ProducerTable table;
  CHECK(table.Check(Batch(1, 0, 0, 3)).value() == std::nullopt);
  table.Add(Batch(1, 0, 0, 3), Offset(10), 100);
  table.Add(Batch(1, 0, 3), Offset(13), 101);
  CHECK(table.Check(Batch(1, 0, 0, 3)).value()->base_offset == Offset(10));
  CHECK(table.Check(Batch(1, 0, 3)).value()->base_offset == Offset(13));
  CHECK(table.Check(Batch(1, 0, 4)).value() == std::nullopt);
  const auto gap = table.Check(Batch(1, 0, 6));
  REQUIRE_FALSE(gap.has_value());
  CHECK(gap.error().code() == Code::kFailedPrecondition);
  CHECK(gap.error().message() == "producer 1: sequence 4 was expected, 6 came");
  CHECK(table.Check(Batch(1, 0, 0, 2)).error().code() == Code::kFailedPrecondition);  // same start, other length
  CHECK(table.Check(Batch(1, 1, 0)).value() == std::nullopt);
  CHECK(table.Check(Batch(1, 1, 5)).error().code() == Code::kFailedPrecondition);
  table.Add(Batch(1, 1, 0), Offset(14), 102);
  CHECK(table.Check(Batch(1, 0, 4)).error().code() == Code::kFenced);
}

TEST_CASE("ProducerTable Check: who is not known begins with sequence 0", "[storage]") {
  ProducerTable table;
  const auto gap = table.Check(Batch(1, 0, 3));
  REQUIRE_FALSE(gap.has_value());
  CHECK(gap.error().code() == Code::kFailedPrecondition);
  CHECK(gap.error().message() == "producer 1 is not known (any more) and has to begin with sequence 0, 3 came");
  CHECK(table.Check(Batch(1, 7, 0)).value() == std::nullopt);
}

TEST_CASE("ProducerTable Check: remembers five batches", "[storage]") {
  ProducerTable table;
  for (std::int32_t i = 0; i < 7; ++i) table.Add(Batch(1, 0, i), Offset(static_cast<std::uint64_t>(i)), 100);
  CHECK(table.Check(Batch(1, 0, 1)).error().code() == Code::kFailedPrecondition);
  CHECK(table.Check(Batch(1, 0, 2)).value()->base_offset == Offset(2));
}

TEST_CASE("ProducerTable Check: sequences go on at 0 after the largest", "[storage]") {
  CHECK(NextSequence(2147483647, 1) == 0);
  ProducerTable table;
  table.Add(Batch(1, 0, 2147483646, 3), Offset(0), 100);  // ends with sequence 0
  CHECK(table.Check(Batch(1, 0, 1)).value() == std::nullopt);
}

TEST_CASE("ProducerTable Add: bounded, forgets the longest silent and the expired", "[storage]") {
  ProducerTable table;
  for (std::int64_t id = 0; id < 10'001; ++id) table.Add(Batch(id, 0, 0), Offset(static_cast<std::uint64_t>(id)), 100);
  CHECK(table.size() == ProducerTable::kProducersMax);
  CHECK(table.Check(Batch(0, 0, 0)).value() == std::nullopt);  // forgotten
  CHECK(table.Check(Batch(1, 0, 0)).value()->base_offset == Offset(1));
  table.Add(Batch(1, 0, 1), Offset(20'000), 101 + ProducerTable::kExpireMs);
  CHECK(table.size() == 1);
}

TEST_CASE("ProducerTable Snapshot: what is not below the end is left out, Restore gives the same table", "[storage]") {
  ProducerTable table;
  table.Add(Batch(1, 0, 0, 2), Offset(0), 100);
  table.Add(Batch(2, 3, 0), Offset(2), 100);
  table.Add(Batch(1, 0, 2), Offset(3), 100);
  const auto snapshot = table.Snapshot(Offset(3));
  REQUIRE(snapshot.size() == 2);
  CHECK(snapshot[0].id == ProducerId(2));  // producer 1 spoke last
  CHECK(snapshot[1].batches.size() == 1);
  ProducerTable restored;
  restored.Restore(snapshot);
  CHECK(restored.Snapshot(Offset(3)) == snapshot);
  CHECK(restored.Check(Batch(1, 0, 2)).value() == std::nullopt);
}

}  // namespace sluice::storage
