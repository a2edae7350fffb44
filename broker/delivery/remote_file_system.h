// Opens object stores as Arrow file systems: S3, Google, Azure. Private to remote_files.cc and what it is made of.
//
// The AWS SDK is started by the first S3 root that is opened; a process without one does not pay for it. Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "broker/delivery/bucket_root.h"
#include "broker/delivery/delivery_options.h"
#include "sluice/status.h"

namespace arrow::fs {
class FileSystem;
}  // namespace arrow::fs

namespace sluice::delivery {

struct OpenedRoot {
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string path;  // of the root in it: "BUCKET/PREFIX"
};

/// `root` with what the settings say of its server and region: enough, with credentials, to find the objects.
BucketRoot WithSettings(BucketRoot root, const StoreSettings& settings);

/// `root` is WithSettings and not a directory. May ask AWS where the bucket is. No request is tried again once
/// `stopping` is true; it outlives the file system. Errors have the store's words only.
Result<OpenedRoot> OpenRoot(const BucketRoot& root, const StoreSettings& settings, const std::atomic<bool>& stopping);

}  // namespace sluice::delivery
