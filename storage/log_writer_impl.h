// LogWriter as the store makes it: gathers a turn's appends, hands them to the committer, publishes and acknowledges in
// order.
//
// The handle that the loop owns is thin; the core is shared with tasks that are posted to the loop and with batches
// under way, so that each `done` is called although the handle may be gone.
//
// Threads: the owning loop's, but for BatchesMoved.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "storage/append_batch.h"
#include "storage/committer.h"
#include "storage/env/env.h"
#include "storage/executor.h"
#include "storage/log_writer.h"
#include "storage/tail_budget.h"
#include "storage/write_behind.h"

namespace sluice::storage {

class WriterCore final : public BatchOwner, public std::enable_shared_from_this<WriterCore> {
 public:
  struct Parts {
    Env& env;
    Committer& committer;
    TailBudget& budget;
    WriteBehind& write_behind;
    std::uint64_t batch_bytes_max = 0;  // a batch of a turn's appends is handed on at this size
    std::uint64_t frame_bytes_max = 0;  // what fits in a journal file
    std::shared_ptr<const std::atomic<bool>> store_gone;
  };

  WriterCore(Executor& loop, const Parts& parts) : loop_(loop), parts_(parts) {}

  void SetListener(LogWriter::Published listener) { listener_ = std::move(listener); }
  void Append(ShardLog& shard, protocol::FrameBuffer batch, const protocol::BatchHeader& header, AckMode ack,
              LogWriter::Done done);
  void Drain(ShardLog& shard, LogWriter::Drained done);
  void BatchesMoved() override;

 private:
  Status CheckRoom(std::uint64_t frame_bytes);
  void AddDuplicate(std::shared_ptr<ShardLogImpl> shard, const ProducerBatch& original, AckMode ack,
                    LogWriter::Done done);
  /// The batch that this turn fills; ends the turn's first batch where another frame would make it too large.
  AppendBatch& TurnBatch(std::uint64_t frame_bytes);
  void EndTurn();
  void SubmitTurn();
  /// Acknowledges and publishes what has moved on, in order.
  void CompleteReady();
  void AckWritten(AppendBatch& batch);
  void Complete(AppendBatch& batch);
  void Publish(AppendBatch& batch);
  void TellListener();
  std::shared_ptr<AppendBatch> NewBatch();

  Executor& loop_;
  const Parts parts_;
  std::atomic<bool> completion_posted_{false};

  // The loop's.
  LogWriter::Published listener_;
  std::shared_ptr<AppendBatch> turn_;
  bool turn_posted_ = false;
  bool completing_ = false;
  std::deque<std::shared_ptr<AppendBatch>> outstanding_;  // in the order of submission
  std::deque<std::shared_ptr<AppendBatch>> spare_;        // kept for their memory; the longest completed in front
  std::vector<std::shared_ptr<ShardLogImpl>> published_;  // shards to tell the listener about
  std::vector<protocol::Frame> run_;                      // frames of one shard in a row
};

class LogWriterImpl final : public LogWriter {
 public:
  explicit LogWriterImpl(std::shared_ptr<WriterCore> core) : core_(std::move(core)) {}
  ~LogWriterImpl() override { core_->SetListener({}); }

  void SetPublishedListener(Published listener) override { core_->SetListener(std::move(listener)); }
  void Append(ShardLog& shard, protocol::FrameBuffer batch, const protocol::BatchHeader& header, AckMode ack,
              Done done) override {
    core_->Append(shard, std::move(batch), header, ack, std::move(done));
  }
  void Drain(ShardLog& shard, Drained done) override { core_->Drain(shard, std::move(done)); }

 private:
  const std::shared_ptr<WriterCore> core_;
};

}  // namespace sluice::storage
