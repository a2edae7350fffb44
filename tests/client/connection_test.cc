// The connection: greeting, pipelining, matching of answers, time limits, and every way in which a broker can go wrong.
#include "client/connection.h"

#include <future>
#include <vector>

#include "protocol/native/native.pb.h"
#include "tests/catch.h"
#include "tests/client/fake_broker.h"

namespace sluice::client {
namespace {

using protocol::wire::Operation;
using test::FakeBroker;
using test::Message;
using test::PeerPtr;

class Client {
 public:
  explicit Client(ClientOptions options) : connection_(std::make_shared<Connection>(io_, std::move(options))) {}
  ~Client() {
    io_.RunAndWait([this] { connection_->Close(); });
    io_.Stop();
  }

  std::future<Result<Answer>> Make(Operation operation, std::string control = {},
                                   std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
    auto promise = std::make_shared<std::promise<Result<Answer>>>();
    io_.Post([this, promise, operation, control, timeout] {
      connection_->Make({.operation = operation, .control = control, .body = nullptr, .timeout = timeout},
                        [promise](Result<Answer> answer) { promise->set_value(std::move(answer)); });
    });
    return promise->get_future();
  }
  Connection& connection() { return *connection_; }

 private:
  IoThread io_;
  std::shared_ptr<Connection> connection_;
};

ClientOptions OptionsFor(const FakeBroker& broker) {
  ClientOptions options;
  options.address = broker.address();
  return options;
}

bool Mentions(const Status& status, std::string_view text) { return status.message().find(text) != std::string::npos; }

TEST_CASE("ParseAddress: takes host:port and refuses the rest", "[client]") {
  CHECK(ParseAddress("localhost:7420")->host == "localhost");
  CHECK(ParseAddress("[::1]:7420")->host == "::1");
  CHECK(ParseAddress("[::1]:7420")->port == "7420");
  for (const char* wrong : {"", ":", "localhost", "localhost:", ":7420", "localhost:x", "localhost:0",
                            "localhost:65536", "::1:7420", "localhost:7420x"}) {
    const auto result = ParseAddress(wrong);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("Connection: a request that no message can hold is refused, and the connection goes on", "[client]") {
  FakeBroker broker;
  Client client(OptionsFor(broker));
  const auto large = client.Make(Operation::kDescribeStream, std::string((1u << 20) + 1, 'x')).get();
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().code() == Code::kInvalidArgument);
  CHECK(Mentions(large.error(), "larger than 1048576 bytes"));
  CHECK(client.Make(Operation::kInitProducer).get().has_value());
  CHECK(broker.connections() == 1);
}

TEST_CASE("Connection Reach: says where nothing answers", "[client]") {
  ClientOptions options;
  {
    const FakeBroker broker;
    options = OptionsFor(broker);
  }
  Client client(options);
  const Status status = client.connection().Reach();
  CHECK(status.code() == Code::kUnavailable);
  CHECK(Mentions(status, options.address));
}

TEST_CASE("Connection Reach: refuses an address that is none", "[client]") {
  Client client({.address = "nonsense"});
  CHECK(client.connection().Reach().code() == Code::kInvalidArgument);
}

TEST_CASE("Connection Reach: tells the broker its name and versions", "[client]") {
  std::promise<std::string> control;
  FakeBroker broker;
  broker.SetScript([&](const PeerPtr&, const Message& message) {
    control.set_value(message.control);
    return false;
  });
  ClientOptions options = OptionsFor(broker);
  options.client_name = "somebody";
  Client client(options);
  REQUIRE(client.connection().Reach().ok());
  native::HelloRequest hello;
  REQUIRE(hello.ParseFromString(control.get_future().get()));
  CHECK(hello.client_name() == "somebody");
  CHECK(hello.version_min() == 1);
  CHECK(hello.version_max() == 1);
}

TEST_CASE("Connection Reach: gives the broker's reason for a version mismatch", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr& peer, const Message& message) {
    peer->Refuse(message, Code::kFailedPrecondition, "this side speaks 3 to 4, the other 1 to 1");
    peer->Break();
    return true;
  });
  Client client(OptionsFor(broker));
  const Status status = client.connection().Reach();
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK(Mentions(status, "speaks 3 to 4"));
}

TEST_CASE("Connection Reach: refuses a version that it did not offer", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr& peer, const Message& message) {
    native::HelloResponse hello;
    hello.set_version(9);
    peer->Answer(message, hello.SerializeAsString());
    return true;
  });
  Client client(OptionsFor(broker));
  CHECK(client.connection().Reach().code() == Code::kCorruption);
}

TEST_CASE("Connection Reach: recognises a server of another protocol", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr& peer, const Message&) {
    peer->SendRaw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    return true;
  });
  Client client(OptionsFor(broker));
  const Status status = client.connection().Reach();
  CHECK(status.code() == Code::kUnavailable);
  CHECK(Mentions(status, "magic"));
}

TEST_CASE("Connection Reach: gives up on a broker that does not greet", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr&, const Message&) { return true; });
  ClientOptions options = OptionsFor(broker);
  options.connect_timeout = std::chrono::milliseconds(50);
  Client client(options);
  CHECK(client.connection().Reach().code() == Code::kTimedOut);
}

TEST_CASE("Connection Make: matches answers that come in another order", "[client]") {
  std::vector<Message> kept;
  FakeBroker broker;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation == Operation::kHello) return false;
    kept.push_back(message);
    if (kept.size() < 3) return true;
    for (auto it = kept.rbegin(); it != kept.rend(); ++it) peer->Answer(*it, "answer to " + it->control, it->control);
    return true;
  });
  Client client(OptionsFor(broker));
  auto first = client.Make(Operation::kListStreams, "1");
  auto second = client.Make(Operation::kListStreams, "2");
  auto third = client.Make(Operation::kListStreams, "3");
  CHECK(first.get()->control == "answer to 1");
  CHECK(second.get()->body == "2");
  CHECK(third.get()->control == "answer to 3");
  CHECK(broker.connections() == 1);
}

TEST_CASE("Connection Make: takes answers of every size", "[client]") {
  const std::size_t size = GENERATE(0u, 1u, 255u << 10, 256u << 10, 257u << 10, 5u << 20);
  const std::string body(size, 'b');
  FakeBroker broker;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation == Operation::kHello) return false;
    peer->Answer(message, std::string(1000, 'c'), body);
    return true;
  });
  Client client(OptionsFor(broker));
  std::vector<std::future<Result<Answer>>> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(client.Make(Operation::kListStreams));
  for (auto& future : answers) {
    const auto answer = future.get();
    REQUIRE(answer.has_value());
    CHECK(answer->control == std::string(1000, 'c'));
    CHECK(answer->body == body);
  }
}

TEST_CASE("Connection Make: gives code and message of a refusal", "[client]") {
  FakeBroker broker;
  Client client(OptionsFor(broker));
  const auto answer = client.Make(Operation::kListStreams).get();
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error() == Status(Code::kUnimplemented, "not in this broker"));
}

TEST_CASE("Connection Make: fails waiting calls when the broker hangs up, and connects anew", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kDeleteStream) return false;
    peer->Break();
    return true;
  });
  Client client(OptionsFor(broker));
  REQUIRE(client.connection().Reach().ok());
  auto waiting = client.Make(Operation::kDeleteStream);
  CHECK(waiting.get().error().code() == Code::kUnavailable);
  CHECK(client.Make(Operation::kListStreams).get().error().code() == Code::kUnimplemented);
  CHECK(broker.connections() == 2);
}

TEST_CASE("Connection Make: fails in the middle of an answer", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr& peer, const Message& message) {
    if (message.header.operation == Operation::kHello) return false;
    protocol::wire::MessageHeader header = message.header;
    header.kind = protocol::wire::MessageKind::kResponse;
    std::string bytes;
    protocol::wire::AppendMessage(header, "control", std::string(600'000, 'x'), bytes);
    peer->SendRaw(std::string_view(bytes).substr(0, bytes.size() / 2));
    peer->Break();
    return true;
  });
  Client client(OptionsFor(broker));
  CHECK(client.Make(Operation::kListStreams).get().error().code() == Code::kUnavailable);
}

TEST_CASE("Connection Make: a late answer is a time-out, and the connection is given up", "[client]") {
  FakeBroker broker;
  broker.SetScript(
      [](const PeerPtr&, const Message& message) { return message.header.operation != Operation::kHello; });
  Client client(OptionsFor(broker));
  REQUIRE(client.connection().Reach().ok());
  auto behind = client.Make(Operation::kListStreams);
  auto late = client.Make(Operation::kDescribeStream, {}, std::chrono::milliseconds(20));
  const Status status = late.get().error();
  CHECK(status.code() == Code::kTimedOut);
  CHECK(Mentions(status, "describe stream"));
  CHECK(behind.get().error().code() == Code::kUnavailable);
}

TEST_CASE("Connection Make: garbage from the broker costs the connection, not the client", "[client]") {
  const int kind = GENERATE(range(0, 6));
  FakeBroker broker;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kListStreams) return false;
    protocol::wire::MessageHeader header = message.header;
    header.kind = protocol::wire::MessageKind::kResponse;
    if (kind == 0) header.correlation_id += 100;
    if (kind == 1) header.operation = Operation::kDeleteStream;
    if (kind == 2) header.kind = protocol::wire::MessageKind::kRequest;
    std::string bytes;
    protocol::wire::AppendMessage(header, "control", "body", bytes);
    if (kind == 3) bytes[protocol::wire::kHeaderSize] ^= 1;  // the control message, and so the checksum
    if (kind == 4) bytes[23] = '\x7f';                       // control_bytes of 2 GiB
    if (kind == 5) bytes.assign(100, 'x');
    peer->SendRaw(bytes);
    return true;
  });
  Client client(OptionsFor(broker));
  const auto answer = client.Make(Operation::kListStreams).get();
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code() == Code::kUnavailable);
  CHECK(Mentions(answer.error(), "lost"));
  CHECK(client.Make(Operation::kDeleteStream).get().error().code() == Code::kUnimplemented);
}

TEST_CASE("Connection Make: passes a connection error of the broker on", "[client]") {
  FakeBroker broker;
  broker.SetScript([](const PeerPtr& peer, const Message& message) {
    if (message.header.operation == Operation::kHello) return false;
    Message connection;
    peer->Refuse(connection, Code::kCorruption, "your checksum is wrong");
    peer->Break();
    return true;
  });
  Client client(OptionsFor(broker));
  const Status status = client.Make(Operation::kListStreams).get().error();
  CHECK(status.code() == Code::kUnavailable);
  CHECK(Mentions(status, "your checksum is wrong"));
}

TEST_CASE("Connection Close: fails what waits and what comes later", "[client]") {
  FakeBroker broker;
  broker.SetScript(
      [](const PeerPtr&, const Message& message) { return message.header.operation != Operation::kHello; });
  IoThread io;
  const auto connection = std::make_shared<Connection>(io, OptionsFor(broker));
  REQUIRE(connection->Reach().ok());
  std::promise<Status> waiting;
  std::promise<Status> later;
  io.RunAndWait([&] {
    connection->Make(
        {.operation = Operation::kRead, .control = {}, .body = nullptr, .timeout = std::chrono::minutes(1)},
        [&](const Result<Answer>& answer) { waiting.set_value(answer.error()); });
    connection->Close();
    connection->Make(
        {.operation = Operation::kRead, .control = {}, .body = nullptr, .timeout = std::chrono::minutes(1)},
        [&](const Result<Answer>& answer) { later.set_value(answer.error()); });
  });
  CHECK(Mentions(waiting.get_future().get(), "closed"));
  CHECK(Mentions(later.get_future().get(), "closed"));
}

}  // namespace
}  // namespace sluice::client
