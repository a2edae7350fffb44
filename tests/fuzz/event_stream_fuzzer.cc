// Event stream messages of any type and payload, read by a reader that shares nothing with the writer: what comes out
// is what went in.
#include <string>

#include "protocol/aws/event_stream.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/aws/event_stream_reader.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol::aws;
  if (size < 2) return -1;
  const std::string_view input = sluice::fuzz::Input(data + 2, size - 2);
  const std::string_view type = input.substr(0, data[0]);
  const std::string_view payload = input.substr(type.size());
  const bool is_exception = data[1] % 2 == 1;
  std::string bytes = EventMessage({.type = type, .content_type = type, .is_exception = is_exception}, payload);
  const auto event = TakeEvent(bytes);
  SLUICE_CHECK(event.has_value() && bytes.empty());
  SLUICE_CHECK(event->payload == payload && event->headers.size() == 3);
  SLUICE_CHECK(event->headers.at(is_exception ? ":exception-type" : ":event-type") == type);
  SLUICE_CHECK(event->headers.at(":content-type") == type);
  SLUICE_CHECK(event->headers.at(":message-type") == (is_exception ? "exception" : "event"));
  return 0;
}
