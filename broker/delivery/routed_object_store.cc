// All directories are one store, each remote bucket is one, made when it is first asked for.
#include "broker/delivery/routed_object_store.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "broker/delivery/bucket_root.h"
#include "broker/delivery/remote_files.h"
#include "broker/delivery/remote_object_store.h"

namespace sluice::delivery {
namespace {

struct Roots {
  BucketRoot lake;
  std::map<std::string, BucketRoot, std::less<>> buckets;

  BucketRoot Of(std::string_view bucket) const {
    const auto found = buckets.find(bucket);
    return found != buckets.end() ? found->second : RootInLake(lake, bucket);
  }
};

Result<Roots> ReadRoots(const DeliveryOptions& options) {
  Result<BucketRoot> lake = ParseLakeRoot(options.lake_dir);
  if (!lake) return Error(lake.error().WithContext("delivery.lake_dir"));
  Roots roots{.lake = std::move(*lake), .buckets = {}};
  for (const auto& [name, text] : options.buckets) {
    Result<BucketRoot> root = ParseBucketRoot(text);
    if (!root) return Error(root.error().WithContext(fmt::format("delivery.buckets.{}", name)));
    roots.buckets.emplace(name, std::move(*root));
  }
  return roots;
}

/// What the local store has to know; of the others it is never asked.
std::map<std::string, std::string> Directories(const Roots& roots) {
  std::map<std::string, std::string> directories;
  for (const auto& [name, root] : roots.buckets) {
    if (root.kind == StoreKind::kDirectory) directories.emplace(name, root.place);
  }
  return directories;
}

class RoutedObjectStore final : public ObjectStore {
 public:
  RoutedObjectStore(storage::Env& env, Roots roots, StoreSettings settings, std::string spool_dir,
                    const std::atomic<bool>& stopping)
      : env_(env),
        roots_(std::move(roots)),
        settings_(std::move(settings)),
        spool_dir_(std::move(spool_dir)),
        stopping_(stopping),
        local_(NewLocalObjectStore(env, roots_.lake.place, Directories(roots_))) {}

  std::string Place(std::string_view bucket) override { return Of(bucket).Place(bucket); }
  Status CheckBucket(std::string_view bucket) override { return Of(bucket).CheckBucket(bucket); }
  void ExpectBucket(std::string_view bucket) override { Of(bucket).ExpectBucket(bucket); }
  Result<std::unique_ptr<ObjectSpool>> NewSpool(std::string_view bucket, std::string_view name) override {
    return Of(bucket).NewSpool(bucket, name);
  }
  Status Put(std::string_view bucket, std::string_view key, std::unique_ptr<ObjectSpool> spool) override {
    return Of(bucket).Put(bucket, key, std::move(spool));
  }
  Status Read(std::string_view bucket, std::string_view key,
              const std::function<Status(std::string_view piece)>& take) override {
    return Of(bucket).Read(bucket, key, take);
  }
  Result<std::optional<std::uint64_t>> Size(std::string_view bucket, std::string_view key) override {
    return Of(bucket).Size(bucket, key);
  }

 private:
  ObjectStore& Of(std::string_view bucket) {
    BucketRoot root = roots_.Of(bucket);
    if (root.kind == StoreKind::kDirectory) return *local_;
    const std::lock_guard lock(mutex_);
    std::unique_ptr<ObjectStore>& store = remote_[std::string(bucket)];
    if (store == nullptr) {
      store =
          NewRemoteObjectStore(env_, std::make_unique<RemoteFiles>(std::move(root), settings_, stopping_), spool_dir_);
    }
    return *store;
  }

  storage::Env& env_;
  const Roots roots_;
  const StoreSettings settings_;
  const std::string spool_dir_;
  const std::atomic<bool>& stopping_;
  const std::unique_ptr<ObjectStore> local_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ObjectStore>> remote_;  // by bucket; guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> NewRoutedObjectStore(storage::Env& env, const DeliveryOptions& options,
                                                          std::string spool_dir, const std::atomic<bool>& stopping) {
  Result<Roots> roots = ReadRoots(options);
  if (!roots) return Error(roots.error());
  return std::make_unique<RoutedObjectStore>(env, std::move(*roots), options.stores, std::move(spool_dir), stopping);
}

}  // namespace sluice::delivery
