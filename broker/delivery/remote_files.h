// The objects below one root of a remote store (S3, Google, Azure): size, whole reads and writes, listing.
//
// Every error says which object of which store, what happened in the store's words, and what to do. Where the store
// cannot be reached, refuses the credentials or does not know the bucket, it is kUnavailable: all of that can be mended
// while the broker runs.
//
// Threads: any. The connection is opened by the first call that needs it; one that fails is opened anew by the next.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/bucket_root.h"
#include "broker/delivery/delivery_options.h"
#include "broker/delivery/remote_file_system.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct RemoteFile {
  std::string key;
  std::uint64_t bytes = 0;
};

class RemoteFiles {
 public:
  /// `root` is no directory. Once `stopping` is true nothing is tried again; it outlives this.
  RemoteFiles(BucketRoot root, StoreSettings settings, const std::atomic<bool>& stopping);
  ~RemoteFiles();

  /// With what the settings say of the server: what `sluice verify` finds the objects with.
  const BucketRoot& root() const { return root_; }

  /// Whether the bucket is there and may be asked.
  Status CheckBucket();
  /// Of an object in bytes; nullopt where there is none.
  Result<std::optional<std::uint64_t>> Size(std::string_view key);

  using TakePiece = std::function<Status(std::string_view piece)>;
  /// All bytes of an object, in order. kNotFound; kCorruption where the store itself says that they are damaged. Ends
  /// with the first error of `take`.
  Status Read(std::string_view key, const TakePiece& take);
  /// Exactly these bytes of an object.
  Result<std::string> ReadAt(std::string_view key, std::uint64_t offset, std::uint64_t bytes);
  /// Makes an object of the pieces that `give` gives to its argument, in one step when `give` has returned; where that
  /// or the store fails there is no object. Replaces an object of this key. `content_encoding` is told to readers where
  /// it is not empty and the store does not undo it by itself.
  Status Write(std::string_view key, std::string_view content_encoding,
               const std::function<Status(const TakePiece&)>& give);
  /// Every object below the root, by key.
  Result<std::vector<RemoteFile>> List();

 private:
  Result<OpenedRoot> Opened();
  std::string PathOf(const OpenedRoot& opened, std::string_view key) const;
  std::string Where() const;

  const BucketRoot root_;
  const StoreSettings settings_;
  const std::atomic<bool>& stopping_;
  std::mutex mutex_;
  std::optional<OpenedRoot> opened_;  // guarded by mutex_
};

}  // namespace sluice::delivery
