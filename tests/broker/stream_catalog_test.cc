// The same behaviour over the memory store and over RocksDB, and what a restart finds.
#include "broker/stream_catalog.h"

#include <filesystem>

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
  newer.Put("stream/orders", "\x08\x02");  // format = 2
  REQUIRE((*store).Commit(newer).ok());
  CHECK(StreamCatalog::Open(*store, clock).error().code() == Code::kUnimplemented);
}

}  // namespace
}  // namespace sluice::broker
