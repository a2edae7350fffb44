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

}  // namespace
}  // namespace sluice::broker
