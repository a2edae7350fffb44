// The shards that an event loop owns: their logs, and the reads that wait for new records in them.
//
// LoopShards is one loop's part; Shards is all loops. A shard is opened at its first use and forgotten when its stream
// is deleted: waiting reads are told, and its files go as soon as the last append in flight has been answered.
//
// Threads: LoopShards only on its loop's thread; Shards as its methods say.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "broker/encryption/keyring.h"
#include "broker/loop/event_loops.h"
#include "broker/stream_catalog.h"
#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/log_store.h"

namespace sluice::broker {

enum class Wake : std::uint8_t { kPublished, kTimedOut, kDeleted, kStopping, kClosed };
using Waiters = std::list<std::move_only_function<void(Wake)>>;

/// One shard on its own loop.
///
///     open  --BeginClose-->  closing  --EndClose-->  closed, or open again
///
/// While it is closing, appends that come are parked, and go on in their order at its end.
struct Shard {
  ShardId id;
  std::shared_ptr<storage::ShardLog> log;
  std::shared_ptr<StreamKeys> keys;  // of its stream; never nullptr
  Waiters waiters;
  std::uint32_t appends_in_flight = 0;
  bool deleted = false;
  bool closing = false;
  bool closed = false;  // its log's end is final
  std::vector<std::move_only_function<void()>> parked;
};

/// All of it outlives the shards.
struct ShardsParts {
  storage::LogStore& store;
  const StreamCatalog& catalog;
  Keyring& keyring;
};

class LoopShards {
 public:
  LoopShards(EventLoops& loops, EventLoop& loop, const ShardsParts& parts);

  EventLoop& loop() { return loop_; }
  storage::LogWriter& writer() { return *writer_; }

  /// kNotFound: no such stream or shard. The pointer is good until the stream is deleted, or while an append is in
  /// flight.
  Result<Shard*> Find(ShardId id);
  void AppendStarted(Shard& shard) { ++shard.appends_in_flight; }
  void AppendEnded(Shard& shard);

  /// Waits for the shard's next Wake; kept until then or until Unwait.
  Waiters::iterator Wait(Shard& shard, std::move_only_function<void(Wake)> waiter);
  void Unwait(Shard& shard, Waiters::iterator waiter);
  std::size_t waiters() const { return waiters_; }

  /// `hook` runs after each Publish and the reads that it woke: doors send what has gathered.
  void AddPublishedHook(std::function<void()> hook) { published_hooks_.push_back(std::move(hook)); }

  /// From now on appends are parked. `drained` gets the shard's end, once all that came before is durable and answered.
  void BeginClose(ShardId id, storage::LogWriter::Drained drained);
  /// Lets the parked appends go on: where it is closed now, they are refused but for those that it has already. Reads
  /// that wait are told that it is closed. Nothing where the shard is gone.
  void EndClose(ShardId id, bool closed);

  /// Drops the stream's shards that this loop owns.
  void ForgetStream(const StreamInfo& stream);
  /// Drops one shard of this loop, which the catalog has forgotten.
  void ForgetShard(ShardId id);
  /// Wakes all waiters with kStopping; from then on none may wait.
  void Stop();
  bool stopping() const { return stopping_; }

 private:
  void OnPublished(storage::ShardLog& log);
  void WakeAll(Shard& shard, Wake wake);
  static void Unpark(Shard& shard);
  void DropFiles(ShardId id);

  EventLoops& loops_;
  EventLoop& loop_;
  storage::LogStore& store_;
  const StreamCatalog& catalog_;
  Keyring& keyring_;
  std::unique_ptr<storage::LogWriter> writer_;
  std::unordered_map<ShardId, std::unique_ptr<Shard>> shards_;
  std::unordered_map<ShardId, std::unique_ptr<Shard>> leaving_;  // deleted, with appends in flight
  std::vector<std::function<void()>> published_hooks_;
  std::size_t waiters_ = 0;
  bool stopping_ = false;
};

class Shards {
 public:
  /// `loops` outlives the object.
  Shards(EventLoops& loops, const ShardsParts& parts);

  /// Any thread; what is given is used on its loop only.
  LoopShards& at(std::size_t loop_index) { return *loops_shards_.at(loop_index); }
  LoopShards& OwnerOf(ShardId id) { return at(loops_.OwnerIndexOf(id)); }
  EventLoops& loops() { return loops_; }

  /// Any thread, after the catalog has forgotten the stream.
  void ForgetStream(StreamPtr stream);
  /// Any thread, after the catalog has forgotten the closed shard.
  void ForgetShard(ShardId id);
  /// Any thread but a loop's own; returns when every waiting read has been told.
  void Stop();
  /// Before any door opens: removes the files of shards that were forgotten, or whose streams were deleted, which a
  /// crash left behind.
  /// kFailedPrecondition, and nothing is removed, where the log has streams or shards that the catalog has never made:
  /// then it is the metadata that is lost or old.
  static Result<std::size_t> DropOrphans(storage::LogStore& store, const StreamCatalog& catalog);

 private:
  EventLoops& loops_;
  std::vector<std::unique_ptr<LoopShards>> loops_shards_;  // constant after construction
};

}  // namespace sluice::broker
