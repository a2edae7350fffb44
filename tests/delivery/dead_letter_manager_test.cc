// Dead letters over the broker's core: the configurations that are refused, the way through the log, and what users are
// told.
#include <future>
#include <string>
#include <vector>

#include "broker/delivery/dead_letter_output.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/log_stream_appender.h"
#include "tests/delivery/managed.h"

namespace sluice::delivery {
namespace {

constexpr const char* kDead = R"(, "DeadLetterStream": "orders-dead")";

/// As Document, with records that become rows.
std::string Converted(std::string_view name, std::string_view stream, std::string_view sluice) {
  std::string document =
      Document(name, stream, fmt::format(R"({}, "Columns": [{{"Name": "id", "Type": "int"}}])", sluice));
  const std::string_view plain = R"("CompressionFormat": "GZIP")";
  document.replace(
      document.find(plain), plain.size(),
      R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}})");
  return document;
}

struct WithDeadLetters : Managed {
  WithDeadLetters() { REQUIRE(core.catalog->Create("orders-dead", 2, {}).has_value()); }

  std::unique_ptr<StreamAppender> Appender() {
    return NewLogStreamAppender({.loops = core.loops,
                                 .appends = *core.appends,
                                 .append_options = core.append_limits,
                                 .reads = *core.reads,
                                 .catalog = *core.catalog,
                                 .stopping = stopping});
  }
  void AppendBad(int records) {
    const auto found = core.catalog->Find("orders");
    REQUIRE(core.Append(0, core.ShardOf(*found, 0), broker::BatchOf(records, "no json")).get().has_value());
  }
  /// One of the two shards that the dead-letter stream begins with.
  void Split(std::uint32_t shard) {
    const protocol::HashKey middle{std::uint64_t{shard == 0 ? 1u : 3u} << 62, 0};
    REQUIRE(core.resharder.Split("orders-dead", ShardIndex(shard), middle).has_value());
  }
  /// What the shards of the dead-letter stream hold: each record's source offset.
  std::vector<std::uint64_t> DeadOffsets(const LedgerDocument& ledger) {
    std::vector<std::uint64_t> offsets;
    const auto appender = Appender();
    for (const LedgerEntry& entry : ledger.entries) {
      for (const DeadLetters& letters : entry.dead_letters) {
        const auto visit = [&](Offset, const protocol::RecordView& record) {
          offsets.push_back(ParseErrorRecordLine(*record.value)->offset.value);
          return Status();
        };
        Status read = appender->Read(letters.shard, letters.first, letters.last + 1, visit);
        CHECK(read.ok());
      }
    }
    return offsets;
  }

  std::atomic<bool> stopping = false;
};

}  // namespace

TEST_CASE("DeliveryManager Handle: what fails is in the dead-letter stream, also over a split of it", "[delivery]") {
  WithDeadLetters managed;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Converted("d", "orders", kDead));
  managed.AppendBad(3);
  managed.Append("orders", 1, 4);
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), R"("dead_letters":3)"));
  const std::uint32_t shard = managed.Ledger("d").entries.back().dead_letters.at(0).shard.index.value;
  managed.Split(shard);
  managed.AppendBad(2);
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), R"("dead_letters":5)"));
  managed.Start();
  managed.AppendBad(1);
  const std::string told = managed.Answer(DeliveryAction::kFlush, "d");
  CHECK(Contains(told, R"("errors":6)"));
  CHECK(Contains(told, R"("dead_letters":6)"));
  CHECK(Contains(told, R"("DeadLetterStream":"orders-dead")"));
  const LedgerDocument ledger = managed.Ledger("d");
  CHECK(managed.DeadOffsets(ledger) == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5});
  CHECK(ledger.entries.back().dead_letters.at(0).shard.index.value >= 2);
  CHECK(Contains(managed.Answer(DeliveryAction::kErrors, "d"),
                 R"("dead_letters":[{"stream":"orders-dead","records":6,"gone":0}],"reasons":[{)"));
  CHECK(tools::VerifyDelivery(ledger, {})->ok());
  CHECK(Contains(managed.Answer(DeliveryAction::kReplay, "d"), R"("records":6,"failed":6,"gone":0,"done":true)"));
  const LedgerDocument replayed = managed.Ledger("d");
  CHECK(managed.DeadOffsets(replayed).size() == 12);
  CHECK(tools::VerifyDelivery(replayed, {})->ok());
  CHECK(Contains(managed.Answer(DeliveryAction::kErrors, "d"), R"("replayed":6,)"));
  // Nothing of it is held, and the stream can be deleted.
  CHECK_FALSE(managed.core.holds.HolderOf((*managed.core.catalog->Find("orders-dead"))->id).has_value());
}

TEST_CASE("LogStreamAppender: says what is not there, and what its records may have", "[delivery]") {
  WithDeadLetters managed;
  const auto appender = managed.Appender();
  CHECK(appender->Find("nobody", "key").error().code() == Code::kNotFound);
  CHECK(appender->record_bytes_max() == managed.core.append_limits.record_bytes_max);
  const auto place = appender->Find("orders-dead", "key");
  REQUIRE(place.has_value());
  CHECK(place->end == Offset(0));
  CHECK(*appender->Append(place->shard, broker::BatchOf(3)) == Offset(0));
  CHECK(*appender->Append(place->shard, broker::BatchOf(2)) == Offset(3));
  CHECK(appender->Find("orders-dead", "key")->end == Offset(5));
  std::vector<std::uint64_t> offsets;
  const auto visit = [&](Offset offset, const protocol::RecordView&) {
    offsets.push_back(offset.value);
    return Status();
  };
  const auto read = [&](std::uint64_t from, Offset to) {
    offsets.clear();
    return appender->Read(place->shard, Offset(from), to, visit).code();
  };
  CHECK(read(2, kMaxOffset) == Code::kOk);
  CHECK(offsets == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(read(1, Offset(4)) == Code::kOk);
  CHECK(offsets == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(read(5, kMaxOffset) == Code::kOk);
  CHECK(read(5, Offset(9)) == Code::kOk);
  CHECK(read(6, Offset(9)) == Code::kOutOfRange);
  CHECK(offsets.empty());
  managed.core.store.shard(place->shard).RemoveBelow(Offset(3));
  CHECK(read(1, Offset(4)) == Code::kOk);  // what retention has removed is passed over
  CHECK(offsets == std::vector<std::uint64_t>{3});
  CHECK(read(0, Offset(2)) == Code::kOk);
  CHECK(offsets.empty());
  CHECK(appender->Read({StreamId(77), ShardIndex(0)}, Offset(0), kMaxOffset, visit).code() == Code::kNotFound);
  CHECK(appender->Append({StreamId(77), ShardIndex(0)}, broker::BatchOf(1)).error().code() == Code::kNotFound);
  managed.Split(place->shard.index.value);
  CHECK(appender->Append(place->shard, broker::BatchOf(1)).error().code() == Code::kShardClosed);
  CHECK(appender->Find("orders-dead", "key")->shard != place->shard);
  managed.stopping = true;
  CHECK(appender->Append(place->shard, broker::BatchOf(1)).error().code() == Code::kUnavailable);
}

TEST_CASE("DeliveryManager Handle: a dead-letter stream that is not there is told before it matters", "[delivery]") {
  Managed managed;
  managed.Start();
  const auto made = managed.Do(DeliveryAction::kCreate, "", Document("d", "orders", kDead));
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code() == Code::kNotFound);
  CHECK(made.error().message() ==
        "Sluice.DeadLetterStream: stream 'orders-dead' does not exist; make it first ('sluice stream create "
        "orders-dead')");
  const auto checked = managed.Do(DeliveryAction::kCheck, "", Document("d", "orders", kDead));
  REQUIRE(checked.has_value());
  CHECK(checked->warnings.back() == made.error().message());
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  CHECK(managed.Do(DeliveryAction::kCreate, "", Document("d", "orders", kDead)).error().code() == Code::kNotFound);
  REQUIRE(managed.core.catalog->Create("orders-dead", 1, {}).has_value());
  CHECK(Contains(managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders", kDead)),
                 R"("changes":["Sluice.DeadLetterStream"])"));
  // Where it is deleted afterwards, other changes are possible.
  REQUIRE(managed.core.catalog->Delete("orders-dead").has_value());
  const std::string other = fmt::format(R"({}, "Delimiter": "")", kDead);
  CHECK(Contains(managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders", other)),
                 R"("changes":["Sluice.Delimiter"])"));
}

TEST_CASE("DeliveryManager Handle: dead letters that would come back are refused", "[delivery]") {
  WithDeadLetters managed;
  REQUIRE(managed.core.catalog->Create("third", 1, {}).has_value());
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("first", "orders", kDead));
  managed.Answer(DeliveryAction::kCreate, "", Document("second", "orders-dead", R"(, "DeadLetterStream": "third")"));
  const auto refused =
      managed.Do(DeliveryAction::kCreate, "", Document("last", "third", R"(, "DeadLetterStream": "orders")"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Code::kInvalidArgument);
  CHECK(refused.error().message() ==
        "Sluice.DeadLetterStream: what fails would come back: delivery stream 'second' reads 'orders-dead' and has "
        "'third', which this one reads, as its dead-letter stream; give another stream");
  CHECK(managed.Do(DeliveryAction::kCheck, "", Document("last", "third", R"(, "DeadLetterStream": "orders")"))
            .error()
            .message() == refused.error().message());
  managed.Answer(DeliveryAction::kCreate, "", Document("last", "third"));
  CHECK_FALSE(
      managed.manager
          ->Edit("last",
                 [](const auto&) {
                   return std::optional<broker::DeliveryDraft>(
                       {.document = Document("last", "third", R"(, "DeadLetterStream": "orders-dead")"), .given = ""});
                 })
          .has_value());
  // It may be one's own already, and that of several.
  managed.Answer(DeliveryAction::kCreate, "", Document("first", "orders", kDead));
  managed.Answer(DeliveryAction::kCreate, "", Document("other", "orders", kDead));
}

}  // namespace sluice::delivery
