// The native door: consumer groups.
#include "protocol/native/native.pb.h"
#include "tests/broker/door_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

namespace pb = ::sluice::native;
using protocol::wire::Operation;

struct GroupClient {
  explicit GroupClient(std::uint16_t port) : client(port) { client.Hello(); }

  template <typename Request>
  RawClient::Message Call(Operation operation, const Request& request) {
    client.Send(RawClient::Request(operation, 1, request.SerializeAsString()));
    auto answer = client.Receive();
    REQUIRE(answer.has_value());
    return *answer;
  }
  template <typename Response, typename Request>
  Response Get(Operation operation, const Request& request) {
    const auto answer = Call(operation, request);
    INFO((answer.header.status == Code::kOk ? "" : answer.error()));
    REQUIRE(answer.header.status == Code::kOk);
    Response response;
    REQUIRE(response.ParseFromString(answer.control));
    return response;
  }

  RawClient client;
};

pb::JoinGroupRequest JoinOf(std::uint64_t member, bool create = true) {
  pb::JoinGroupRequest request;
  request.set_stream("orders");
  request.set_group("billing");
  request.set_member_id(member);
  request.set_member_name("m" + std::to_string(member));
  request.set_session_timeout_ms(60'000);
  request.set_release_timeout_ms(60'000);
  if (create) request.mutable_start()->set_oldest(true);
  return request;
}

pb::CommitCheckpointsRequest CommitOf(const pb::GroupAssignment& assignment, std::uint64_t member, std::uint64_t next,
                                      bool release = false) {
  pb::CommitCheckpointsRequest request;
  request.set_stream_id(assignment.stream_id());
  request.set_group("billing");
  request.set_member_id(member);
  for (const pb::GroupLease& lease : assignment.leases()) {
    pb::ShardCheckpoint& checkpoint = *request.add_checkpoints();
    checkpoint.set_shard(lease.shard());
    checkpoint.set_epoch(lease.epoch());
    checkpoint.set_next_offset(next);
    checkpoint.set_release(release && lease.asked_back());
  }
  return request;
}

pb::GroupAssignment Beat(GroupClient& client, const pb::GroupAssignment& known, std::uint64_t member) {
  pb::GroupHeartbeatRequest request;
  request.set_stream_id(known.stream_id());
  request.set_group("billing");
  request.set_member_id(member);
  request.set_version(known.version());
  return client.Get<pb::GroupAssignment>(Operation::kGroupHeartbeat, request);
}

TEST_CASE("NativeDoor: members of a consumer group share its shards", "[broker]") {
  Door door(GENERATE(1u, 2u));
  GroupClient client(door.port());
  client.client.Send(RawClient::Append(2, door.id(), 0, BatchOf(5)));
  REQUIRE(client.client.Receive()->header.status == Code::kOk);

  // Two members share the two shards; what moves is committed and released first.
  auto first = client.Get<pb::GroupAssignment>(Operation::kJoinGroup, JoinOf(1));
  REQUIRE(first.leases_size() == 2);
  CHECK(first.stream_id() == door.id());
  CHECK(first.leases(0).next_offset() == 0);
  CHECK(first.heartbeat_ms() == 1'000);
  CHECK(Beat(client, first, 1).unchanged());
  auto second = client.Get<pb::GroupAssignment>(Operation::kJoinGroup, JoinOf(2));
  CHECK(second.leases_size() == 0);
  CHECK(second.heartbeat_ms() == 100);
  first = Beat(client, first, 1);
  REQUIRE(first.leases_size() == 2);
  REQUIRE(first.leases(1).asked_back());
  pb::GroupAssignment held = first;
  held.mutable_leases()->RemoveLast();
  CHECK(client.Get<pb::CommitCheckpointsResponse>(Operation::kCommitCheckpoints, CommitOf(held, 1, 3))
            .fenced_shards_size() == 0);
  held = first;
  held.mutable_leases()->erase(held.leases().begin());
  CHECK(client.Get<pb::CommitCheckpointsResponse>(Operation::kCommitCheckpoints, CommitOf(held, 1, 0, true))
            .fenced_shards_size() == 0);
  second = Beat(client, second, 2);
  REQUIRE(second.leases_size() == 1);
  CHECK(second.leases(0).shard() == 1);
  CHECK(second.leases(0).epoch() == 2);

  // The old lease counts no more.
  const auto fenced = client.Get<pb::CommitCheckpointsResponse>(Operation::kCommitCheckpoints, CommitOf(first, 1, 4));
  REQUIRE(fenced.fenced_shards_size() == 1);
  CHECK(fenced.fenced_shards(0) == 1);
  CHECK(client.Call(Operation::kCommitCheckpoints, CommitOf(second, 2, 1)).header.status == Code::kOutOfRange);
}

TEST_CASE("NativeDoor: a consumer group is described, reset and deleted", "[broker]") {
  Door door(GENERATE(1u, 2u));
  GroupClient client(door.port());
  client.client.Send(RawClient::Append(2, door.id(), 0, BatchOf(5)));
  REQUIRE(client.client.Receive()->header.status == Code::kOk);
  pb::GroupAssignment first = client.Get<pb::GroupAssignment>(Operation::kJoinGroup, JoinOf(1));
  (void)client.Get<pb::GroupAssignment>(Operation::kJoinGroup, JoinOf(2));
  first.mutable_leases()->RemoveLast();
  (void)client.Get<pb::CommitCheckpointsResponse>(Operation::kCommitCheckpoints, CommitOf(first, 1, 4));

  pb::DescribeGroupRequest describe;
  describe.set_stream("orders");
  describe.set_group("billing");
  const auto info = client.Get<pb::GroupInfo>(Operation::kDescribeGroup, describe);
  CHECK(info.lag_records() == 1);
  REQUIRE(info.members_size() == 2);
  CHECK(info.members(0).name() == "m1");
  CHECK(info.members(0).shards() == 2);
  REQUIRE(info.shards_size() == 2);
  CHECK(info.shards(0).next_offset() == 4);
  CHECK(info.shards(0).state() == pb::GroupShardInfo::LEASED);
  CHECK(info.shards(1).state() == pb::GroupShardInfo::ASKED_BACK);
  CHECK(info.shards(0).sequence_number().size() == 56);

  pb::DeleteGroupRequest remove;
  remove.set_stream("orders");
  remove.set_group("billing");
  const auto refused = client.Call(Operation::kDeleteGroup, remove);
  CHECK(refused.header.status == Code::kFailedPrecondition);
  CHECK(refused.error() == "consumer group 'billing' of stream 'orders' has 2 members; stop them first");
  for (const std::uint64_t member : {1u, 2u}) {
    pb::LeaveGroupRequest leave;
    leave.set_stream_id(door.id());
    leave.set_group("billing");
    leave.set_member_id(member);
    CHECK(client.Call(Operation::kLeaveGroup, leave).header.status == Code::kOk);
  }
  pb::ResetGroupRequest reset;
  reset.set_stream("orders");
  reset.set_group("billing");
  reset.set_shard(0);
  reset.mutable_to()->set_offset(2);
  CHECK(client.Get<pb::GroupInfo>(Operation::kResetGroup, reset).lag_records() == 3);
  CHECK(client.Get<pb::ListGroupsResponse>(Operation::kListGroups, pb::ListGroupsRequest()).groups_size() == 1);
  CHECK(client.Call(Operation::kDeleteGroup, remove).header.status == Code::kOk);
  CHECK(client.Call(Operation::kDescribeGroup, describe).error() == "stream 'orders' has no consumer group 'billing'");
}

TEST_CASE("NativeDoor: refusals of consumer groups", "[broker]") {
  Door door;
  GroupClient client(door.port());
  CHECK(client.Call(Operation::kJoinGroup, JoinOf(1, false)).error() ==
        "stream 'orders' has no consumer group 'billing'");
  CHECK(client.Call(Operation::kJoinGroup, JoinOf(0)).error() == "a member's id cannot be 0");
  pb::JoinGroupRequest join = JoinOf(1);
  join.set_session_timeout_ms(99);
  CHECK(client.Call(Operation::kJoinGroup, join).error() == "a session timeout is 100 ms to one hour, not 99 ms");
  join = JoinOf(1);
  join.mutable_start()->set_offset(3);
  CHECK(client.Call(Operation::kJoinGroup, join).error() ==
        "a consumer group begins at the oldest record, the latest, or a time");
  join = JoinOf(1);
  join.set_group("a/b");
  CHECK(client.Call(Operation::kJoinGroup, join).header.status == Code::kInvalidArgument);
  join.set_group("billing");
  join.set_stream("order");
  CHECK(client.Call(Operation::kJoinGroup, join).error() == "stream 'order' does not exist; did you mean 'orders'?");
  auto assignment = client.Get<pb::GroupAssignment>(Operation::kJoinGroup, JoinOf(1));
  pb::GroupHeartbeatRequest beat;
  beat.set_stream_id(assignment.stream_id());
  beat.set_group("billing");
  beat.set_member_id(2);
  CHECK(client.Call(Operation::kGroupHeartbeat, beat).header.status == Code::kFenced);
  beat.set_group("bilding");
  CHECK(client.Call(Operation::kGroupHeartbeat, beat).error() ==
        "stream 'orders' has no consumer group 'bilding'; did you mean 'billing'?");
}

}  // namespace
}  // namespace sluice::broker
