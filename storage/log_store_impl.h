// LogStore as it is: puts the parts together, starts and stops them in order.
//
// Threads: the loops' own (through writers), the commit thread, the write-behind thread, the journal file maker. Lock
// order: mutex.h.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/committer.h"
#include "storage/journal_files.h"
#include "storage/log_store.h"
#include "storage/log_writer_impl.h"
#include "storage/mutex.h"
#include "storage/segment_store.h"
#include "storage/shard_log_impl.h"
#include "storage/tail_budget.h"
#include "storage/write_behind.h"

namespace sluice::storage {

class LogStoreImpl final : public LogStore {
 public:
  LogStoreImpl(Env& env, std::string dir, const LogStoreOptions& options);
  ~LogStoreImpl() override;

  Status Open(RecoveryReport& report);

  std::unique_ptr<LogWriter> NewWriter(Executor& loop) override;
  std::shared_ptr<ShardLog> OpenShard(ShardId id) override;
  void DropShard(ShardId id) override;
  std::vector<ShardId> Shards() override;
  std::uint64_t ApplyRetention(ShardId id, const RetentionPolicy& policy) override;
  Result<std::vector<Hole>> AcceptLoss(ShardId id) override;
  bool overloaded() const override { return budget_.overloaded(); }
  void WhenReady(Executor& loop, std::move_only_function<void()> resume) override {
    budget_.WhenReady(loop, std::move(resume));
  }
  LogStoreStats stats() const override;
  std::uint64_t commit_bytes() const override { return committer_.commit_bytes(); }
  void SetCommitObserver(Committer::Observer observer) override { committer_.SetObserver(std::move(observer)); }
  void SetEndObserver(Committer::EndObserver observer) override { committer_.SetEndObserver(std::move(observer)); }
  Status Close() override;

 private:
  Status CheckVersion();
  Status WaitForJournalFile();
  std::vector<std::shared_ptr<ShardLogImpl>> AllShards();
  std::shared_ptr<ShardLogImpl> FindShard(ShardId id);

  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);  // for posted tasks
  Env& env_;
  const std::string dir_;
  const LogStoreOptions options_;
  std::unique_ptr<FileLock> lock_;
  mutable TailBudget budget_;
  mutable SegmentStore segments_;
  mutable JournalFiles journal_files_;
  CheckpointFiles checkpoints_;
  mutable Committer committer_;
  WriteBehind write_behind_;
  bool closed_ = false;

  mutable Mutex mutex_;
  std::unordered_map<ShardId, std::shared_ptr<ShardLogImpl>> shards_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::storage
