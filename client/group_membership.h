// A member's talk with the broker: joins, sends heartbeats, joins again where the broker has forgotten it, and sends
// checkpoints until they are answered.
//
// Threads: Join and CallAndWait by the user's thread, before and after the heartbeats; everything else on the client's
// own thread, where `news` is called too. What both threads look at has the mutex.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/backoff.h"
#include "client/connection.h"
#include "sluice/group_consumer.h"

namespace sluice::native {
class GroupAssignment;
class JoinGroupRequest;
}  // namespace sluice::native

namespace sluice::client {

struct Lease {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_offset = 0;
  bool asked_back = false;
};

struct Checkpoint {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_offset = 0;
  std::uint64_t missed = 0;
  bool release = false;
};

class GroupMembership {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Leases = std::vector<Lease>;
  /// The shards that were fenced, or why nothing was taken.
  using Committed = std::move_only_function<void(Result<std::vector<std::uint32_t>>)>;

  GroupMembership(Connection& connection, const GroupConsumerOptions& options, std::function<void()> news);

  // ---- the user's thread ----
  /// Joins, blocking.
  Status Join(std::string_view stream, std::string_view group);
  /// Leaves, blocking; after Stop.
  Status Leave();
  std::uint32_t stream_id() const { return stream_id_; }
  /// What the newest answer says, once; nullopt where nothing has changed.
  std::optional<Leases> TakeLeases();
  /// Why the membership is over, if it is: the stream or the group was deleted, say.
  Status ended() const;
  /// Until then nobody else is given a shard of this member.
  Time confirmed_until() const;
  std::uint64_t joins() const;

  // ---- the client's own thread ----
  /// Sends heartbeats from now on.
  void Start();
  /// Sends a heartbeat at once.
  void Hurry();
  /// The same, and is told all leases.
  void AskAnew();
  /// Tries until it is answered; with a deadline, until then.
  void Commit(std::vector<Checkpoint> checkpoints, std::optional<Time> deadline, Committed done);
  void Stop();

 private:
  struct PendingCommit;

  native::JoinGroupRequest JoinRequest() const;
  Call JoinCall() const;
  Call HeartbeatCall();
  void Send();
  void Answered(Time sent_at, Result<Answer> answer);
  Status Take(Time sent_at, const Answer& answer);
  void Refused(const Status& why);
  void SendLater(std::chrono::microseconds pause);
  void End(const Status& why);
  std::string CommitControl(const std::vector<Checkpoint>& checkpoints) const;
  void SendCommit(const std::shared_ptr<PendingCommit>& commit);
  void CommitAnswered(const std::shared_ptr<PendingCommit>& commit, Result<Answer> answer);

  Connection& connection_;  // outlives the object
  const GroupConsumerOptions& options_;
  const std::function<void()> news_;
  const std::uint64_t member_id_;
  std::string stream_;  // constant after Join, and so are the next three
  std::string group_;
  std::uint32_t stream_id_ = 0;

  // The client's own thread:
  std::uint64_t version_ = 0;
  bool anew_ = false;  // the next heartbeat asks for all leases
  std::chrono::milliseconds heartbeat_{0};
  bool joined_ = false;  // false: the broker has forgotten the member
  bool under_way_ = false;
  bool again_ = false;  // at once after the one that is under way
  bool stopped_ = false;
  Backoff backoff_;
  boost::asio::steady_timer timer_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::optional<Leases> leases_;  // not taken yet
  Time confirmed_until_{};
  Status ended_;
  std::uint64_t joins_ = 0;
};

}  // namespace sluice::client
