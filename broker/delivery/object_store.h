// Where objects go: a whole object at a time, under a key, never replacing another one.
//
// The bytes of an object are collected in a spool, then put under its key in one step that is durable when it returns.
// Putting the same bytes under the same key again is a success, so that a delivery that is repeated after a crash
// changes nothing; other bytes under the same key are kCorruption: somebody else writes there, and nothing is
// overwritten.
//
// Implementations: NewLocalObjectStore (directories), NewRemoteObjectStore (a bucket at S3, Google or Azure), and
// NewRoutedObjectStore, which has each bucket where the configuration says. A destination is one file behind this
// interface.
//
// Threads: any; a spool belongs to one thread. Crash behaviour: an object is there whole or not at all; a spool that a
// crash left behind is overwritten by the next one of its name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/delivery/object_writer.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::delivery {

struct StoreSettings;

class ObjectSpool : public ObjectSink {
 public:
  virtual std::uint64_t bytes() const = 0;
  /// XXH3-64 of the bytes so far.
  virtual std::uint64_t checksum() const = 0;

  std::string content_encoding;  // as HTTP has it, for stores that tell their readers; empty: none
};

/// kInvalidArgument says why `key` cannot be the key of an object, whatever the store.
Status CheckObjectKey(std::string_view key);

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Where the bucket is, for people and for `sluice verify`: a directory, or a URI (bucket_root.h).
  virtual std::string Place(std::string_view bucket) = 0;
  /// Whether objects can be put into `bucket` at the moment; makes what it needs where that is missing. kUnavailable.
  virtual Status CheckBucket(std::string_view bucket) = 0;
  /// Objects were put into `bucket` before, so its place is there: from now on it is not made anew where it is missing,
  /// but kUnavailable. A bucket that took a spool is expected from then on, too.
  virtual void ExpectBucket(std::string_view bucket) = 0;
  /// An empty spool for one object of `bucket`. One spool of a name at a time.
  virtual Result<std::unique_ptr<ObjectSpool>> NewSpool(std::string_view bucket, std::string_view name) = 0;
  /// Makes the spool's bytes the object `key`; the spool is used up. kUnavailable: the store cannot take it now, try
  /// again later; kCorruption: another object has this key; kInvalidArgument: not a key.
  virtual Status Put(std::string_view bucket, std::string_view key, std::unique_ptr<ObjectSpool> spool) = 0;
  /// Gives all bytes of an object in order, piece by piece. kNotFound. Ends with the first error of `take`.
  virtual Status Read(std::string_view bucket, std::string_view key,
                      const std::function<Status(std::string_view piece)>& take) = 0;
  /// Size of an object in bytes; nullopt where there is none.
  virtual Result<std::optional<std::uint64_t>> Size(std::string_view bucket, std::string_view key) = 0;
};

/// Objects as files: DIR/BUCKET/KEY, or in the directory that `buckets` names for a bucket. Spools are
/// BUCKET/.sluice/NAME.spool, on the same file system. Keys and symbolic links never lead out of the bucket's
/// directory.
std::unique_ptr<ObjectStore> NewLocalObjectStore(storage::Env& env, std::string dir,
                                                 std::map<std::string, std::string> buckets);

/// Tells the AWS SDK those settings that it takes from the environment alone. Before the process has other threads.
void PrepareRemoteStores(const StoreSettings& settings);

/// Ends what remote stores have started in this process, which the first one does; none can be used after it. Call it
/// before main returns, or the process crashes while it exits: what the AWS SDK needs is destroyed before the SDK.
void EndRemoteStores();

}  // namespace sluice::delivery
