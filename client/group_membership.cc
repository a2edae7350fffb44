// Heartbeats and checkpoints.
#include "client/group_membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "client/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::client {
namespace {

using protocol::wire::Operation;
using Clock = std::chrono::steady_clock;

std::uint64_t RandomId() {
  std::random_device device;
  std::uint64_t id = 0;
  while (id == 0) id = std::uint64_t{device()} << 32 | device();
  return id;
}

Status DoesNotParse() { return {Code::kCorruption, "the broker's answer about a consumer group does not parse"}; }

}  // namespace

// One commit, until it is answered.
struct GroupMembership::PendingCommit {
  std::string control;
  std::optional<Time> deadline;
  bool hurries = false;  // the answer may bring other shards
  Committed done;
  Backoff backoff;
  boost::asio::steady_timer timer;
};

GroupMembership::GroupMembership(Connection& connection, const GroupConsumerOptions& options,
                                 std::function<void()> news)
    : connection_(connection),
      options_(options),
      news_(std::move(news)),
      member_id_(RandomId()),
      backoff_(connection.options()),
      timer_(connection.io().context()) {}

// ---- joining and leaving -------------------------------------------------------------------------------------------

native::JoinGroupRequest GroupMembership::JoinRequest() const {
  native::JoinGroupRequest request;
  request.set_stream(stream_);
  request.set_group(group_);
  request.set_member_id(member_id_);
  request.set_member_name(options_.member_name.empty() ? options_.client.client_name : options_.member_name);
  request.set_session_timeout_ms(static_cast<std::uint32_t>(options_.session_timeout.count()));
  request.set_release_timeout_ms(static_cast<std::uint32_t>(options_.release_timeout.count()));
  return request;
}

Status GroupMembership::Join(std::string_view stream, std::string_view group) {
  stream_ = stream;
  group_ = group;
  native::JoinGroupRequest request = JoinRequest();
  if (options_.start) SetPosition(*options_.start, *request.mutable_start());
  const Time sent_at = Clock::now();
  const auto answer = connection_.CallAndWait({.operation = Operation::kJoinGroup,
                                               .control = request.SerializeAsString(),
                                               .body = nullptr,
                                               .timeout = options_.client.request_timeout});
  if (!answer) {
    if (answer.error().code() != Code::kUnimplemented) return answer.error();
    return answer.error().WithContext("the broker does not know consumer groups; update it");
  }
  joined_ = true;
  return Take(sent_at, *answer);
}

Status GroupMembership::Leave() {
  native::LeaveGroupRequest request;
  request.set_stream_id(stream_id_);
  request.set_group(group_);
  request.set_member_id(member_id_);
  const auto answer = connection_.CallAndWait({.operation = Operation::kLeaveGroup,
                                               .control = request.SerializeAsString(),
                                               .body = nullptr,
                                               .timeout = options_.client.request_timeout});
  return answer ? Status() : answer.error();
}

// ---- heartbeats ----------------------------------------------------------------------------------------------------

void GroupMembership::Start() { SendLater(heartbeat_); }

void GroupMembership::Hurry() {
  if (under_way_) {
    again_ = true;
  } else if (!stopped_) {
    Send();
  }
}

void GroupMembership::AskAnew() {
  anew_ = true;
  Hurry();
}

Call GroupMembership::JoinCall() const {
  return {.operation = Operation::kJoinGroup,
          .control = JoinRequest().SerializeAsString(),
          .body = nullptr,
          .timeout = options_.client.request_timeout};
}

Call GroupMembership::HeartbeatCall() {
  native::GroupHeartbeatRequest request;
  request.set_stream_id(stream_id_);
  request.set_group(group_);
  request.set_member_id(member_id_);
  request.set_version(std::exchange(anew_, false) ? 0 : version_);
  // One that takes as long as the session is of no use.
  return {.operation = Operation::kGroupHeartbeat,
          .control = request.SerializeAsString(),
          .body = nullptr,
          .timeout = std::min(options_.client.request_timeout, options_.session_timeout)};
}

void GroupMembership::Send() {
  timer_.cancel();
  under_way_ = true;
  connection_.Make(joined_ ? HeartbeatCall() : JoinCall(),
                   [this, sent_at = Clock::now()](Result<Answer> answer) { Answered(sent_at, std::move(answer)); });
}

void GroupMembership::Answered(Time sent_at, Result<Answer> answer) {
  under_way_ = false;
  if (stopped_) return;
  if (!answer) return Refused(answer.error());
  joined_ = true;
  if (Status taken = Take(sent_at, *answer); !taken.ok()) return End(taken);
  backoff_.Reset();
  if (std::exchange(again_, false)) return Send();
  SendLater(heartbeat_);
}

// By the user's thread from Join, before the heartbeats.
Status GroupMembership::Take(Time sent_at, const Answer& answer) {
  native::GroupAssignment assignment;
  if (!assignment.ParseFromString(answer.control)) return DoesNotParse();
  if (stream_id_ != 0 && assignment.stream_id() != stream_id_) {
    return {Code::kNotFound,
            fmt::format("stream '{}' was deleted and created anew; open a new client to use the new one", stream_)};
  }
  stream_id_ = assignment.stream_id();
  heartbeat_ = std::chrono::milliseconds(std::max(1u, assignment.heartbeat_ms()));
  const bool is_new = joins_ == 0 || !assignment.unchanged();
  version_ = assignment.version();
  {
    const std::lock_guard lock(mutex_);
    if (joins_ == 0) joins_ = 1;
    confirmed_until_ = sent_at + options_.session_timeout;
    if (is_new) {
      Leases& leases = leases_.emplace();
      for (const native::GroupLease& lease : assignment.leases()) {
        leases.push_back({lease.shard(), lease.epoch(), lease.next_offset(), lease.asked_back()});
      }
    }
  }
  news_();
  return {};
}

void GroupMembership::Refused(const Status& why) {
  again_ = false;
  if (why.code() == Code::kFenced && joined_) {
    joined_ = false;
    const std::lock_guard lock(mutex_);
    ++joins_;
  } else if (!why.retriable()) {
    return End(why);
  }
  SendLater(backoff_.Next());
}

void GroupMembership::SendLater(std::chrono::microseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !under_way_ && !stopped_) Send();
  });
}

void GroupMembership::End(const Status& why) {
  stopped_ = true;
  {
    const std::lock_guard lock(mutex_);
    ended_ = why.WithContext(fmt::format("consumer group '{}' of stream '{}'", group_, stream_));
  }
  news_();
}

void GroupMembership::Stop() {
  stopped_ = true;
  timer_.cancel();
}

// ---- checkpoints ---------------------------------------------------------------------------------------------------

std::string GroupMembership::CommitControl(const std::vector<Checkpoint>& checkpoints) const {
  native::CommitCheckpointsRequest request;
  request.set_stream_id(stream_id_);
  request.set_group(group_);
  request.set_member_id(member_id_);
  for (const Checkpoint& checkpoint : checkpoints) {
    native::ShardCheckpoint& out = *request.add_checkpoints();
    out.set_shard(checkpoint.shard);
    out.set_epoch(checkpoint.epoch);
    out.set_next_offset(checkpoint.next_offset);
    out.set_missed(checkpoint.missed);
    out.set_release(checkpoint.release);
  }
  return request.SerializeAsString();
}

void GroupMembership::Commit(std::vector<Checkpoint> checkpoints, std::optional<Time> deadline, Committed done) {
  const bool hurries = std::ranges::any_of(checkpoints, &Checkpoint::release);
  SendCommit(std::make_shared<PendingCommit>(CommitControl(checkpoints), deadline, hurries, std::move(done),
                                             Backoff(connection_.options()),
                                             boost::asio::steady_timer(connection_.io().context())));
}

void GroupMembership::SendCommit(const std::shared_ptr<PendingCommit>& commit) {
  Call call{.operation = Operation::kCommitCheckpoints,
            .control = commit->control,
            .body = nullptr,
            .timeout = options_.client.request_timeout};
  connection_.Make(std::move(call),
                   [this, commit](Result<Answer> answer) { CommitAnswered(commit, std::move(answer)); });
}

void GroupMembership::CommitAnswered(const std::shared_ptr<PendingCommit>& commit, Result<Answer> answer) {
  const bool in_time = !commit->deadline || Clock::now() < *commit->deadline;
  if (!answer && answer.error().retriable() && in_time && !stopped_) {
    commit->timer.expires_after(commit->backoff.Next());
    return commit->timer.async_wait([this, commit](const boost::system::error_code& error) {
      if (!error) SendCommit(commit);
    });
  }
  if (!answer) return commit->done(Error(answer.error()));
  native::CommitCheckpointsResponse response;
  if (!response.ParseFromString(answer->control)) return commit->done(Error(DoesNotParse()));
  commit->done(std::vector<std::uint32_t>(response.fenced_shards().begin(), response.fenced_shards().end()));
  if (commit->hurries) Hurry();
}

// ---- what the user's thread asks -----------------------------------------------------------------------------------

std::optional<GroupMembership::Leases> GroupMembership::TakeLeases() {
  const std::lock_guard lock(mutex_);
  return std::exchange(leases_, std::nullopt);
}

Status GroupMembership::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

GroupMembership::Time GroupMembership::confirmed_until() const {
  const std::lock_guard lock(mutex_);
  return confirmed_until_;
}

std::uint64_t GroupMembership::joins() const {
  const std::lock_guard lock(mutex_);
  return joins_;
}

}  // namespace sluice::client
