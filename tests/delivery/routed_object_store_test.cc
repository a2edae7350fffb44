// Each bucket where the configuration says, and stores that do not answer. What a real one answers is
// s3_store_test.py's.
#include "broker/delivery/routed_object_store.h"

#include "broker/delivery/remote_files.h"
#include "storage/env/posix_env.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::delivery {
namespace {

const std::atomic<bool> kNotStopping = false;

/// Nobody listens on port 1.
constexpr const char* kNobody = "http://127.0.0.1:1";

struct World {
  World() {
    options.lake_dir = temp.path() + "/lake";
    options.stores.s3.endpoint_override = kNobody;
    options.stores.s3.access_key_id = "key";
    options.stores.s3.secret_access_key = "hidden";
    options.stores.google.endpoint_override = kNobody;
    options.stores.google.anonymous = true;
    options.stores.google.timeout_ms = 1'000;
  }
  std::unique_ptr<ObjectStore> Open() {
    auto store = NewRoutedObjectStore(*env, options, temp.path() + "/data/uploads", kNotStopping);
    REQUIRE(store.has_value());
    return std::move(*store);
  }
  Status Put(ObjectStore& store, std::string_view bucket) {
    auto spool = store.NewSpool(bucket, "test");
    if (!spool) return spool.error();
    if (Status status = (*spool)->Write("text"); !status.ok()) return status;
    return store.Put(bucket, "a/k", std::move(*spool));
  }

  storage::TempDir temp;
  std::unique_ptr<storage::Env> env = storage::NewPosixEnv();
  DeliveryOptions options;
};

}  // namespace

TEST_CASE("RoutedObjectStore: directories of the lake and of the map", "[delivery]") {
  World world;
  world.options.buckets["raw"] = "file://" + world.temp.path() + "/raw%20bucket";
  const auto store = world.Open();
  REQUIRE(world.Put(*store, "plain").ok());
  REQUIRE(world.Put(*store, "raw").ok());
  CHECK(world.env->Exists(world.temp.path() + "/lake/plain/a/k").value());
  CHECK(world.env->Exists(world.temp.path() + "/raw bucket/a/k").value());
  CHECK(store->Place("raw") == world.env->RealPath(world.temp.path() + "/raw bucket").value());
  CHECK_FALSE(world.env->Exists(world.temp.path() + "/data").value());
}

TEST_CASE("RoutedObjectStore: a store that does not answer is a wait, and says which, where and what to do",
          "[delivery]") {
  World world;
  world.options.buckets = {{"google", "gs://acme/raw"}, {"s3", "s3://acme/raw"}};
  const auto store = world.Open();
  for (const auto& [bucket, root] : world.options.buckets) {
    INFO(bucket);
    CHECK(store->Place(bucket).starts_with(root + "?endpoint_override=127.0.0.1%3A1"));
    for (const Status& status : {store->CheckBucket(bucket), world.Put(*store, bucket)}) {
      INFO(status.ToString());
      CHECK(status.code() == Code::kUnavailable);
      CHECK(status.message().contains(root + " at " + kNobody));
      CHECK(status.message().contains("cannot be reached"));
      CHECK(status.message().contains("nothing is lost"));
      CHECK_FALSE(status.message().contains("hidden"));
    }
    CHECK(store->Size(bucket, "a/k").error().code() == Code::kUnavailable);
  }
  CHECK(world.env->List(world.temp.path() + "/data/uploads")->empty());

  RemoteFiles files(*ParseBucketRoot("s3://acme/raw"), world.options.stores, kNotStopping);
  CHECK(files.Read("k", [](std::string_view) { return Status(); }).code() == Code::kUnavailable);
  CHECK(files.ReadAt("k", 0, 10).error().code() == Code::kUnavailable);
  CHECK(files.List().error().code() == Code::kUnavailable);
  EndRemoteStores();
  CHECK(files.List().error().code() == Code::kUnavailable);
}

TEST_CASE("RoutedObjectStore: a bucket in a remote lake, and one that is not", "[delivery]") {
  World world;
  world.options.lake_dir = "s3://";
  world.options.buckets["near"] = world.temp.path() + "/near";
  const auto store = world.Open();
  CHECK(store->Place("far") == "s3://far?endpoint_override=127.0.0.1%3A1&scheme=http");
  CHECK(world.Put(*store, "near").ok());
}

TEST_CASE("NewRoutedObjectStore: what is no root is refused, with its setting", "[delivery]") {
  World world;
  world.options.buckets["raw"] = "s4://x";
  const auto store = NewRoutedObjectStore(*world.env, world.options, "uploads", kNotStopping);
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code() == Code::kInvalidArgument);
  CHECK(store.error().message().starts_with("delivery.buckets.raw: \"s4://x\""));
}

}  // namespace sluice::delivery
