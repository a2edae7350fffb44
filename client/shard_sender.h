// Sends the batches of one shard in order, several in flight, and again after failures.
//
// After the first failure nothing new is sent until every batch in flight has been answered; then the oldest that
// failed decides what happens:
//   retriable            all that failed are sent again in their order, with the same sequences, after a pause;
//   failed precondition  (idempotent) the broker misses an earlier batch, so it has stored none of these: the
//                        producer gets a new identity and they are sent again under it, once. Before that, every
//                        shard learns the fate of what it has sent under the old one, or it could be stored twice;
//   shard closed,        the shard was split or merged (and may be forgotten by now): the sender keeps what it has,
//   not found            and the producer gives it to the senders of the shards that follow, or ends where the
//                        stream is gone;
//   fenced               the whole producer ends;
//   anything else        that batch is reported as failed, the others are sent again.
// A batch older than the delivery time-out is reported at once; its answer no longer matters.
//
// Threads: everything on the client's own thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "client/backoff.h"
#include "client/batch_gatherer.h"
#include "client/connection.h"
#include "protocol/native/data_messages.h"

namespace sluice::client {

struct ProducerIdentity {
  ProducerId id = kNoProducer;
  std::int16_t epoch = -1;
  std::uint64_t generation = 0;  // counts the identities of this producer
};

/// What became of a batch.
struct Outcome {
  Status status;
  protocol::wire::AppendResponse stored;
};

/// What senders may send.
enum class SendState : std::uint8_t {
  kAll,
  kUnresolved,  // only what may have been stored already: the identity is about to change
  kNothing,
};

/// What a ShardSender asks of the producer that it is part of.
class SenderHost {
 public:
  virtual ~SenderHost() = default;
  virtual const ProducerOptions& options() const = 0;
  virtual Connection& connection() = 0;
  virtual std::uint32_t stream_id() const = 0;
  virtual const ProducerIdentity& identity() const = 0;
  virtual SendState state() const = 0;
  /// The open batch of a shard need not linger.
  virtual bool flushing() const = 0;
  virtual void Report(std::uint32_t shard, std::unique_ptr<Batch> batch, const Outcome& outcome) = 0;
  virtual void CountBatch(bool again) = 0;
  /// A batch is sent again after a pause.
  virtual void Retrying(const Status& why) = 0;
  /// Asks for a new identity once all senders are resolved.
  virtual void RenewIdentity() = 0;
  /// The shard was split or merged, or the stream is gone: asks which shards there are.
  virtual void ShardClosed(const Status& why) = 0;
  /// A sender may have become resolved.
  virtual void Progressed() = 0;
  /// The producer can do nothing more. Calls FailAll of every sender, now or later.
  virtual void End(const Status& why) = 0;
};

class ShardSender {
 public:
  ShardSender(SenderHost& host, std::uint32_t shard);

  BatchGatherer& gatherer() { return gatherer_; }
  /// Sends what may be sent now.
  void Pump();
  /// Nothing that was sent has an unknown outcome. (What follows a batch that was refused was refused too.)
  bool resolved() const { return in_flight_.empty() && !MustResolve(); }
  /// There is a new identity: sequences begin at 0 again.
  void StartSequences() { next_sequence_ = 0; }
  /// The shard was closed. What was sent before goes on being sent until its fate is known, and nothing else.
  void Retire();
  bool retired() const { return retired_; }
  /// Everything that is left, in order, of a sender that is retired and resolved.
  std::deque<std::unique_ptr<Batch>> TakeAll();
  /// Sends this batch before anything of the gatherer, but behind those that were put in front before.
  void PutInFront(std::unique_ptr<Batch> batch) { again_.push_back(std::move(batch)); }
  /// Sends nothing while held: records of its shard's parents come first.
  void Hold(bool held) { held_ = held; }
  /// When the oldest batch that is not reported yet was opened.
  std::optional<Batch::Clock::time_point> oldest() const;
  /// Reports batches that are past their time.
  void Expire(Batch::Clock::time_point now);
  /// Reports everything as failed.
  void FailAll(const Status& why);
  void Stop();

 private:
  struct InFlight {
    std::uint64_t number = 0;
    std::unique_ptr<Batch> batch;  // null: already reported
    bool failed = false;
  };

  bool MustResolve() const { return !again_.empty() && again_.front()->maybe_stored; }
  bool MaySend() const;
  std::unique_ptr<Batch> Next();
  void Stamp(Batch& batch, const ProducerIdentity& identity);
  void Send(std::unique_ptr<Batch> batch);
  void Answered(std::uint64_t number, Result<Answer> answer);
  static void NoteFailure(Batch& batch, const Status& why);
  void Settle();
  void Decide(std::unique_ptr<Batch> oldest);
  void RetryLater();
  void ArmLinger();
  Status OverdueStatus(const Batch& batch) const;

  SenderHost& host_;  // outlives the sender
  const std::uint32_t shard_;
  BatchGatherer gatherer_;  // own locking; all below: the client's own thread
  std::deque<InFlight> in_flight_;
  std::deque<std::unique_ptr<Batch>> again_;  // to be sent again, before anything of the gatherer
  std::uint64_t next_number_ = 0;
  std::int32_t next_sequence_ = 0;
  bool settling_ = false;  // something in flight has failed
  bool pausing_ = false;   // retry_timer_ runs
  bool retired_ = false;   // the shard was closed
  bool held_ = false;      // as in Hold
  Backoff backoff_;
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer linger_timer_;
};

}  // namespace sluice::client
