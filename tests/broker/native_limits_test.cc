// The native door: back-pressure, deadlines, limits, the end.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <latch>
#include <thread>

#include "tests/broker/door_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

namespace wire = protocol::wire;
using wire::Operation;

constexpr int kBlockedMs = 500;  // a broker that reads makes room long before

// Sends until the socket takes no more; how much went in.
std::size_t SendUntilBlocked(RawClient& client, const std::string& message, std::size_t bytes_max) {
  ::fcntl(client.socket(), F_SETFL, ::fcntl(client.socket(), F_GETFL) | O_NONBLOCK);
  std::size_t sent = 0;
  pollfd room{.fd = client.socket(), .events = POLLOUT, .revents = 0};
  while (sent < bytes_max && ::poll(&room, 1, kBlockedMs) > 0) {
    const ssize_t result = ::send(client.socket(), message.data() + sent % message.size(),
                                  message.size() - sent % message.size(), MSG_NOSIGNAL);
    if (result > 0) sent += static_cast<std::size_t>(result);
  }
  ::fcntl(client.socket(), F_SETFL, ::fcntl(client.socket(), F_GETFL) & ~O_NONBLOCK);
  return sent;
}

TEST_CASE("NativeDoor: an overloaded log stops the socket, and nothing is lost", "[broker]") {
  Door door(GENERATE(1u, 2u));
  const std::string message = RawClient::Append(1, door.id(), 0, BatchOf(1, std::string(100'000, 'x')));
  constexpr std::size_t kTotal = 64u << 20;
  RawClient client(door.port());
  client.Hello();
  bool in_flight_bound = false;
  SECTION("by the log") { door.core.store.SetOverloaded(true); }
  SECTION("by unanswered bytes of the connection") {
    door.core.store.HoldCommits();
    in_flight_bound = true;
  }
  const std::size_t sent = SendUntilBlocked(client, message, kTotal);
  CHECK(sent < kTotal);
  CHECK(door.core.store.appends_seen() <= (in_flight_bound ? 200 : 10));
  door.core.store.SetOverloaded(false);
  door.core.store.ReleaseCommits();
  client.Send(message.substr(sent % message.size()));
  const std::size_t messages = sent / message.size() + 1;
  for (std::size_t i = 0; i < messages; ++i) {
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    REQUIRE(wire::DecodeAppendResponse(answer->control)->base_offset == i);
  }
}

TEST_CASE("NativeDoor: an overloaded log holds appends back, and nothing else", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient appending(door.port());
  RawClient other(door.port());
  appending.Hello();
  other.Hello();
  door.core.store.SetOverloaded(true);
  // The answer to the read tells that the door has taken what is before it.
  appending.Send(RawClient::Request(Operation::kRead, 1, ReadControl(door.id(), 0)) +
                 RawClient::Append(2, door.id(), 0, BatchOf(1)));
  REQUIRE(appending.Receive()->header.correlation_id == 1);
  other.Send(RawClient::Request(Operation::kRead, 3, ReadControl(door.id(), 0)));
  CHECK(other.Receive()->header.status == Code::kOk);
  CHECK(door.core.store.appends_seen() == 0);
  RawClient late(door.port());
  late.Hello();
  door.core.store.SetOverloaded(false);
  const auto answer = appending.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.correlation_id == 2);
  CHECK(answer->header.status == Code::kOk);
}

TEST_CASE("NativeDoor: a client that does not read its answers is not read either", "[broker]") {
  Door door(1, {.inflight_bytes_max = 1u << 20, .output_bytes_max = 1u << 20});
  RawClient client(door.port());
  client.Hello();
  for (int i = 0; i < 8; ++i) {
    client.Send(RawClient::Append(1, door.id(), 0, BatchOf(1, std::string(500'000, 'x'))));
    REQUIRE(client.Receive()->header.status == Code::kOk);
  }
  constexpr int kReads = 100;
  std::string reads;
  for (int i = 0; i < kReads; ++i) reads += RawClient::Request(Operation::kRead, 1, ReadControl(door.id(), 0));
  client.Send(reads);  // 100 times 4 MB
  for (int i = 0; i < kReads; ++i) {
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    REQUIRE(answer->header.status == Code::kOk);
    CHECK(answer->body.size() > 4'000'000);
  }
}

TEST_CASE("NativeDoor: reads from the disk wait until the peer takes answers, long polls do not count", "[broker]") {
  Door door(GENERATE(1u, 2u), {.output_bytes_max = 1u << 20});
  RawClient client(door.port());
  RawClient other(door.port());
  client.Hello();
  other.Hello();
  for (int i = 0; i < 8; ++i) {
    client.Send(RawClient::Append(1, door.id(), 0, BatchOf(1, std::string(500'000, 'x'))));
    REQUIRE(client.Receive()->header.status == Code::kOk);
  }
  door.core.store.shard({StreamId(door.id()), ShardIndex(0)}).SetTailFrom(Offset(8));
  constexpr int kPolls = 20;
  constexpr int kReads = 100;
  std::string requests;
  for (int i = 0; i < kPolls; ++i) {
    requests += RawClient::Request(Operation::kRead, 2, ReadControl(door.id(), 1, 60'000));
  }
  for (int i = 0; i < kReads; ++i) requests += RawClient::Request(Operation::kRead, 3, ReadControl(door.id(), 0));
  client.Send(requests);  // 100 times 4 MB
  // Whatever those before it had the disk's threads do is done when this one is answered.
  other.Send(RawClient::Request(Operation::kRead, 4, ReadControl(door.id(), 0)));
  REQUIRE(other.Receive()->body.size() > 4'000'000);
  std::uint64_t reads = 0;
  for (std::size_t i = 0; i < door.core.loops.size(); ++i) reads += door.core.metrics.loop(i).reads.value();
  CHECK(reads < 20);
  for (int i = 0; i < kReads; ++i) REQUIRE(client.Receive()->header.correlation_id == 3);
  other.Send(RawClient::Append(5, door.id(), 1, BatchOf(1)));
  for (int i = 0; i < kPolls; ++i) REQUIRE(client.Receive()->header.correlation_id == 2);
}

TEST_CASE("NativeDoor: control operations of one connection wait for the answers of those before", "[broker]") {
  Door door(1);
  std::latch held(1);
  for (int thread = 0; thread < 2; ++thread) door.core.loops.RunBlocking([&held] { held.wait(); });
  RawClient client(door.port());
  RawClient other(door.port());
  client.Hello();
  other.Hello();
  constexpr int kLists = 200;
  std::string requests;
  for (int i = 0; i < kLists; ++i) requests += RawClient::Request(Operation::kListStreams, 1, "");
  client.Send(requests + RawClient::Append(2, door.id(), 0, BatchOf(1)));
  // The door has looked at what came before.
  other.Send(RawClient::Append(3, door.id(), 1, BatchOf(1)));
  REQUIRE(other.Receive()->header.correlation_id == 3);
  CHECK(door.core.store.appends_seen() == 1);
  held.count_down();
  bool appended = false;
  for (int i = 0; i < kLists + 1; ++i) {
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    REQUIRE(answer->header.status == Code::kOk);
    if (answer->header.correlation_id == 2) appended = true;
  }
  CHECK(appended);
}

TEST_CASE("NativeDoor: bodies on their way share a bound, small ones pass, and room goes round", "[broker]") {
  Door door(GENERATE(1u, 2u), {.body_bytes_max = 1u << 20});
  const std::string large = RawClient::Append(1, door.id(), 0, BatchOf(1, std::string(900'000, 'x')));
  RawClient holder(door.port());
  RawClient waiting(door.port());
  RawClient small(door.port());
  holder.Hello();
  waiting.Hello();
  small.Hello();
  // The answer to the first tells that the door has seen the header of the second.
  holder.Send(RawClient::Append(1, door.id(), 1, BatchOf(1)) + large.substr(0, large.size() / 2));
  REQUIRE(holder.Receive()->header.status == Code::kOk);
  std::thread second([&] { waiting.Send(large); });
  for (int i = 0; i < 20; ++i) {
    small.Send(RawClient::Append(1, door.id(), 1, BatchOf(1)));
    REQUIRE(small.Receive()->header.status == Code::kOk);
  }
  CHECK(door.core.store.appends_seen() == 21);
  SECTION("when the body has come") {
    holder.Send(large.substr(large.size() / 2));
    CHECK(holder.Receive()->header.status == Code::kOk);
  }
  SECTION("when the connection ends") { holder.CloseWrite(); }
  second.join();
  const std::optional<RawClient::Message> answer = waiting.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kOk);
}

TEST_CASE("NativeDoor: deadlines end connections that say too little", "[broker]") {
  Door door(1, {.hello_timeout_ms = 300, .message_timeout_ms = 300, .idle_timeout_ms = 1'000});
  RawClient silent(door.port());
  RawClient slow(door.port());
  RawClient idle(door.port());
  slow.Hello();
  idle.Hello();
  slow.Send(RawClient::Append(1, door.id(), 0, BatchOf(1)).substr(0, 40));
  auto answer = silent.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kTimedOut);
  answer = slow.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kTimedOut);
  CHECK(!idle.Receive().has_value());
}

TEST_CASE("NativeDoor: connections over the limit are closed", "[broker]") {
  Door door(1, {.connections_max = 2});
  RawClient first(door.port());
  RawClient second(door.port());
  first.Hello();
  second.Hello();
  RawClient third(door.port());
  CHECK(!third.Receive().has_value());
  first.Send(RawClient::Append(1, door.id(), 0, BatchOf(1)));
  CHECK(first.Receive()->header.status == Code::kOk);
}

TEST_CASE("NativeDoor Finish: answers what was taken, tells who waits", "[broker]") {
  Door door(GENERATE(1u, 2u));
  RawClient producer(door.port());
  RawClient consumer(door.port());
  producer.Hello();
  consumer.Hello();
  door.core.store.HoldCommits();
  producer.Send(RawClient::Append(1, door.id(), 0, BatchOf(1)));
  while (door.core.store.appends_seen() == 0) std::this_thread::yield();
  consumer.Send(RawClient::Request(Operation::kRead, 1, ReadControl(door.id(), 1, 60'000)));
  while (door.core.metrics.loop(0).long_polls_started.value() +
             door.core.metrics.loop(door.core.loops.size() - 1).long_polls_started.value() ==
         0) {
    std::this_thread::yield();
  }
  bool stopped_cleanly = false;
  std::thread stopper([&] { stopped_cleanly = door.Stop(10'000); });
  const auto told = consumer.Receive();
  REQUIRE(told.has_value());
  CHECK(told->header.status == Code::kUnavailable);
  door.core.store.ReleaseCommits();
  const auto answer = producer.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->header.status == Code::kOk);
  CHECK(!producer.Receive().has_value());
  stopper.join();
  CHECK(stopped_cleanly);
}

TEST_CASE("NativeDoor Finish: cuts what does not end", "[broker]") {
  Door door;
  RawClient producer(door.port());
  producer.Hello();
  door.core.store.HoldCommits();
  producer.Send(RawClient::Append(1, door.id(), 0, BatchOf(1)));
  while (door.core.store.appends_seen() == 0) std::this_thread::yield();
  CHECK(!door.Stop(1));
}

TEST_CASE("NativeDoor Start: a port in use names the setting", "[broker]") {
  Door door;
  const native::NativeDoorParts parts{.catalog = *door.core.catalog,
                                      .shards = door.core.shards,
                                      .holds = door.core.holds,
                                      .store = door.core.store,
                                      .resharder = door.core.resharder,
                                      .groups = *door.groups,
                                      .keyring = door.core.keyring,
                                      .appends = *door.core.appends,
                                      .reads = *door.core.reads,
                                      .metrics = door.core.metrics,
                                      .clock = door.core.env->clock(),
                                      .append_options = {}};
  const auto second = native::NativeDoor::Start(parts, {.port = door.port()});
  REQUIRE(!second.has_value());
  CHECK(second.error().code() == Code::kUnavailable);
  CHECK(second.error().message().find("native.port") != std::string::npos);
  const auto wrong = native::NativeDoor::Start(parts, {.address = "localhost"});
  CHECK(wrong.error().code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace sluice::broker
