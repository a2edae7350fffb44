// All record data of one data directory: the journal, the shard logs, checkpoint, recovery, retention, the tail cache.
//
// Files (storage/FORMAT.md): DIR/VERSION, DIR/LOCK, DIR/journal/, DIR/segments/, DIR/checkpoint-{a,b}. Start-up order:
// open, fdatasync, drop the page cache, scan, repair, fdatasync, serve. A failed flush ends writing; it is never
// retried. A full disk pauses writing and it resumes by itself.
//
// Threads: Open and Close by one thread; the rest from any thread unless said otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/env/env.h"
#include "storage/executor.h"
#include "storage/log_writer.h"
#include "storage/shard_log.h"

namespace sluice::storage {

struct LogStoreOptions {
  std::uint64_t journal_file_bytes = 64u << 20;   // size of one recycled journal file
  std::uint64_t journal_bytes_max = 1024u << 20;  // all journal files; half of it starts a checkpoint
  std::uint64_t segment_bytes = 64u << 20;        // a segment is rolled at this size
  std::uint64_t tail_bytes_max = 128u << 20;      // frames kept in memory; at the bound appends wait
  std::uint64_t write_behind_bytes = 256u << 10;  // smallest piece written to a segment
  std::uint64_t inline_commit_bytes = 8u << 10;   // groups up to this size commit on the loop's own thread, 32 times
                                                  // it where nobody waits for a flush
  std::int64_t flush_interval_ms = 50;            // how long `written` records may wait for a flush
  std::int64_t idle_mark_ms = 10;  // idle so long after a commit, the journal is marked as durable up to there
  std::int64_t checkpoint_interval_ms = 10'000;  // a checkpoint at least this often while there is something to write
};

/// What start-up found and did; logged, and shown by `sluice log`.
struct RecoveryReport {
  bool new_directory = false;  // nothing was ever written there
  bool clean_shutdown = false;
  std::uint64_t journal_bytes_scanned = 0;
  std::uint64_t frames_replayed = 0;
  std::uint64_t torn_bytes_cut = 0;
  std::vector<std::string> quarantined;  // now or at an earlier start; one sentence each: shard, offsets, file
  std::vector<std::string> notes;        // what was damaged and could be made good
  std::int64_t duration_ms = 0;
};

/// How much of a shard may be kept; the broker derives it from the stream's settings.
struct RetentionPolicy {
  std::optional<std::int64_t> age_ms_max;
  std::optional<std::uint64_t> bytes_max;
  bool keep_newest = true;        // a limit on bytes alone leaves the newest segment; not where the shard takes no more
  Offset keep_from = kMaxOffset;  // nothing at or above this offset is removed (undelivered records)
};

struct LogStoreStats {
  std::uint64_t commits = 0;
  std::uint64_t tail_bytes = 0;
  std::uint64_t unwritten_bytes = 0;  // durable, not yet in a segment
  std::uint64_t journal_bytes = 0;    // in journal files that still hold the only durable copy
  std::uint64_t segment_bytes = 0;
  std::uint64_t checkpoints = 0;
  bool disk_full = false;  // appends are refused until there is space
  bool writable = true;
};

class LogStore {
 public:
  virtual ~LogStore() = default;

  /// Opens or creates the directory. kFailedPrecondition: in use by another process; kUnimplemented: made by a newer
  /// version.
  static Result<std::unique_ptr<LogStore>> Open(Env& env, std::string dir, LogStoreOptions options,
                                                RecoveryReport* report);

  /// One per event loop, before any append; `loop` outlives the store.
  virtual std::unique_ptr<LogWriter> NewWriter(Executor& loop) = 0;

  /// The shard's log, made in memory where it is new (no file until its first record). Never null.
  virtual std::shared_ptr<ShardLog> OpenShard(ShardId id) = 0;
  /// Forgets the shard and removes its files, later and in small steps.
  virtual void DropShard(ShardId id) = 0;
  /// All shards that have data, for finding those that the catalog does not know.
  virtual std::vector<ShardId> Shards() = 0;

  /// Removes whole segments that the policy no longer keeps. Returns the bytes freed. Blocks; called by a background
  /// task.
  virtual std::uint64_t ApplyRetention(ShardId id, const RetentionPolicy& policy) = 0;

  /// The operator accepts that what the shard's damage() shows is lost, and goes on without: a quarantine ends, reads
  /// pass over the holes, their numbers are not used again. Gives the holes that were accepted now; what can be read
  /// again after all is not among them. In force at once and durable with the next checkpoint, which is asked for: a
  /// crash before it takes the acceptance back, and the damage is told again. Blocks. kFailedPrecondition where nothing
  /// is open.
  virtual Result<std::vector<Hole>> AcceptLoss(ShardId id) = 0;

  /// True while the bound on memory or a journal without room holds appends back. Not on a full disk: there they are
  /// refused at once, kResourceExhausted.
  virtual bool overloaded() const = 0;
  /// Calls `resume` on `loop` once overloaded() is false again; at once where it is false now.
  virtual void WhenReady(Executor& loop, std::move_only_function<void()> resume) = 0;

  /// Looks at every shard.
  virtual LogStoreStats stats() const = 0;
  /// Bytes committed since the start. Cheap: for whoever looks often.
  virtual std::uint64_t commit_bytes() const = 0;
  /// Adds a listener for commit latency in nanoseconds (for metrics); called on committing threads.
  virtual void SetCommitObserver(std::function<void(std::int64_t latency_ns, std::uint64_t bytes)> observer) = 0;

  /// Adds a listener for the end of writing (a failed flush, say): told once, on the thread that met the error, or at
  /// once where writing has ended already.
  virtual void SetEndObserver(std::function<void(const Status& why)> observer) = 0;

  /// Flushes, checkpoints and leaves the clean mark. No call after it but the destructor.
  virtual Status Close() = 0;
};

}  // namespace sluice::storage
