// The stored documents: what is written is read back, and what is damaged or newer is refused.
#include "broker/delivery/delivery_state.h"

#include <tuple>

#include "broker/delivery/error_record.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

Intent SomeIntent() {
  Intent intent;
  intent.seq = 3;
  intent.decided_ms = 1'700'000'000'123;
  intent.time_ms = 1'700'000'000'000;
  intent.schema_version = 2;
  intent.ranges = {{ShardIndex(0), Offset(10), Offset(19)}, {ShardIndex(4), Offset(0), Offset(0)}};
  intent.lost = {{{ShardIndex(0), Offset(7), Offset(8)}, true}, {{ShardIndex(0), Offset(9), Offset(9)}, false}};
  intent.data_key = "a/\"b\"/c.parquet";
  intent.error_key = "errors/c";
  return intent;
}

LedgerEntry SomeEntry() {
  LedgerEntry entry;
  entry.seq = 3;
  entry.ranges = SomeIntent().ranges;
  entry.lost = SomeIntent().lost;
  entry.objects = {{"a/c.parquet", false, 10, 1000, 0xFFFF'FFFF'FFFF'FFFF}, {"errors/c", true, 1, 200, 0}};
  entry.records = 11;
  entry.user_records = 14;
  entry.rows = 10;
  entry.errors = 1;
  entry.bytes_in = 5000;
  return entry;
}

}  // namespace

TEST_CASE("DeliveryState: documents read back", "[delivery]") {
  CHECK(IntentFromJson(IntentToJson(SomeIntent())) == SomeIntent());
  Intent named = SomeIntent();
  named.uid = "0123456789abcdef";
  CHECK(IntentFromJson(IntentToJson(named)) == named);
  named.processed = SpillSeal{1, 2, 3};
  CHECK(IntentFromJson(IntentToJson(named)) == named);
  named.processed->key = {.master_key = "key-1", .bytes = std::string("\0wrapped", 8)};
  CHECK(IntentFromJson(IntentToJson(named)) == named);
  named.dead_letter_bytes_max = 1000;
  named.dead_letters = {{{StreamId(7), ShardIndex(2)}, Offset(30)}, {{StreamId(7), ShardIndex(3)}, Offset(0)}};
  CHECK(IntentFromJson(IntentToJson(named)) == named);
  CHECK(LedgerEntryFromJson(LedgerEntryToJson(SomeEntry())) == SomeEntry());
  LedgerEntry entry = SomeEntry();
  entry.bucket = "lake";
  entry.backup_bucket = "spare";
  entry.dead_letters = {{"dead", {StreamId(7), ShardIndex(2)}, Offset(30), Offset(34)}};
  CHECK(LedgerEntryFromJson(LedgerEntryToJson(entry)) == entry);
  std::string damaged = LedgerEntryToJson(entry);
  damaged.replace(damaged.find(R"("last":34)"), 9, R"("last":29)");
  CHECK(LedgerEntryFromJson(damaged).error().code() == Code::kCorruption);
  Checkpoint checkpoint;
  checkpoint.next_seq = 3;
  checkpoint.shards = {{ShardIndex(0), Offset(5), Offset(7)}, {ShardIndex(4), Offset(0), Offset(0)}};
  const Checkpoint after = Advance(checkpoint, SomeEntry(), 99);
  CHECK(CheckpointFromJson(CheckpointToJson(after)) == after);
  CHECK(after.next_seq == 4);
  CHECK(after.shards ==
        std::vector<ShardPosition>{{ShardIndex(0), Offset(5), Offset(20)}, {ShardIndex(4), Offset(0), Offset(1)}});
  CHECK(after.totals == DeliveryTotals{11, 14, 10, 1, 0, 3, 0, 2, 5000, 1200});
}

TEST_CASE("DeliveryState: what an endpoint has taken and refused reads back", "[delivery]") {
  Intent intent = SomeIntent();
  intent.refused.emplace();
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  CHECK(IntentFromJson(IntentToJson(intent)) != SomeIntent());  // no request was refused, and nothing is known of any
  intent.refused->push_back({.request = 2, .code = "c", .message = "\"m\"", .attempts = 3, .ended_ms = 4});
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  intent.refused->back().records = {0, 7};
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  LedgerEntry entry = SomeEntry();
  entry.sent = 4;
  CHECK(LedgerEntryFromJson(LedgerEntryToJson(entry)) == entry);
  Checkpoint checkpoint;
  checkpoint.totals.sent = 5;
  CHECK(CheckpointFromJson(CheckpointToJson(checkpoint)) == checkpoint);
}

TEST_CASE("DeliveryState: what was loaded and skipped reads back, and manifests are no objects of records",
          "[delivery]") {
  LedgerEntry entry;
  entry.seq = 1;
  entry.ranges = {{ShardIndex(0), Offset(0), Offset(4)}};
  entry.objects = {{.key = "a", .rows = 5, .bytes = 70}, {.key = "manifests/a", .bytes = 50, .manifest = true}};
  entry.load = {.loaded = true, .attempts = 2};
  entry.records = entry.user_records = entry.rows = 5;
  CHECK(*LedgerEntryFromJson(LedgerEntryToJson(entry)) == entry);
  Checkpoint checkpoint;
  checkpoint.shards = {{ShardIndex(0), Offset(0), Offset(0)}};
  checkpoint = Advance(checkpoint, entry, 1);
  CHECK(checkpoint.totals.objects == 1);
  CHECK(checkpoint.totals.bytes_out == 70);
  CHECK(checkpoint.totals.loaded_rows == 5);
  CHECK(checkpoint.totals.skipped_rows == 0);
  entry.seq = 2;
  entry.ranges = {{ShardIndex(0), Offset(5), Offset(9)}};
  entry.load = {.loaded = false, .attempts = 1, .code = "Redshift.DataLoadFailed", .message = "it says \"why\""};
  CHECK(*LedgerEntryFromJson(LedgerEntryToJson(entry)) == entry);
  checkpoint = Advance(checkpoint, entry, 2);
  CHECK(checkpoint.totals.loaded_rows == 5);
  CHECK(checkpoint.totals.skipped_rows == 5);
  CHECK(*CheckpointFromJson(CheckpointToJson(checkpoint)) == checkpoint);
}

TEST_CASE("DeliveryState: a backup's objects and a replay's lines read back, and are counted apart", "[delivery]") {
  Intent intent = SomeIntent();
  intent.backup_keys = {"raw/a", "raw/b"};
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  LedgerEntry backed_up = SomeEntry();
  backed_up.bucket = "lake";
  backed_up.backup_bucket = "spare";
  backed_up.objects.push_back({"raw/a", false, 11, 3000, 7, true});
  CHECK(LedgerEntryFromJson(LedgerEntryToJson(backed_up)) == backed_up);
  intent.ranges.clear();
  intent.replays = {{"errors/c", 200, 5, {{0, 3}, {7, 7}}}};
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  intent.replays.front().bucket = "lake";
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  LedgerEntry replay;
  replay.seq = 4;
  replay.replays = intent.replays;
  replay.records = 5;
  replay.user_records = 6;
  replay.errors = 2;
  CHECK(LedgerEntryFromJson(LedgerEntryToJson(replay)) == replay);
  Checkpoint checkpoint;
  checkpoint.next_seq = 3;
  checkpoint.shards = {{ShardIndex(0), Offset(5), Offset(7)}, {ShardIndex(4), Offset(0), Offset(0)}};
  const Checkpoint after = Advance(Advance(checkpoint, backed_up, 99), replay, 100);
  CHECK(CheckpointFromJson(CheckpointToJson(after)) == after);
  const DeliveryTotals& totals = after.totals;
  CHECK((std::tuple(totals.records, totals.user_records, totals.errors, totals.replayed) == std::tuple(11, 15, 3, 5)));
  CHECK((std::tuple(totals.objects, totals.bytes_out) == std::tuple(2, 1200)));
  CHECK(after.buckets == std::vector<std::string>{"lake", "spare"});
  CHECK((std::tuple(totals.backup_records, totals.backup_objects, totals.backup_bytes) == std::tuple(11, 1, 3000)));
}

TEST_CASE("DeliveryState: a replay of dead letters reads back, and is nothing for versions before", "[delivery]") {
  Intent intent = SomeIntent();
  intent.ranges.clear();
  intent.replays = {{"errors/c", 200, 5, {{0, 3}, {7, 7}}}};
  CHECK(IntentToJson(intent).starts_with(R"({"format":1,)"));
  const ShardId shard{StreamId(9), ShardIndex(2)};
  intent.replays.push_back({.key = "orders-dead", .lines = {{40, 41}, {50, 50}}, .shard = shard});
  CHECK(IntentToJson(intent).starts_with(R"({"format":2,)"));
  CHECK(IntentToJson(intent).contains(
      R"({"stream":"orders-dead","stream_id":9,"shard":2,"lines":[{"first":40,"last":41},{"first":50,"last":50}]})"));
  CHECK(IntentFromJson(IntentToJson(intent)) == intent);
  LedgerEntry replay;
  replay.seq = 4;
  replay.replays = intent.replays;
  replay.records = replay.user_records = 8;
  CHECK(LedgerEntryToJson(replay).starts_with(R"({"format":2,)"));
  CHECK(LedgerEntryFromJson(LedgerEntryToJson(replay)) == replay);
  Checkpoint checkpoint;
  checkpoint.next_seq = 4;
  CHECK(Advance(checkpoint, replay, 100).totals.replayed == 8);
}

TEST_CASE("DeliveryState: lines that are not in their order, or too many, are refused", "[delivery]") {
  LedgerEntry replay;
  replay.seq = 4;
  replay.replays = {{"errors/c", 200, 5, {{0, 3}, {7, 7}}}};
  replay.records = replay.user_records = 5;
  const std::string good = LedgerEntryToJson(replay);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return LedgerEntryFromJson(text);
  };
  CHECK(with(R"("first":7)", R"("first":3)").error().message().contains("not in their order"));
  CHECK(with(R"("last":3)", R"("last":2)").error().message().contains("'records' does not agree"));
  CHECK(with(R"("checksum":"0000000000000005")", R"("checksum":"5")")
            .error()
            .message()
            .contains("16 hexadecimal digits"));
}

TEST_CASE("DeliveryState: what knows nothing of aggregates has opened none", "[delivery]") {
  constexpr std::string_view kUserRecords = R"("user_records":14,)";
  std::string entry = LedgerEntryToJson(SomeEntry());
  entry.erase(entry.find(kUserRecords), kUserRecords.size());
  const auto read = LedgerEntryFromJson(entry);
  REQUIRE(read.has_value());
  CHECK(read->user_records == 11);
  Checkpoint checkpoint;
  checkpoint.totals.records = 11;
  checkpoint.totals.user_records = 14;
  std::string totals = CheckpointToJson(checkpoint);
  totals.erase(totals.find(kUserRecords), kUserRecords.size());
  CHECK(CheckpointFromJson(totals)->totals.user_records == 11);
  std::string below = LedgerEntryToJson(SomeEntry());
  below.replace(below.find(kUserRecords), kUserRecords.size(), R"("user_records":10,)");
  CHECK(LedgerEntryFromJson(below).error().message().contains("'user_records' is below 'records'"));
}

TEST_CASE("DeliveryState: damage and newer formats are refused", "[delivery]") {
  CHECK(IntentFromJson("{}").error().code() == Code::kCorruption);
  CHECK(IntentFromJson("").error().code() == Code::kCorruption);
  CHECK(IntentFromJson(R"({"format":3})").error().code() == Code::kUnimplemented);
  const std::string good = LedgerEntryToJson(SomeEntry());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(LedgerEntryFromJson(good.substr(0, size)).has_value());
  std::string wrong_count = good;
  wrong_count.replace(wrong_count.find("\"records\":11"), 12, "\"records\":12");
  CHECK(LedgerEntryFromJson(wrong_count).error().message().find("does not agree") != std::string::npos);
  std::string backwards = IntentToJson(SomeIntent());
  backwards.replace(backwards.find("\"last\":19"), 9, "\"last\":09");
  CHECK_FALSE(IntentFromJson(backwards).has_value());
}

TEST_CASE("ErrorRecordLine: Firehose's fields, our place, any bytes", "[delivery]") {
  const std::string raw("\x00\xff{\"a\"", 6);
  const ErrorContext context{"orders-lake", 1'700'000'000'500, 2, 1'600'000'000'000};
  const RecordRef record{raw, "key", ShardIndex(3), Offset(42), 1'700'000'000'000};
  const std::string line = ErrorRecordLine(
      context, {record, kFormatConversionFailed, "DataFormatConversion.ParseError", "bad byte \xff here"});
  CHECK(line.starts_with(
      R"({"attemptsMade":1,"arrivalTimestamp":1700000000000,"lastErrorCode":"DataFormatConversion.ParseError",)"
      R"("lastErrorMessage":"bad byte ? here","attemptEndingTimestamp":1700000000500,"rawData":"AP97ImEi",)"
      R"("sequenceNumber":")"));
  CHECK(
      line.ends_with("\"dataCatalogTable\":{\"tableName\":\"orders-lake\",\"versionId\":\"2\"},"
                     "\"shardId\":\"shardId-000000000003\"}\n"));
  const auto place = ParseErrorRecordLine(line);
  REQUIRE(place.has_value());
  CHECK(place->shard == ShardIndex(3));
  CHECK(place->offset == Offset(42));
  std::string forged = line;
  forged.replace(forged.find("000000000003"), 12, "000000000004");
  CHECK(ParseErrorRecordLine(forged).error().code() == Code::kCorruption);
  CHECK_FALSE(ParseErrorRecordLine("{}").has_value());
}

TEST_CASE("ErrorRecordLine: of a Lambda, with the place in an opened record", "[delivery]") {
  const ErrorContext context{"orders-lake", 1'700'000'000'500, 2, 1'600'000'000'000};
  RecordRef record{"a", "key", ShardIndex(3), Offset(42), 1'700'000'000'000};
  record.sub_sequence = 7;
  const std::string line =
      ErrorRecordLine(context, {record, kProcessingFailed, "Lambda.FunctionError", "it failed", 4, "arn:lambda"});
  CHECK(line.starts_with(
      R"({"attemptsMade":4,"arrivalTimestamp":1700000000000,"errorCode":"Lambda.FunctionError","errorMessage":"it failed",)"
      R"("attemptEndingTimestamp":1700000000500,"rawData":"YQ==","lambdaARN":"arn:lambda","sequenceNumber":")"));
  CHECK(line.ends_with("\"subSequenceNumber\":7,\"shardId\":\"shardId-000000000003\"}\n"));
  CHECK(ParseErrorRecordLine(line)->sub_sequence == 7);
}

}  // namespace sluice::delivery
