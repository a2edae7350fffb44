// Messages cut at every place, without a socket.
#include "broker/api/native/message_reader.h"

#include <cstring>
#include <random>

#include "tests/catch.h"

namespace sluice::broker::native {
namespace {

namespace wire = protocol::wire;
using Event = MessageReader::Event;

// Receives up to `bytes` of `input` from `at` on, as a socket would.
std::size_t Feed(MessageReader& reader, std::string_view input, std::size_t bytes) {
  std::array<iovec, 2> pieces;
  const std::size_t count = reader.Space(pieces);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(pieces[i].iov_len > 0);
    const std::size_t part = std::min({pieces[i].iov_len, bytes - taken, input.size() - taken});
    std::memcpy(pieces[i].iov_base, input.data() + taken, part);
    taken += part;
  }
  reader.Received(taken);
  return taken;
}

struct Taken {
  std::uint64_t correlation_id;
  std::string control;
  std::string body;
  friend bool operator==(const Taken&, const Taken&) = default;
};

// All messages of `input`, given in pieces of the sizes that `next_size` says.
template <typename NextSize>
std::vector<Taken> TakeAll(std::string_view input, NextSize next_size) {
  BufferPool pool;
  MessageReader reader(pool);
  std::vector<Taken> messages;
  while (!input.empty()) {
    input.remove_prefix(Feed(reader, input, next_size()));
    for (auto event = reader.Next(); *event != Event::kNeedMore; event = reader.Next()) {
      REQUIRE(event.has_value());
      if (*event == Event::kControl) {
        messages.push_back({reader.header().correlation_id, std::string(reader.control()), ""});
        if (reader.header().correlation_id % 5 == 4) {
          reader.SkipBody();
        } else {
          reader.TakeBody();
        }
      } else if (*event == Event::kBody) {
        messages.back().body = reader.ReleaseBody().batch_view();
      }
    }
    reader.Park();
  }
  CHECK(!reader.partial());
  return messages;
}

TEST_CASE("MessageReader: gives the same messages however they are cut", "[broker]") {
  std::mt19937 random(7);
  std::string input;
  std::vector<Taken> expected;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::size_t body_bytes = i % 7 == 0 ? 0 : i % 4 == 0 ? random() % 150'000 : random() % 2'000;
    const std::size_t control_bytes = i % 11 == 0 ? random() % 200'000 : random() % 40;
    Taken message{i, std::string(control_bytes, static_cast<char>('a' + i % 26)), std::string(body_bytes, 'b')};
    for (char& byte : message.body) byte = static_cast<char>(random());
    wire::AppendMessage({.operation = wire::Operation::kAppend, .correlation_id = i}, message.control, message.body,
                        input);
    if (i % 5 == 4) message.body.clear();
    expected.push_back(std::move(message));
  }
  CHECK(TakeAll(input, [] { return std::size_t{1} << 30; }) == expected);
  CHECK(TakeAll(input, [] { return std::size_t{4'093}; }) == expected);
  CHECK(TakeAll(input, [&] { return std::size_t{1} + random() % 100; }) == expected);
  CHECK(TakeAll(input, [&] { return std::size_t{1} + random() % 90'000; }) == expected);
}

TEST_CASE("MessageReader: a length over the limit is refused before memory is taken", "[broker]") {
  BufferPool pool;
  MessageReader reader(pool);
  std::string bytes;
  wire::AppendMessage({.operation = wire::Operation::kAppend}, "", "", bytes);
  const std::size_t at = GENERATE(23u, 27u);  // the highest byte of control_bytes and of body_bytes
  bytes[at] = '\x7f';
  Feed(reader, bytes, bytes.size());
  const auto event = reader.Next();
  REQUIRE(!event.has_value());
  CHECK(event.error().code() == Code::kCorruption);
}

TEST_CASE("MessageReader Park: keeps what has not been taken", "[broker]") {
  BufferPool pool;
  MessageReader reader(pool);
  std::string bytes;
  wire::AppendMessage({.operation = wire::Operation::kAppend, .correlation_id = 3}, "control", "body", bytes);
  for (const char byte : bytes) {
    Feed(reader, std::string_view(&byte, 1), 1);
    reader.Park();
    CHECK(reader.partial());
    const auto event = reader.Next();
    REQUIRE(event.has_value());
    if (*event == Event::kControl) {
      CHECK(reader.control() == "control");
      reader.TakeBody();
    }
    if (*event == Event::kBody) CHECK(reader.ReleaseBody().batch_view() == "body");
  }
  CHECK(!reader.partial());
}

}  // namespace
}  // namespace sluice::broker::native
