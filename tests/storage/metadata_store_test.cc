// What every MetadataStore promises: the same test against RocksDB and the twin in memory.
#include "storage/metadata_store.h"

#include <atomic>
#include <thread>

#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::storage {
namespace {

struct InMemory {
  std::unique_ptr<MetadataStore> store = NewMemoryMetadataStore();
};

struct OnRocksdb {
  TempDir temp;
  std::unique_ptr<MetadataStore> store = OpenRocksdbMetadataStore(temp.path() + "/metadata").value();
};

using Entries = std::vector<MetadataStore::KeyValue>;

#define STORE_TEST(name) TEMPLATE_TEST_CASE(name, "[storage][metadata]", InMemory, OnRocksdb)

STORE_TEST("MetadataStore Get: what was put, nullopt otherwise") {
  TestType on;
  CHECK(on.store->Get("a").value() == std::nullopt);
  REQUIRE(on.store->Commit(Transaction().Put("a", "1")).ok());
  CHECK(on.store->Get("a").value() == "1");
  REQUIRE(on.store->Commit(Transaction().Put("a", "2")).ok());
  CHECK(on.store->Get("a").value() == "2");
  REQUIRE(on.store->Commit(Transaction().Delete("a").Delete("never there")).ok());
  CHECK(on.store->Get("a").value() == std::nullopt);
}

STORE_TEST("MetadataStore Commit: any bytes, empty values too") {
  TestType on;
  const std::string key("\0\xff\n/", 4);
  const std::string big(1 << 20, 'x');
  REQUIRE(on.store->Commit(Transaction().Put(key, "").Put("big", big)).ok());
  CHECK(on.store->Get(key).value() == "");
  CHECK(on.store->Get("big").value() == big);
}

STORE_TEST("MetadataStore Commit: the last put counts, and deletes come after puts") {
  TestType on;
  REQUIRE(on.store->Commit(Transaction().Put("a", "1").Put("a", "2").Put("b", "1").Delete("b")).ok());
  CHECK(on.store->Scan("").value() == Entries{{"a", "2"}});
}

STORE_TEST("MetadataStore Scan: sorted by bytes, of one prefix only") {
  TestType on;
  Transaction transaction;
  for (const char* key : {"s/2", "s/1", "s", "s0", "r/9", "s/\xff", "s/\x7f"}) transaction.Put(key, key);
  REQUIRE(on.store->Commit(transaction).ok());
  CHECK(on.store->Scan("s/").value() ==
        Entries{{"s/1", "s/1"}, {"s/2", "s/2"}, {"s/\x7f", "s/\x7f"}, {"s/\xff", "s/\xff"}});
  CHECK(on.store->Scan("s/\xff").value().size() == 1);
  CHECK(on.store->Scan("\xff").value().empty());
  CHECK(on.store->Scan("").value().size() == 7);
  CHECK(on.store->Scan("none").value().empty());
}

STORE_TEST("MetadataStore Commit: a wrong condition refuses all of it") {
  TestType on;
  REQUIRE(on.store->Commit(Transaction().Put("a", "1")).ok());
  Transaction change = Transaction().Put("x", "new").Delete("a");
  SECTION("another value") { change.If("a", "2"); }
  SECTION("must not exist") { change.If("a", std::nullopt); }
  SECTION("must exist") { change.If("b", "1"); }
  SECTION("empty is not absent") { change.If("b", ""); }
  SECTION("one of several") { change.If("a", "1").If("b", std::nullopt).If("c", "1"); }
  const Status status = on.store->Commit(change);
  CHECK(status.code() == Code::kFenced);
  CHECK(status.message().find("metadata key") != std::string::npos);
  CHECK(on.store->Scan("").value() == Entries{{"a", "1"}});
}

STORE_TEST("MetadataStore Commit: right conditions let it through") {
  TestType on;
  REQUIRE(on.store->Commit(Transaction().If("a", std::nullopt).Put("a", "1")).ok());
  REQUIRE(on.store->Commit(Transaction().If("a", "1").If("b", std::nullopt).Put("a", "2")).ok());
  CHECK(on.store->Get("a").value() == "2");
}

STORE_TEST("MetadataStore Commit: of concurrent conditional changes exactly one wins each time") {
  TestType on;
  REQUIRE(on.store->Commit(Transaction().Put("counter", "0")).ok());
  constexpr int kThreads = 4;
  constexpr int kWinsEach = 25;
  std::atomic<int> errors = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int wins = 0; wins < kWinsEach;) {
        const std::string now = on.store->Get("counter").value().value();
        const std::string next = std::to_string(std::stoi(now) + 1);
        const std::string mark = "win/" + std::to_string(t) + "/" + std::to_string(wins);
        const Status status = on.store->Commit(Transaction().If("counter", now).Put("counter", next).Put(mark, next));
        if (status.ok()) ++wins;
        if (!status.ok() && status.code() != Code::kFenced) ++errors;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == 0);
  CHECK(on.store->Get("counter").value() == std::to_string(kThreads * kWinsEach));
  CHECK(on.store->Scan("win/").value().size() == kThreads * kWinsEach);
}

}  // namespace
}  // namespace sluice::storage
