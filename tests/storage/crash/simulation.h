// A LogStore on a MemoryEnv together with a model of what it must hold: appends, crashes and faults on one side, and
// after each recovery the comparison of everything that can be read with everything that was promised (invariants I1 to
// I9 of docs/guarantees.md).
//
// Every batch says in its bytes which shard it was sent to, its number there and its length, so a frame proves itself.
// Odd shards have an idempotent producer with at most five batches on their way, as the protocol asks, that sends
// again what a crash left unanswered; even shards have neither.
//
// Threads: the test's thread only; the store has threads of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "tests/storage/manual_loop.h"

namespace sluice::storage {

class Simulation {
 private:
  enum class State { kSent, kWritten, kDurable };
  struct Batch {
    std::uint64_t number = 0;  // in its shard; the idempotent producer's first sequence is kRecords times this
    std::size_t value_bytes = 0;
    State state = State::kSent;
    bool acknowledged = false;  // to the producer, in any mode; it does not send such a batch again
    Offset base;
  };
  struct ShardModel {
    ShardId id;
    std::shared_ptr<ShardLog> log;
    std::vector<Batch> batches;  // in the order of sending; those that are known not to be stored are taken out
    std::uint64_t next_number = 0;
    std::size_t unanswered = 0;
    Offset seen_end;  // durable_end() as a reader saw it
  };

 public:
  static constexpr std::uint32_t kShards = 4;
  /// All files and what they must hold.
  struct Saved {
    std::map<std::string, std::string> files;
    std::vector<ShardModel> shards;
  };

  explicit Simulation(std::uint64_t seed);
  ~Simulation();

  MemoryEnv& env() { return env_; }
  LogStore& store() { return *store_; }
  bool running() const { return store_ != nullptr; }
  const RecoveryReport& report() const { return report_; }
  std::uint64_t Below(std::uint64_t bound) { return chance_.Next() % bound; }

  /// Opens the store; verifies nothing.
  Status Start();
  /// Starts, fails the test where it does not, and verifies everything.
  void MustStart();
  /// Appends one batch to a shard, without waiting for the answer; nothing where its producer has to wait for answers.
  void Append(std::uint32_t shard, AckMode ack);
  /// Appends to random shards with random modes, sizes and pauses; stops early where the power goes.
  void RandomWork(int steps);
  /// Runs what is there to run, without waiting for answers.
  void Turn() { loop_.RunReady(); }
  /// Waits until appends are no longer held back.
  void WaitUntilReady();
  /// Waits for all answers.
  void Settle();
  /// Waits until the mark behind the newest durable group is on the disk.
  void WaitForMark();
  /// Close, which leaves the clean mark where it returns OK.
  Status CloseCleanly();
  /// The store goes down with what it was doing; then the machine comes back as `options` say.
  void Crash(CrashOptions options);

  /// A reader asks where each shard ends: what stands before that must never go away. Needs no power.
  void ShowEnds();
  /// Reads every shard and compares it with the model. `may_be_damaged`: kCorruption is an honest answer too.
  void Verify(bool may_be_damaged = false);

  /// While the store is not running.
  Saved Save();
  void Restore(const Saved& saved);

  std::uint64_t acknowledged() const { return acknowledged_; }  // durable and written, in all shards
  /// Damage that Verify was told of and accepted.
  std::uint64_t refused_reads() const { return refused_reads_; }

 private:
  static constexpr std::int32_t kRecords = 2;  // in every batch
  static std::string Value(std::uint32_t shard, const Batch& batch, std::int32_t record);
  protocol::FrameBuffer Encode(std::uint32_t shard, const Batch& batch) const;
  bool IsIdempotent(std::uint32_t shard) const { return shard % 2 == 1; }
  void Send(std::uint32_t shard, std::uint64_t number, AckMode ack);
  void Answered(std::uint32_t shard, std::uint64_t number, AckMode ack, const Result<Appended>& result);
  void SendUnansweredAgain();
  static std::uint64_t NextAfter(const ShardModel& shard);
  Batch* Find(std::uint32_t shard, std::uint64_t number);
  void VerifyShard(std::uint32_t shard, bool may_be_damaged);
  /// How many batches of the model stand in the shard, from its beginning; nullopt where the damage was told.
  std::optional<std::size_t> ReadShard(std::uint32_t shard, bool may_be_damaged);
  void VerifyFrame(std::uint32_t shard, const Batch& batch, Offset expected, const protocol::Frame& frame) const;
  void ReadSomething();
  bool NewestGroupIsMarked();
  void Stop();

  SeededRandom chance_;
  MemoryEnv env_;
  ManualLoop loop_;
  RecoveryReport report_;
  std::unique_ptr<LogStore> store_;
  std::unique_ptr<LogWriter> writer_;
  std::vector<ShardModel> shards_;
  std::uint64_t unanswered_ = 0;
  bool flush_failed_ = false;  // since the last crash, so writing has ended
  std::uint64_t boot_ = 0;     // answers that come in after the crash of their boot are ignored
  std::uint64_t acknowledged_ = 0;
  std::uint64_t refused_reads_ = 0;
};

}  // namespace sluice::storage
