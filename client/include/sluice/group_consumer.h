// One member of a consumer group: the broker gives each shard of the stream to one member at a time, and keeps how far
// the group has processed it.
//
// Processing is at least once. What was committed is not given again; what was given and not committed when a member
// died, or lost a shard, is given again to the member that has the shard then. While nobody dies each record is given
// once: a shard that moves is committed and released by its holder first. Records of a key come in their order, also
// over splits and merges: a new shard is read when all of its parents are finished.
//
// Threads: one thread uses a GroupConsumer at a time; heartbeats are sent by a thread of its own. Callbacks run within
// Poll, but for that of CommitAsync.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/consumer.h"
#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice {

struct GroupConsumerOptions {
  /// Why shards are a member's no longer.
  enum class Revoked : std::uint8_t {
    kMoved,     // another member is to have them: Commit what is processed, they are released after the callback
    kFinished,  // they were split or merged, and are processed to their end
    kLost,      // another member may have them already; what was not committed is processed again there
  };
  using Shards = std::vector<std::uint32_t>;

  ClientOptions client;
  std::string member_name;                             // for people; empty: client.client_name
  std::optional<Position> start = Position::Oldest();  // of a group that is not there yet; none: it must be there
  std::chrono::milliseconds session_timeout{10'000};   // not heard for so long, the member is thought dead
  std::chrono::milliseconds release_timeout{30'000};   // how long Poll may be away before a shard that moves is taken
  /// With it each Poll says that what the Poll before it gave is processed, and that is committed.
  bool auto_commit = true;
  std::chrono::milliseconds auto_commit_interval{1'000};
  std::uint64_t fetch_bytes_max = 4u << 20;  // as of ConsumerOptions
  std::chrono::milliseconds fetch_wait{5'000};
  std::uint64_t buffer_bytes_max = 64u << 20;
  std::uint32_t poll_records_max = 10'000;
  std::function<void(const Shards&)> on_assigned;
  std::function<void(const Shards&, Revoked)> on_revoked;
};

struct GroupConsumerStats {
  std::uint64_t records_missed = 0;  // removed by retention before this member could read them
  std::uint64_t joins = 0;           // 1, and one more for each time the broker thought the member dead
};

class GroupConsumer {
 public:
  /// Joins. kNotFound: no such stream, or no such group where `start` is empty; kUnimplemented: the broker is older
  /// than consumer groups.
  static Result<std::unique_ptr<GroupConsumer>> Join(std::string_view stream, std::string_view group,
                                                     GroupConsumerOptions options);
  /// Leaves. Of what the last Poll gave nothing is committed: call Leave where it is processed.
  ~GroupConsumer();

  /// Records of the member's shards that are there, or that come within `timeout`; empty where none came. In offset
  /// order per shard. While the broker cannot be reached it is tried again and no records come. An error is told once
  /// per shard, whose reading has ended then; kNotFound: the stream or the group was deleted.
  Result<std::vector<ConsumedRecord>> Poll(std::chrono::milliseconds timeout);

  /// Commits all that Poll has given; durable when it is OK. kFenced: shards that are no longer this member's, which
  /// the message names; the others are committed. Retriable errors are tried again for the request timeout.
  Status Commit();
  /// The same for one shard, up to the record before `next_offset`. kInvalidArgument where Poll has not given that
  /// much, kFenced where the shard is not this member's.
  Status Commit(std::uint32_t shard, std::uint64_t next_offset);
  /// As Commit, without waiting. `done` may be empty; it is called on the client's own thread and must not block.
  void CommitAsync(std::function<void(const Status&)> done);

  /// All that Poll has given is processed: commits it and leaves the group, so that others go on at once. Poll gives
  /// kFailedPrecondition from then on.
  Status Leave();

  /// The shards that this member reads, ascending; as of the last Poll.
  std::vector<std::uint32_t> shards() const;
  std::vector<ShardProgress> progress() const;
  GroupConsumerStats stats() const;

 private:
  struct Impl;
  explicit GroupConsumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
