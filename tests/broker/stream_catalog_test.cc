// The same behaviour over the memory store and over RocksDB, and what a restart finds.
#include "broker/stream_catalog.h"

#include <filesystem>

#include "broker/reshard_plan.h"
#include "broker/stream_codec.h"
#include "storage/env/memory_env.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

// A metadata store that can be closed and opened again.
class Store {
 public:
  explicit Store(bool rocksdb) : rocksdb_(rocksdb) {
    if (rocksdb_) {
      std::string name = (std::filesystem::temp_directory_path() / "sluice-catalog-XXXXXX").string();
      dir_ = mkdtemp(name.data());
    }
    Reopen();
  }
  ~Store() {
    store_.reset();
    if (rocksdb_) std::filesystem::remove_all(dir_);
  }
  void Reopen() {
    if (!rocksdb_) {
      if (!store_) store_ = storage::NewMemoryMetadataStore();
      return;
    }
    store_.reset();
    auto opened = storage::OpenRocksdbMetadataStore(dir_);
    REQUIRE(opened.has_value());
    store_ = std::move(*opened);
  }
  storage::MetadataStore& operator*() { return *store_; }

 private:
  bool rocksdb_;
  std::string dir_;
  std::unique_ptr<storage::MetadataStore> store_;
};

std::unique_ptr<StreamCatalog> OpenCatalog(Store& store, storage::Clock& clock) {
  auto catalog = StreamCatalog::Open(*store, clock);
  REQUIRE(catalog.has_value());
  return std::move(*catalog);
}

TEST_CASE("StreamCatalog: keeps streams over a restart", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  const auto made = catalog->Create("orders", 3, {.age_ms = 86'400'000, .bytes = 1u << 30});
  REQUIRE(made.has_value());
  CHECK((*made)->id == StreamId(1));
  CHECK((*made)->created_ms == clock.WallMs());
  REQUIRE(catalog->Create("delivery:hidden", 1, {}, true).has_value());

  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  const auto found = catalog->Find("orders");
  REQUIRE(found.has_value());
  CHECK((*found)->id == StreamId(1));
  CHECK((*found)->retention == (*made)->retention);
  CHECK((*found)->shards.ranges() == (*made)->shards.ranges());
  CHECK(catalog->List().size() == 1);
  CHECK(catalog->ListAll().size() == 2);
  CHECK((*catalog->Find("delivery:hidden"))->hidden);
}

TEST_CASE("StreamCatalog: keeps closed shards over a restart", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  REQUIRE(catalog->Create("orders", 2, {}).has_value());
  const auto stored_before = *(*store).Get("stream/orders");
  const protocol::HashKey middle{std::uint64_t{3} << 62, 0};
  const auto changed = catalog->Change("orders", [&](StreamInfo& stream) {
    return ApplyChanges(stream, {{{ShardIndex(1)}, {stream.FindShard(ShardIndex(1))->first, middle}}},
                        {{ShardIndex(1), Offset(41)}}, clock.WallMs());
  });
  REQUIRE(changed.has_value());
  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  const auto found = catalog->Find("orders");
  REQUIRE(found.has_value());
  const StreamInfo& stream = **found;
  CHECK(stream.all_shards == (*changed)->all_shards);
  CHECK(stream.shards.ranges() == (*changed)->shards.ranges());
  CHECK(stream.next_shard == ShardIndex(4));
  REQUIRE(stream.all_shards.size() == 4);
  CHECK(stream.all_shards[1].end == Offset(41));
  CHECK(stream.all_shards[2].parent == ShardIndex(1));
  CHECK(stream.all_shards[3].first == middle);
  CHECK(CheckShard(stream, ShardIndex(1)).ok());
  CHECK(CheckShard(stream, ShardIndex(4)).message() == "stream 'orders' has no shard 4; it has 0 to 3");

  REQUIRE(catalog
              ->Change("orders",
                       [](StreamInfo& now) {
                         std::erase_if(now.all_shards, &ShardInfo::closed);
                         now.records_forgotten = 41;
                         return Status();
                       })
              .has_value());
  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  const auto forgotten = catalog->Find("orders");
  CHECK((*forgotten)->all_shards.size() == 3);
  CHECK((*forgotten)->records_forgotten == 41);
  CHECK((*forgotten)->next_shard == ShardIndex(4));
  CHECK(CheckShard(**forgotten, ShardIndex(1)).message().starts_with("stream 'orders' has no shard 1 any more"));
  CHECK(stored_before != *(*store).Get("stream/orders"));
}

TEST_CASE("DecodeStream: a stream of an older version has the shards of its creation", "[broker]") {
  storage::ManualClock clock;
  Store store(false);
  const auto made = *OpenCatalog(store, clock)->Create("orders", 3, {});
  const std::string bytes = EncodeStream(*made);
  CHECK(bytes.substr(0, 2) == "\x08\x01");  // format 1, without what a reshard adds
  CHECK(bytes.find("\xa2\x01") == bytes.npos);
  const auto read = DecodeStream(bytes);
  REQUIRE(read.has_value());
  CHECK(read->all_shards == made->all_shards);
  CHECK(read->next_shard == ShardIndex(3));
  CHECK(read->all_shards[2].created_ms == made->created_ms);
}

TEST_CASE("DecodeStream: refuses open shards that are not among all shards", "[broker]") {
  storage::ManualClock clock;
  Store store(false);
  StreamInfo stream = **OpenCatalog(store, clock)->Create("orders", 2, {});
  REQUIRE(ApplyChanges(stream, {{{ShardIndex(0), ShardIndex(1)}, {protocol::kMinHashKey}}},
                       {{ShardIndex(0), Offset(0)}, {ShardIndex(1), Offset(0)}}, 0)
              .ok());
  CHECK(DecodeStream(EncodeStream(stream)).has_value());
  stream.all_shards.back().end = Offset(7);
  CHECK(DecodeStream(EncodeStream(stream)).error().code() == Code::kCorruption);
}

TEST_CASE("StreamCatalog Create: never gives an id twice", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  REQUIRE(catalog->Create("a", 1, {}).has_value());
  REQUIRE(catalog->Delete("a").has_value());
  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  const auto again = catalog->Create("a", 1, {});
  REQUIRE(again.has_value());
  CHECK((*again)->id == StreamId(2));
  CHECK(catalog->Find(StreamId(1)).error().code() == Code::kNotFound);
}

TEST_CASE("StreamCatalog Create: refuses what cannot be", "[broker]") {
  Store store(false);
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  REQUIRE(catalog->Create("orders", 1, {}).has_value());
  CHECK(catalog->Create("orders", 1, {}).error().code() == Code::kAlreadyExists);
  CHECK(catalog->Create("a/b", 1, {}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create("", 1, {}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create("..", 1, {}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create(std::string(129, 'a'), 1, {}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create("x", 0, {}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create("x", StreamCatalog::kShardsMax + 1, {}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create("x", 1, {.age_ms = 0, .bytes = {}}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->Create("x", 1, {.age_ms = {}, .bytes = 0}).error().code() == Code::kInvalidArgument);
  CHECK(catalog->ListAll().size() == 1);
}

TEST_CASE("StreamCatalog Find: suggests the nearest name", "[broker]") {
  Store store(false);
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  REQUIRE(catalog->Create("orders", 1, {}).has_value());
  REQUIRE(catalog->Create("ordesr-hidden", 1, {}, true).has_value());
  const auto missing = catalog->Find("ordesr");
  REQUIRE(!missing.has_value());
  CHECK(missing.error().code() == Code::kNotFound);
  CHECK(missing.error().message() == "stream 'ordesr' does not exist; did you mean 'orders'?");
  CHECK(catalog->Find("something-else").error().message() == "stream 'something-else' does not exist");
}

TEST_CASE("StreamCatalog SetRetention: changes and keeps it", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  REQUIRE(catalog->Create("orders", 2, {.age_ms = 1'000, .bytes = {}}).has_value());
  const auto before = *catalog->Find("orders");
  REQUIRE(catalog->SetRetention("orders", {.age_ms = {}, .bytes = 5}).has_value());
  CHECK(before->retention.age_ms == 1'000);
  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  CHECK((*catalog->Find("orders"))->retention == RetentionSettings{.age_ms = {}, .bytes = 5});
  CHECK(catalog->SetRetention("nothing", {}).error().code() == Code::kNotFound);
}

TEST_CASE("StreamCatalog Change: keeps tags and Kinesis settings over a restart", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  const KinesisSettings made{.tags = {{"team", "ingest"}}, .on_demand = true, .record_kib_max = 2048};
  REQUIRE(catalog->Create("orders", 1, {}, false, made).has_value());
  CHECK((*catalog->Find("orders"))->kinesis == made);
  const auto changed = catalog->Change("orders", [](StreamInfo& stream) {
    stream.kinesis.tags["cost"] = "";
    return Status();
  });
  REQUIRE(changed.has_value());
  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  const KinesisSettings now{.tags = {{"cost", ""}, {"team", "ingest"}}, .on_demand = true, .record_kib_max = 2048};
  CHECK((*catalog->Find("orders"))->kinesis == now);
}

TEST_CASE("StreamCatalog Change: what the caller refuses is not done", "[broker]") {
  Store store(false);
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  REQUIRE(catalog->Create("orders", 1, {}).has_value());
  const auto refused = catalog->Change("orders", [](StreamInfo& stream) {
    stream.kinesis.on_demand = true;
    return Status(Code::kInvalidArgument, "no");
  });
  CHECK(refused.error() == Status(Code::kInvalidArgument, "no"));
  CHECK(!(*catalog->Find("orders"))->kinesis.on_demand);
  const auto negative = catalog->Change("orders", [](StreamInfo& stream) {
    stream.retention.age_ms = -1;
    return Status();
  });
  CHECK(negative.error().code() == Code::kInvalidArgument);
  CHECK((*catalog->Find("orders"))->retention == RetentionSettings());
}

TEST_CASE("StreamCatalog Create: two catalogs on one store cannot both win", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto first = OpenCatalog(store, clock);
  auto second = OpenCatalog(store, clock);
  REQUIRE(first->Create("orders", 1, {}).has_value());
  CHECK(second->Create("orders", 1, {}).error().code() == Code::kFenced);
  REQUIRE(first->SetRetention("orders", {.age_ms = 7, .bytes = {}}).has_value());
  auto third = OpenCatalog(store, clock);
  REQUIRE(first->Delete("orders").has_value());
  CHECK(third->SetRetention("orders", {}).error().code() == Code::kFenced);
  CHECK(third->Delete("orders").error().code() == Code::kFenced);
}

TEST_CASE("StreamCatalog InitProducer: ids are new, a name's epoch grows", "[broker]") {
  Store store(GENERATE(false, true));
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  const auto first = catalog->InitProducer("");
  const auto second = catalog->InitProducer("");
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(first->id != second->id);
  const auto named = catalog->InitProducer("loader");
  REQUIRE(named.has_value());
  CHECK(named->epoch == 0);
  catalog.reset();
  store.Reopen();
  catalog = OpenCatalog(store, clock);
  const auto again = catalog->InitProducer("loader");
  REQUIRE(again.has_value());
  CHECK(again->id == named->id);
  CHECK(again->epoch == 1);
  const auto later = catalog->InitProducer("");
  REQUIRE(later.has_value());
  CHECK(later->id.value > named->id.value);
  CHECK(catalog->InitProducer(std::string(257, 'x')).error().code() == Code::kInvalidArgument);
}

TEST_CASE("StreamCatalog InitProducer: takes a new id when the epochs are used up", "[broker]") {
  Store store(false);
  storage::ManualClock clock;
  auto catalog = OpenCatalog(store, clock);
  const auto named = catalog->InitProducer("loader");
  REQUIRE(named.has_value());
  storage::Transaction last;
  last.Put("producer/loader", EncodeProducer({named->id, INT16_MAX}));
  REQUIRE((*store).Commit(last).ok());
  const auto after = catalog->InitProducer("loader");
  REQUIRE(after.has_value());
  CHECK(after->id != named->id);
  CHECK(after->epoch == 0);
}

TEST_CASE("StreamCatalog Open: names the key of a damaged value", "[broker]") {
  Store store(false);
  storage::ManualClock clock;
  storage::Transaction damage;
  SECTION("no message at all") { damage.Put("stream/orders", "\xff\xff\xff"); }
  SECTION("empty") { damage.Put("stream/orders", ""); }
  SECTION("another name") {
    auto catalog = OpenCatalog(store, clock);
    REQUIRE(catalog->Create("other", 1, {}).has_value());
    damage.Put("stream/orders", **(*store).Get("stream/other"));
  }
  REQUIRE((*store).Commit(damage).ok());
  const auto opened = StreamCatalog::Open(*store, clock);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code() == Code::kCorruption);
  CHECK(opened.error().message().find("'stream/orders'") != std::string::npos);
}

TEST_CASE("StreamCatalog Open: refuses a newer format", "[broker]") {
  Store store(false);
  storage::ManualClock clock;
  storage::Transaction newer;
  newer.Put("stream/orders", "\x08\x04");  // format = 4
  REQUIRE((*store).Commit(newer).ok());
  CHECK(StreamCatalog::Open(*store, clock).error().code() == Code::kUnimplemented);
}

}  // namespace
}  // namespace sluice::broker
