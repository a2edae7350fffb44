// What a member of a consumer group is made of: a reader for each leased shard, drained in turn; what the broker says
// about the leases is taken up in Poll. For the sources of GroupConsumer only.
//
// Threads: as its parts say.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "client/group_membership.h"
#include "client/shard_reader.h"
#include "sluice/group_consumer.h"

namespace sluice {
namespace client {

// A shard that this member has, or has had: its reader is kept for when it comes back.
struct HeldShard {
  std::unique_ptr<ShardReader> reader;
  bool leased = false;
  std::uint64_t epoch = 0;      // of the newest lease; one that is not above it was given up
  std::uint64_t given = 0;      // what Poll gives next
  std::uint64_t processed = 0;  // what is to be committed
  std::uint64_t committed = 0;
  std::uint64_t missed = 0;  // since the last checkpoint
  bool behind = false;       // retention has passed the reader, which goes on with the oldest record
};

}  // namespace client

struct GroupConsumer::Impl {
  explicit Impl(GroupConsumerOptions opts)
      : options(std::move(opts)),
        connection(std::make_shared<client::Connection>(io, options.client)),
        membership(*connection, options, [this] { News(); }) {}
  ~Impl();

  // What the commits of this member come back with.
  struct Outcome {
    std::vector<client::Checkpoint> checkpoints;
    std::vector<std::uint32_t> fenced;
    bool failed = false;  // nothing was taken
  };

  Status Start(std::string_view stream, std::string_view group);
  Result<std::vector<ConsumedRecord>> Poll(std::chrono::milliseconds timeout);
  Result<std::vector<ConsumedRecord>> Step();
  void TakeLeases();
  void GiveUp(const std::map<std::uint32_t, client::Lease>& leases);
  void Adopt(const std::map<std::uint32_t, client::Lease>& leases);
  void Release(const std::vector<std::uint32_t>& shards, GroupConsumerOptions::Revoked why);
  static void Park(client::HeldShard& held);
  void Tell(const std::vector<std::uint32_t>& shards, GroupConsumerOptions::Revoked why) const;
  void SetTurns();
  std::vector<ConsumedRecord> Collect();
  Status TakeGiven(std::uint32_t shard, const std::vector<ConsumedRecord>& records, std::size_t from);
  Status FirstError();
  void FinishShards();
  void AutoCommit();
  std::vector<client::Checkpoint> Due();
  void Send(std::vector<client::Checkpoint> checkpoints, std::optional<client::GroupMembership::Time> deadline,
            std::function<void(const Status&)> done);
  Status CommitAndWait(std::vector<client::Checkpoint> checkpoints, std::chrono::milliseconds patience);
  void TakeOutcomes();
  void TakeFailed(const client::Checkpoint& checkpoint);
  Status Leave();
  void StopAll();
  void News();
  client::HeldShard* Find(std::uint32_t shard);

  const GroupConsumerOptions options;
  client::IoThread io;
  std::shared_ptr<client::Connection> connection;
  client::GroupMembership membership;
  std::unique_ptr<client::ReaderContext> context;  // constant after Start, but for fetch_bytes_max

  // The user's thread:
  std::map<std::uint32_t, client::HeldShard> shards;
  std::vector<std::uint32_t> in_turn;  // those that are leased
  std::size_t turn = 0;
  std::chrono::steady_clock::time_point auto_commit_at{};
  Status broken;  // told by the next Poll
  std::uint64_t records_missed = 0;
  bool left = false;

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news_count = 0;   // guarded by mutex
  std::vector<Outcome> outcomes;  // guarded by mutex
  bool committing = false;        // guarded by mutex; an automatic commit is under way
};

}  // namespace sluice
