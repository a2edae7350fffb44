// A member of a consumer group, against a broker whose answers a test writes: what happens where answers do not come,
// or say that the member is not known, or come from a broker that knows no groups.
#include "sluice/group_consumer.h"

#include <mutex>
#include <thread>

#include "protocol/native/native.pb.h"
#include "tests/catch.h"
#include "tests/client/fake_broker.h"

namespace sluice {
namespace {

using protocol::wire::Operation;
using test::FakeBroker;
using test::Message;
using test::PeerPtr;
using namespace std::chrono_literals;

/// One shard, which belongs to whoever joined last, in an epoch that grows with each join.
class FakeGroup {
 public:
  explicit FakeGroup(FakeBroker& broker) {
    broker.SetScript([this](const PeerPtr& peer, const Message& message) { return Serve(peer, message); });
  }

  std::vector<std::uint64_t> joined() {
    const std::lock_guard lock(mutex_);
    return joined_;
  }
  std::uint64_t committed() {
    const std::lock_guard lock(mutex_);
    return next_;
  }
  std::uint64_t commits() {
    const std::lock_guard lock(mutex_);
    return commits_;
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    known_ = false;
  }
  void BreakCommits(int count) {
    const std::lock_guard lock(mutex_);
    breaks_ = count;
  }
  void Silence(bool silent) {
    const std::lock_guard lock(mutex_);
    silent_ = silent;
  }
  int silenced() {
    const std::lock_guard lock(mutex_);
    return silenced_;
  }

 private:
  bool Serve(const PeerPtr& peer, const Message& message) {
    const std::lock_guard lock(mutex_);
    switch (message.header.operation) {
      case Operation::kJoinGroup: {
        native::JoinGroupRequest request;
        (void)request.ParseFromString(message.control);
        joined_.push_back(request.member_id());
        known_ = true;
        return AnswerAssignment(peer, message);
      }
      case Operation::kGroupHeartbeat:
        if (silent_) {
          ++silenced_;
          return true;
        }
        if (known_) return AnswerAssignment(peer, message);
        peer->Refuse(message, Code::kFenced, "not a member");
        return true;
      case Operation::kCommitCheckpoints:
        return Commit(peer, message);
      case Operation::kLeaveGroup:
        peer->Answer(message, "");
        return true;
      default:
        return false;
    }
  }
  bool AnswerAssignment(const PeerPtr& peer, const Message& message) {
    native::GroupAssignment assignment;
    assignment.set_stream_id(7);
    assignment.set_version(joined_.size());
    assignment.set_heartbeat_ms(5);
    native::GroupLease& lease = *assignment.add_leases();
    lease.set_epoch(joined_.size());
    lease.set_next_offset(next_);
    peer->Answer(message, assignment.SerializeAsString());
    return true;
  }
  bool Commit(const PeerPtr& peer, const Message& message) {
    native::CommitCheckpointsRequest request;
    (void)request.ParseFromString(message.control);
    ++commits_;
    native::CommitCheckpointsResponse response;
    for (const native::ShardCheckpoint& checkpoint : request.checkpoints()) {
      if (checkpoint.epoch() == joined_.size()) {
        next_ = checkpoint.next_offset();
      } else {
        response.add_fenced_shards(checkpoint.shard());
      }
    }
    if (breaks_ > 0) {
      --breaks_;
      peer->Break();
    } else {
      peer->Answer(message, response.SerializeAsString());
    }
    return true;
  }

  std::mutex mutex_;  // guards all below
  std::vector<std::uint64_t> joined_;
  std::uint64_t next_ = 0;
  std::uint64_t commits_ = 0;
  bool known_ = false;
  bool silent_ = false;
  int silenced_ = 0;
  int breaks_ = 0;
};

GroupConsumerOptions OptionsFor(const FakeBroker& broker) {
  GroupConsumerOptions options;
  options.client.address = broker.address();
  options.client.retry_backoff_min = 1ms;
  options.client.retry_backoff_max = 5ms;
  options.auto_commit = false;
  options.poll_records_max = 2;
  return options;
}

std::unique_ptr<GroupConsumer> Join(GroupConsumerOptions options) {
  auto consumer = GroupConsumer::Join("orders", "billing", std::move(options));
  INFO((consumer ? "" : consumer.error().ToString()));
  REQUIRE(consumer.has_value());
  return std::move(*consumer);
}

std::vector<std::string> Values(GroupConsumer& consumer, std::chrono::milliseconds timeout = 10s) {
  const auto records = consumer.Poll(timeout);
  INFO((records ? "" : records.error().ToString()));
  REQUIRE(records.has_value());
  std::vector<std::string> values;
  for (const ConsumedRecord& record : *records) values.push_back(record.value);
  return values;
}

using Texts = std::vector<std::string>;

TEST_CASE("GroupConsumer Join: a broker that is older than consumer groups", "[client]") {
  const FakeBroker broker;
  const auto consumer = GroupConsumer::Join("orders", "billing", OptionsFor(broker));
  REQUIRE_FALSE(consumer.has_value());
  CHECK(consumer.error().code() == Code::kUnimplemented);
  CHECK(consumer.error().message().starts_with("the broker does not know consumer groups; update it"));
}

TEST_CASE("GroupConsumer: joins again under its id where the broker has forgotten it", "[client]") {
  FakeBroker broker;
  FakeGroup group(broker);
  broker.Store(0, {"a", "b", "c", "d"});
  std::vector<GroupConsumerOptions::Revoked> revoked;
  GroupConsumerOptions options = OptionsFor(broker);
  options.on_revoked = [&](const auto&, GroupConsumerOptions::Revoked why) { revoked.push_back(why); };
  const auto consumer = Join(options);
  CHECK(Values(*consumer) == Texts{"a", "b"});
  group.Forget();
  while (group.joined().size() < 2) std::this_thread::yield();
  // The shard is its own in another epoch: what was not committed comes again.
  while (revoked.empty()) Values(*consumer, 1ms);
  CHECK(revoked.front() == GroupConsumerOptions::Revoked::kLost);
  CHECK(group.joined()[0] == group.joined()[1]);
  CHECK(consumer->stats().joins == 2);
  while (consumer->progress().front().next_offset < 4) Values(*consumer);
  CHECK(consumer->Commit().ok());
  CHECK(group.committed() == 4);
}

TEST_CASE("GroupConsumer Commit: is sent again where its answer did not come", "[client]") {
  FakeBroker broker;
  FakeGroup group(broker);
  broker.Store(0, {"a", "b"});
  const auto consumer = Join(OptionsFor(broker));
  CHECK(Values(*consumer) == Texts{"a", "b"});
  group.BreakCommits(2);
  CHECK(consumer->Commit().ok());
  CHECK(group.commits() == 3);
  CHECK(group.committed() == 2);
}

TEST_CASE("GroupConsumer Poll: gives nothing while nobody knows whose the shards are", "[client]") {
  FakeBroker broker;
  FakeGroup group(broker);
  broker.Store(0, {"a", "b", "c", "d"});
  GroupConsumerOptions options = OptionsFor(broker);
  options.session_timeout = 200ms;
  const auto consumer = Join(options);
  CHECK(Values(*consumer) == Texts{"a", "b"});
  group.Silence(true);
  // The second comes when the first has waited in vain for as long as a session.
  while (group.silenced() < 2) std::this_thread::yield();
  CHECK(Values(*consumer, 1ms).empty());
  group.Silence(false);
  CHECK(Values(*consumer) == Texts{"c", "d"});
}

}  // namespace
}  // namespace sluice
