// A log store in memory whose commits, overload and disk reads the test decides. It promises nothing: the real one has
// its own tests.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/frame.h"
#include "storage/log_store.h"

namespace sluice::broker {

class FakeShardLog final : public storage::ShardLog, public std::enable_shared_from_this<FakeShardLog> {
 public:
  explicit FakeShardLog(ShardId id) : id_(id) {}

  ShardId id() const override { return id_; }
  Offset oldest() const override;
  Offset durable_end() const override;
  std::int64_t last_append_time_ms() const override;
  std::uint64_t retained_bytes() const override;
  storage::ShardDamage damage() const override { return {}; }
  void Seal() override { sealed = true; }
  Result<std::optional<storage::FrameRun>> ReadTail(Offset from, std::uint64_t bytes_max) override;
  Result<storage::FrameRun> ReadBlocking(Offset from, std::uint64_t bytes_max) override;
  Result<Offset> OffsetAtTimeBlocking(std::int64_t time_ms) override;

  void Publish(protocol::Frame frame);
  /// Frames below this offset are "on disk": ReadTail does not find them.
  void SetTailFrom(Offset offset);
  void RemoveBelow(Offset offset);
  /// The thread that read last what is "on disk", or looked there for a time.
  std::thread::id disk_reader() const;

  Offset next_offset;   // used by the writer's loop only
  bool sealed = false;  // likewise

 private:
  Result<storage::FrameRun> Run(Offset from, std::uint64_t bytes_max) const;
  void NoteDiskReader();

  const ShardId id_;
  mutable std::mutex mutex_;
  std::vector<protocol::Frame> frames_;
  Offset tail_from_;
  std::thread::id disk_reader_;
};

class FakeLogStore final : public storage::LogStore {
 public:
  std::unique_ptr<storage::LogWriter> NewWriter(storage::Executor& loop) override;
  std::shared_ptr<storage::ShardLog> OpenShard(ShardId id) override;
  void DropShard(ShardId id) override;
  std::vector<ShardId> Shards() override;
  std::uint64_t ApplyRetention(ShardId id, const storage::RetentionPolicy& policy) override;
  bool overloaded() const override { return overloaded_.load(); }
  void WhenReady(storage::Executor& loop, std::move_only_function<void()> resume) override;
  storage::LogStoreStats stats() const override { return {}; }
  std::uint64_t commit_bytes() const override { return commit_bytes_.load(); }
  void SetCommitObserver(std::function<void(std::int64_t, std::uint64_t)>) override {}
  void SetEndObserver(std::function<void(const Status&)>) override {}
  Result<std::vector<storage::Hole>> AcceptLoss(ShardId) override { return {}; }
  Status Close() override { return {}; }

  FakeShardLog& shard(ShardId id);
  /// While held, appends wait; Release commits them all and all later ones at once.
  void HoldCommits() { hold_ = true; }
  void ReleaseCommits();
  void SetOverloaded(bool overloaded);
  /// The append time of all later records; until then they are some years old.
  void SetAppendTime(std::int64_t time_ms) { append_time_ms_ = time_ms; }
  void SetCommitBytes(std::uint64_t bytes) { commit_bytes_ = bytes; }
  /// All later appends fail with this.
  void FailAppends(Status why);
  std::size_t appends_seen() const { return appends_seen_.load(); }
  std::vector<ShardId> dropped() const;
  std::vector<std::pair<ShardId, storage::RetentionPolicy>> retention_calls() const;

 private:
  class Writer;
  Status append_failure() const;

  std::atomic<bool> hold_{false};
  std::atomic<std::int64_t> append_time_ms_{1'700'000'000'000};
  std::atomic<bool> overloaded_{false};
  std::atomic<std::uint64_t> commit_bytes_{0};
  std::atomic<std::size_t> appends_seen_{0};
  mutable std::mutex mutex_;
  Status append_failure_;
  std::map<ShardId, std::shared_ptr<FakeShardLog>> shards_;
  std::vector<std::pair<storage::Executor*, std::move_only_function<void()>>> resumes_;
  std::vector<std::pair<storage::Executor*, Writer*>> writers_;
  std::vector<ShardId> dropped_;
  std::vector<std::pair<ShardId, storage::RetentionPolicy>> retention_calls_;
};

}  // namespace sluice::broker
