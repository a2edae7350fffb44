// The objects of one bucket as local files, wherever the bucket is: those of a directory are that already, those of a
// remote store are copied one at a time.
//
// Threads: one. A copy is in the system's directory for temporary files and goes when it is let go of.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/delivery/delivery_options.h"
#include "sluice/status.h"

namespace sluice::tools {

/// A file with an object's bytes.
class LocalObject {
 public:
  virtual ~LocalObject() = default;
  virtual const std::string& path() const = 0;
};

class BucketFiles {
 public:
  /// `place` is a directory or a URI (broker/delivery/bucket_root.h), `stores` says how remote stores are reached.
  /// kInvalidArgument.
  static Result<std::unique_ptr<BucketFiles>> Open(const std::string& place, const delivery::StoreSettings& stores);

  virtual ~BucketFiles() = default;
  /// The keys of all objects, sorted; without those below names that begin with a dot. kNotFound where there is no such
  /// directory.
  virtual Result<std::vector<std::string>> Keys() = 0;
  /// kNotFound where there is no such object.
  virtual Result<std::unique_ptr<LocalObject>> Fetch(const std::string& key) = 0;
  /// The same where only what the object says of itself is wanted: of a Parquet file the rows may be missing.
  virtual Result<std::unique_ptr<LocalObject>> FetchFacts(const std::string& key) = 0;
};

}  // namespace sluice::tools
