// The native door over loopback, with raw bytes, above a fake log: what a connection may say, and what happens to what
// it may not.
#include <random>
#include <thread>

#include "broker/reshard.h"
#include "protocol/native/native.pb.h"
#include "tests/broker/door_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

namespace pb = ::sluice::native;
namespace wire = protocol::wire;
using wire::Operation;

TEST_CASE("NativeDoor: answers Hello with version and limits", "[broker]") {
  Door door;
  RawClient client(door.port());
  client.Send(RawClient::HelloBytes(1, 9));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.operation == Operation::kHello);
  pb::HelloResponse hello;
  REQUIRE(hello.ParseFromString(answer->control));
  CHECK(hello.version() == 1);
  CHECK(hello.batch_bytes_max() == protocol::kBatchBytesMax);
  CHECK(hello.broker_name().starts_with("sluice "));
}

TEST_CASE("NativeDoor: a version that nobody shares is one error, then the end", "[broker]") {
  Door door;
  RawClient client(door.port());
  client.Send(RawClient::HelloBytes(200, 201));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kFailedPrecondition);
  CHECK(answer->error().find("200") != std::string::npos);
  CHECK(!client.Receive().has_value());
}

TEST_CASE("NativeDoor: an append to a shard that was split says so", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  client.Hello();
  Resharder resharder(door.core.shards, *door.core.catalog, door.core.env->clock());
  REQUIRE(resharder.Split("orders", ShardIndex(1), protocol::kMaxHashKey).has_value());
  client.Send(RawClient::Append(7, door.id(), 1, BatchOf(3)));
  auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kShardClosed);
  client.Send(RawClient::Append(8, door.id(), 3, BatchOf(3)));
  answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kOk);
}

TEST_CASE("NativeDoor: appends are answered and can be read", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  client.Hello();
  const std::string batch = BatchOf(3);
  client.Send(RawClient::Append(7, door.id(), 1, batch));
  auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.correlation_id == 7);
  CHECK(answer->header.status == Code::kOk);
  CHECK(wire::DecodeAppendResponse(answer->control)->base_offset == 0);

  client.Send(RawClient::Request(Operation::kRead, 8, ReadControl(door.id(), 1)));
  answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.correlation_id == 8);
  const auto read = wire::DecodeReadResponse(answer->control);
  CHECK(read->next_offset == 3);
  CHECK(read->end_offset == 3);
  const auto frame = protocol::VerifyFrame(answer->body);
  REQUIRE(frame.has_value());
  CHECK(frame->record_count == 3);
  CHECK(std::string_view(answer->body).substr(protocol::kFrameHeaderSize + 17) == std::string_view(batch).substr(17));
}

TEST_CASE("NativeDoor: pipelined appends of all sizes keep their order per shard", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient client(door.port());
  std::string bytes = RawClient::HelloBytes();
  std::mt19937 random(1);
  const int count = 200;
  for (int i = 0; i < count; ++i) {
    const std::size_t size = i % 10 == 0 ? random() % 300'000 : random() % 3'000;
    bytes += RawClient::Append(static_cast<std::uint64_t>(i + 1), door.id(), 0, BatchOf(1, std::string(size, 'x')));
  }
  // In pieces of every kind, so that messages are cut at every place.
  std::thread sender([&] {
    std::size_t at = 0;
    std::mt19937 cuts(2);
    while (at < bytes.size()) {
      const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 + cuts() % (cuts() % 4 == 0 ? 50 : 200'000));
      client.Send(std::string_view(bytes).substr(at, piece));
      at += piece;
    }
  });
  REQUIRE(client.Receive()->header.operation == Operation::kHello);
  for (int i = 0; i < count; ++i) {
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    REQUIRE(answer->header.status == Code::kOk);
    CHECK(answer->header.correlation_id == static_cast<std::uint64_t>(i + 1));
    CHECK(wire::DecodeAppendResponse(answer->control)->base_offset == static_cast<std::uint64_t>(i));
  }
  sender.join();
}

TEST_CASE("NativeDoor: every truncation of a message closes quietly and stops nothing", "[broker]") {
  Door door;
  const std::string bytes = RawClient::HelloBytes() + RawClient::Append(1, door.id(), 0, BatchOf(1));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    RawClient client(door.port());
    client.Send(std::string_view(bytes).substr(0, size));
    client.CloseWrite();
    while (client.Receive().has_value()) {
    }
  }
  CHECK(door.core.store.appends_seen() == 0);
  RawClient client(door.port());
  client.Send(bytes);
  CHECK(client.Receive().has_value());
  CHECK(client.Receive()->header.status == Code::kOk);
}

TEST_CASE("NativeDoor: every flipped byte of a message is refused", "[broker]") {
  Door door;
  const std::string hello = RawClient::HelloBytes();
  const std::string append = RawClient::Append(1, door.id(), 0, BatchOf(1));
  for (std::size_t at = 0; at < append.size(); ++at) {
    RawClient client(door.port());
    std::string flipped = append;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    client.Send(hello + flipped);
    client.CloseWrite();
    REQUIRE(client.Receive().has_value());
    const auto answer = client.Receive();
    // Bytes 0 to 11 of a batch stand outside its checksum; the length is checked otherwise.
    const std::size_t in_batch = at - (append.size() - BatchOf(1).size());
    if (answer && (in_batch < 8 || (in_batch >= 12 && in_batch < 16))) continue;
    if (answer) CHECK(answer->header.status != Code::kOk);
  }
  RawClient client(door.port());
  client.Hello();
}

TEST_CASE("NativeDoor: random bytes get one error and the end", "[broker]") {
  Door door;
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    RawClient client(door.port());
    if (round % 2 == 1) client.Hello();
    std::string bytes(64 + random() % 100'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    client.Send(bytes);
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    CHECK(answer->header.operation == Operation::kConnection);
    CHECK(answer->header.status == Code::kCorruption);
    CHECK(!client.Receive().has_value());
  }
  RawClient client(door.port());
  client.Hello();
}

TEST_CASE("NativeDoor: what must not be said ends the connection with a reason", "[broker]") {
  Door door;
  RawClient client(door.port());
  std::string expected;
  Code code = Code::kFailedPrecondition;
  SECTION("anything before Hello") {
    client.Send(RawClient::Request(Operation::kListStreams, 1, ""));
    expected = "must be Hello";
  }
  SECTION("a second Hello") {
    client.Hello();
    client.Send(RawClient::HelloBytes());
    expected = "Hello once";
  }
  SECTION("a response") {
    client.Hello();
    std::string bytes;
    wire::AppendMessage({.kind = wire::MessageKind::kResponse, .operation = Operation::kRead}, "", "", bytes);
    client.Send(bytes);
    expected = "requests, not responses";
    code = Code::kCorruption;
  }
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.operation == Operation::kConnection);
  CHECK(answer->header.status == code);
  CHECK(answer->error().find(expected) != std::string::npos);
  CHECK(!client.Receive().has_value());
}

TEST_CASE("NativeDoor: a wrong request fails alone", "[broker]") {
  Door door(1, {}, {.batch_bytes_max = 100'000, .record_bytes_max = 50'000});
  RawClient client(door.port());
  client.Hello();
  const auto code = [&](const std::string& bytes) {
    client.Send(bytes);
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    CHECK(answer->header.correlation_id == 5);
    return answer->header.status;
  };
  CHECK(code(RawClient::Request(static_cast<Operation>(999), 5, "what", "ever")) == Code::kUnimplemented);
  CHECK(code(RawClient::Request(Operation::kAppend, 5, "\xff", BatchOf(1))) == Code::kInvalidArgument);
  CHECK(code(RawClient::Append(5, door.id(), 0, BatchOf(1), 3)) == Code::kInvalidArgument);
  CHECK(code(RawClient::Append(5, door.id(), 0, "")) == Code::kCorruption);
  CHECK(code(RawClient::Append(5, door.id(), 0, BatchOf(1, std::string(200'000, 'x')))) == Code::kInvalidArgument);
  CHECK(code(RawClient::Append(5, 99, 0, BatchOf(1))) == Code::kNotFound);
  CHECK(code(RawClient::Append(5, door.id(), 2, BatchOf(1))) == Code::kNotFound);
  CHECK(code(RawClient::Request(Operation::kRead, 5, "\xff")) == Code::kInvalidArgument);
  CHECK(code(RawClient::Request(Operation::kRead, 5, ReadControl(99, 0))) == Code::kNotFound);
  CHECK(code(RawClient::Request(Operation::kDescribeStream, 5, "\xff")) == Code::kInvalidArgument);
  CHECK(code(RawClient::Request(Operation::kDelivery, 5, "")) == Code::kUnimplemented);
  CHECK(code(RawClient::Append(5, door.id(), 0, BatchOf(1))) == Code::kOk);
}

TEST_CASE("NativeDoor: ack none is answered only by a refusal", "[broker]") {
  Door door;
  RawClient client(door.port());
  client.Hello();
  client.Send(RawClient::Append(1, door.id(), 0, BatchOf(1), 2) + RawClient::Append(2, door.id(), 7, BatchOf(1), 2) +
              RawClient::Append(3, door.id(), 0, BatchOf(1), 1));
  auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.correlation_id == 2);
  CHECK(answer->header.status == Code::kNotFound);
  answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.correlation_id == 3);
  CHECK(wire::DecodeAppendResponse(answer->control)->base_offset == 1);
}

}  // namespace
}  // namespace sluice::broker
