// The native door: streams, long polls and delivery calls.
#include <set>

#include "protocol/native/native.pb.h"
#include "tests/broker/door_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

namespace pb = ::sluice::native;
namespace wire = protocol::wire;
using wire::Operation;

TEST_CASE("NativeDoor: a stream's life", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  client.Hello();
  const auto call = [&](Operation operation, const std::string& control) {
    client.Send(RawClient::Request(operation, 1, control));
    auto answer = client.Receive();
    REQUIRE(answer.has_value());
    return *answer;
  };
  pb::CreateStreamRequest create;
  create.set_name("clicks");
  create.set_shards(4);
  create.mutable_retention()->set_age_ms(1'000);
  pb::StreamInfo info;
  REQUIRE(info.ParseFromString(call(Operation::kCreateStream, create.SerializeAsString()).control));
  CHECK(info.shards_size() == 4);
  CHECK(info.retention().age_ms() == 1'000);
  CHECK(call(Operation::kCreateStream, create.SerializeAsString()).header.status == Code::kAlreadyExists);

  client.Send(RawClient::Append(2, info.stream_id(), 3, BatchOf(5)));
  REQUIRE(client.Receive()->header.status == Code::kOk);
  pb::DescribeStreamRequest describe;
  describe.set_name("clicks");
  REQUIRE(info.ParseFromString(call(Operation::kDescribeStream, describe.SerializeAsString()).control));
  CHECK(info.shards(3).end_offset() == 5);
  CHECK(info.shards(3).hash_last_high() == UINT64_MAX);

  pb::SetRetentionRequest retention;
  retention.set_name("clicks");
  retention.mutable_retention()->set_bytes(77);
  REQUIRE(info.ParseFromString(call(Operation::kSetRetention, retention.SerializeAsString()).control));
  CHECK(info.retention().bytes() == 77);
  CHECK(info.retention().age_ms() == 0);

  pb::ListStreamsResponse list;
  REQUIRE(list.ParseFromString(call(Operation::kListStreams, "").control));
  REQUIRE(list.streams_size() == 2);
  CHECK(list.streams(0).name() == "clicks");

  pb::DeleteStreamRequest remove;
  remove.set_name("clicks");
  CHECK(call(Operation::kDeleteStream, remove.SerializeAsString()).header.status == Code::kOk);
  const auto gone = call(Operation::kDescribeStream, describe.SerializeAsString());
  CHECK(gone.header.status == Code::kNotFound);
  CHECK(gone.error() == "stream 'clicks' does not exist");

  pb::InitProducerRequest producer;
  producer.set_name("loader");
  pb::InitProducerResponse grant;
  REQUIRE(grant.ParseFromString(call(Operation::kInitProducer, producer.SerializeAsString()).control));
  CHECK(grant.epoch() == 0);
  REQUIRE(grant.ParseFromString(call(Operation::kInitProducer, producer.SerializeAsString()).control));
  CHECK(grant.epoch() == 1);
}

TEST_CASE("NativeDoor: shards are split, merged and resized", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  client.Hello();
  pb::StreamInfo info;
  const auto reshard = [&](const pb::ReshardStreamRequest& request) {
    client.Send(RawClient::Request(Operation::kReshardStream, 1, request.SerializeAsString()));
    auto answer = client.Receive();
    REQUIRE(answer.has_value());
    if (answer->header.status == Code::kOk) REQUIRE(info.ParseFromString(answer->control));
    return *answer;
  };
  client.Send(RawClient::Append(7, door.id(), 0, BatchOf(3)));
  REQUIRE(client.Receive()->header.status == Code::kOk);

  pb::ReshardStreamRequest split;
  split.set_name("orders");
  split.mutable_split()->set_shard(0);  // of the lower half of all keys, in the middle
  REQUIRE(reshard(split).header.status == Code::kOk);
  REQUIRE(info.shards_size() == 3);
  CHECK(info.closed_shards_size() == 0);
  CHECK(info.shards(1).shard() == 3);
  CHECK(info.shards(1).hash_first_high() == 1ull << 62);
  CHECK(info.shards(1).hash_first_low() == 0);
  CHECK(info.shards(1).parent() == 0);
  CHECK(!info.shards(1).has_adjacent_parent());
  CHECK(info.shards(1).closed_ms() == 0);
  CHECK(reshard(split).header.status == Code::kFailedPrecondition);
  split.mutable_split()->set_shard(1);
  split.mutable_split()->set_start_low(5);
  const auto elsewhere = reshard(split);
  CHECK(elsewhere.header.status == Code::kInvalidArgument);
  CHECK(elsewhere.error().find("it cannot be split at 5") != std::string::npos);
  split.mutable_split()->set_shard(77);
  CHECK(reshard(split).header.status == Code::kNotFound);

  pb::ReshardStreamRequest merge;
  merge.set_name("orders");
  merge.mutable_merge()->set_shard(3);
  merge.mutable_merge()->set_adjacent(1);
  REQUIRE(reshard(merge).header.status == Code::kOk);
  REQUIRE(info.shards_size() == 2);
  CHECK(info.shards(1).shard() == 4);
  CHECK(info.shards(1).parent() == 3);
  CHECK(info.shards(1).adjacent_parent() == 1);

  pb::ReshardStreamRequest resize;
  resize.set_name("orders");
  CHECK(reshard(resize).header.status == Code::kInvalidArgument);
  resize.set_shards(0);
  CHECK(reshard(resize).header.status == Code::kInvalidArgument);
  resize.set_shards(1);
  REQUIRE(reshard(resize).header.status == Code::kOk);
  CHECK(info.shards_size() == 1);
}

TEST_CASE("NativeDoor: closed shards are described where that is asked for, and read to their end", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  client.Hello();
  client.Send(RawClient::Append(7, door.id(), 1, BatchOf(3)));
  REQUIRE(client.Receive()->header.status == Code::kOk);
  REQUIRE(door.core.resharder.Split("orders", ShardIndex(1), protocol::kMaxHashKey).has_value());
  pb::DescribeStreamRequest describe;
  describe.set_name("orders");
  for (const bool closed_too : {false, true}) {
    describe.set_closed_shards(closed_too);
    client.Send(RawClient::Request(Operation::kDescribeStream, 2, describe.SerializeAsString()));
    pb::StreamInfo info;
    REQUIRE(info.ParseFromString(client.Receive()->control));
    CHECK(info.shards_size() == 3);
    REQUIRE(info.closed_shards_size() == (closed_too ? 1 : 0));
    if (!closed_too) continue;
    CHECK(info.closed_shards(0).shard() == 1);
    CHECK(info.closed_shards(0).end_offset() == 3);
    CHECK(info.closed_shards(0).closed_ms() > 0);
    CHECK(info.shards(2).created_ms() == info.closed_shards(0).closed_ms());
  }
  client.Send(RawClient::Request(Operation::kRead, 3, ReadControl(door.id(), 1, 60'000)));
  auto read = wire::DecodeReadResponse(client.Receive()->control);
  REQUIRE(read.has_value());
  CHECK(read->closed);
  CHECK(read->next_offset == 3);
  client.Send(RawClient::Request(Operation::kRead, 4, ReadControl(door.id(), 0)));
  read = wire::DecodeReadResponse(client.Receive()->control);
  REQUIRE(read.has_value());
  CHECK(!read->closed);
}

TEST_CASE("NativeDoor: deleting a stream ends its long polls", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  client.Hello();
  pb::DeleteStreamRequest remove;
  remove.set_name("orders");
  client.Send(RawClient::Request(Operation::kRead, 1, ReadControl(door.id(), 0, 60'000)) +
              RawClient::Request(Operation::kDeleteStream, 2, remove.SerializeAsString()));
  std::set<std::uint64_t> answered;
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    answered.insert(answer->header.correlation_id);
    if (answer->header.correlation_id == 1) CHECK(answer->header.status == Code::kNotFound);
  }
  CHECK(answered == std::set<std::uint64_t>{1, 2});
}

TEST_CASE("NativeDoor: a long poll is answered by another connection's append", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient consumer(door.port());
  RawClient producer(door.port());
  consumer.Hello();
  producer.Hello();
  for (int i = 0; i < 20; ++i) {
    wire::ReadRequest read{
        .stream_id = door.id(), .from = wire::ReadFrom::kOffset, .bytes_max = 1u << 20, .wait_ms = 60'000};
    read.offset = static_cast<std::uint64_t>(i);
    consumer.Send(RawClient::Request(Operation::kRead, 1, wire::Encode(read).view()));
    producer.Send(RawClient::Append(1, door.id(), 0, BatchOf(1)));
    REQUIRE(producer.Receive()->header.status == Code::kOk);
    const auto answer = consumer.Receive();
    REQUIRE(answer.has_value());
    CHECK(wire::DecodeReadResponse(answer->control)->next_offset == read.offset + 1);
    CHECK(!answer->body.empty());
  }
}

class EchoDelivery final : public DeliveryControl {
 public:
  Result<DeliveryAnswer> Handle(DeliveryAction action, std::string_view name, std::string_view document,
                                std::string_view document_name) override {
    if (action == DeliveryAction::kDelete) return Error(Code::kNotFound, "no such delivery stream");
    return DeliveryAnswer{std::string(name) + "|" + std::string(document) + "|" + std::string(document_name),
                          {"careful"}};
  }
  void RetrySource(std::string_view) override {}
};

TEST_CASE("NativeDoor: hands delivery calls to the stage", "[broker]") {
  EchoDelivery delivery;
  Door door(1, {}, {}, &delivery);
  RawClient client(door.port());
  client.Hello();
  pb::DeliveryRequest request;
  request.set_action(pb::DeliveryRequest::CHECK);
  request.set_name("to-lake");
  request.set_document("{}");
  request.set_document_name("a.json");
  client.Send(RawClient::Request(Operation::kDelivery, 1, request.SerializeAsString()));
  pb::DeliveryResponse answer;
  REQUIRE(answer.ParseFromString(client.Receive()->control));
  CHECK(answer.document() == "to-lake|{}|a.json");
  CHECK(answer.warnings(0) == "careful");
  request.set_action(pb::DeliveryRequest::DELETE);
  client.Send(RawClient::Request(Operation::kDelivery, 2, request.SerializeAsString()));
  CHECK(client.Receive()->header.status == Code::kNotFound);
}

TEST_CASE("NativeDoor: an answer that is too large for a control message is a body, for who takes that", "[broker]") {
  EchoDelivery delivery;
  Door door(1, {}, {}, &delivery);
  RawClient client(door.port());
  const bool takes = GENERATE(true, false);
  pb::HelloRequest hello;
  hello.set_version_min(1);
  hello.set_version_max(1);
  hello.set_large_answers(takes);
  client.Send(RawClient::Request(Operation::kHello, 0, hello.SerializeAsString()));
  REQUIRE(client.Receive()->header.status == Code::kOk);
  pb::DeliveryRequest request;
  request.set_action(pb::DeliveryRequest::CHECK);
  request.set_document_name("a.json");
  request.set_document(std::string(wire::kControlBytesMax, 'x'));
  const std::size_t excess = request.ByteSizeLong() - wire::kControlBytesMax;
  request.mutable_document()->resize(wire::kControlBytesMax - excess);  // the answer has some bytes more
  client.Send(RawClient::Request(Operation::kDelivery, 1, request.SerializeAsString()));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  if (!takes) {
    CHECK(answer->header.status == Code::kResourceExhausted);
    return;
  }
  CHECK(answer->header.status == Code::kOk);
  CHECK(answer->control.empty());
  pb::DeliveryResponse response;
  REQUIRE(response.ParseFromString(answer->body));
  CHECK(response.document() == "|" + request.document() + "|" + request.document_name());
}

}  // namespace
}  // namespace sluice::broker
