// The native door's reader of incoming messages: any bytes, cut at any places, each body taken or skipped. However the
// bytes are cut, the messages are the same; and with header fields and checksums that fit, a message is given whole.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "broker/api/native/message_reader.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::native {
namespace {

namespace wire = protocol::wire;
using Event = MessageReader::Event;

// What came out of a reader: one entry for each control message and body, and the error that ended it.
using Log = std::vector<std::string>;

void Feed(MessageReader& reader, std::string_view& input, std::size_t bytes_max) {
  std::array<iovec, 2> pieces;
  const std::size_t count = reader.Space(pieces);
  SLUICE_CHECK(count >= 1 && count <= pieces.size());
  std::size_t received = 0;
  for (std::size_t i = 0; i < count && received < bytes_max; ++i) {
    SLUICE_CHECK(pieces[i].iov_len > 0);
    const std::size_t bytes = std::min({pieces[i].iov_len, bytes_max - received, input.size()});
    std::memcpy(pieces[i].iov_base, input.data(), bytes);
    input.remove_prefix(bytes);
    received += bytes;
  }
  reader.Received(received);
}

// False where the reader has refused the bytes.
bool TakeMessages(MessageReader& reader, Log& log) {
  while (true) {
    const auto event = reader.Next();
    if (!event) {
      log.push_back("error: " + event.error().message());
      return false;
    }
    if (*event == Event::kNeedMore) return true;
    if (*event == Event::kControl) {
      log.push_back("control: " + std::string(reader.control()));
      SLUICE_CHECK(reader.header().body_bytes <= wire::kBodyBytesMax);
      if (reader.header().correlation_id % 3 == 0) {
        reader.SkipBody();
      } else {
        reader.TakeBody();
      }
    }
    if (*event == Event::kBody) log.push_back("body: " + std::string(reader.ReleaseBody().batch_view()));
    if (*event == Event::kSkipped) log.push_back("skipped");
  }
}

/// Gives `input` in pieces whose sizes follow from `cuts`, again and again; empty: in one.
Log ReadAll(std::string_view input, std::string_view cuts) {
  BufferPool pool;
  MessageReader reader(pool);
  Log log;
  for (std::size_t i = 0; !input.empty(); ++i) {
    const std::size_t bytes = cuts.empty() ? input.size() : 1 + static_cast<std::uint8_t>(cuts[i % cuts.size()]) * 7u;
    Feed(reader, input, bytes);
    if (!TakeMessages(reader, log)) break;
    if (i % 2 == 1) reader.Park();
  }
  return log;
}

/// Makes a message of the input: its control and its body, behind a header that fits.
std::string Message(std::string_view input, std::size_t control_bytes, std::uint64_t correlation_id) {
  std::string message;
  control_bytes = std::min(control_bytes, input.size());
  wire::AppendMessage({.operation = wire::Operation::kAppend, .correlation_id = correlation_id},
                      input.substr(0, control_bytes), input.substr(control_bytes), message);
  return message;
}

}  // namespace
}  // namespace sluice::broker::native

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::broker::native;
  constexpr std::size_t kCuts = 4;
  if (size < kCuts) return -1;
  const std::string_view cuts = sluice::fuzz::Input(data, kCuts);
  const std::string_view input = sluice::fuzz::Input(data + kCuts, size - kCuts);
  SLUICE_CHECK(ReadAll(input, cuts) == ReadAll(input, {}));

  const std::string two = Message(input, data[0], 1) + Message(input, data[1], 3);
  const Log log = ReadAll(two, cuts);
  SLUICE_CHECK(log.size() == 4 && log[1].starts_with("body: ") && log[3] == "skipped");
  SLUICE_CHECK(log[0].size() + log[1].size() == input.size() + 15);  // "control: " and "body: "
  return 0;
}
