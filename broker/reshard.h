// Split, merge and resize: the shards of a stream change while records go on coming.
//
// Each switch is atomic. The shards that end are closed on their loops: appends that come from then on wait, and those
// under way are made durable and answered. Then one transaction of the catalog closes them and makes their children;
// with it the new map is in force. The appends that waited are answered kShardClosed, but for retries of batches that
// the closed shard has, and whoever sent them sends them by the new map. So whatever was acknowledged before stands in
// the parents, and whatever comes later in the children: records of a key keep their order, where a reader finishes
// the parents first.
//
// A crash at any point leaves the old shards or the new ones. Where the transaction fails the parents go on. Should it
// turn out after a restart that it was stored nevertheless, the records that they have taken since are theirs, and are
// read before the children's: a closed shard's end is that of its log.
//
// Threads: any that may block, but not a loop's own. One reshard of a stream at a time.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

#include "broker/reshard_plan.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"

namespace sluice::broker {

class Resharder {
 public:
  /// All references outlive the object.
  Resharder(Shards& shards, StreamCatalog& catalog, storage::Clock& clock)
      : shards_(shards), catalog_(catalog), clock_(clock) {}

  // Each gives the stream as it is then. kUnavailable: another reshard of the stream is under way, or the log is not
  // ready in time; the errors of reshard_plan.h; kIoError.

  /// `start` is the first hash key of the upper one of the two children.
  Result<StreamPtr> Split(std::string_view name, ShardIndex shard, protocol::HashKey start);
  /// Two shards whose hash keys touch become one.
  Result<StreamPtr> Merge(std::string_view name, ShardIndex shard, ShardIndex adjacent);
  /// `count` open shards with equal ranges, in several switches. An error leaves what is reached by then: valid, but
  /// not yet what was asked for.
  Result<StreamPtr> Resize(std::string_view name, std::uint32_t count);

 private:
  class Claim;
  class Closing;
  using Changes = std::vector<ShardChange>;

  Result<StreamPtr> Switch(const StreamInfo& stream, const Changes& changes);
  Result<StreamPtr> Store(const StreamInfo& stream, const Changes& changes, const ShardEnds& ends);

  Shards& shards_;
  StreamCatalog& catalog_;
  storage::Clock& clock_;
  std::mutex mutex_;
  std::set<StreamId> busy_;  // guarded by mutex_; whose shards are being changed
};

}  // namespace sluice::broker
