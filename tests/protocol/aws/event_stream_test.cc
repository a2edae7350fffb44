// Event stream messages against AWS's own bytes, and against a reader that shares nothing with the writer.
#include "protocol/aws/event_stream.h"

#include "protocol/base64.h"
#include "tests/catch.h"
#include "tests/protocol/aws/event_stream_reader.h"

namespace sluice::protocol::aws {
namespace {

TEST_CASE("EventMessage: is AWS's initial-response byte for byte", "[aws]") {
  CHECK(
      EncodeBase64(EventMessage({.type = "initial-response", .content_type = "application/x-amz-json-1.1"}, "{}")) ==
      "AAAAcgAAAGCrgg2eCzpldmVudC10eXBlBwAQaW5pdGlhbC1yZXNwb25zZQ06Y29udGVudC10eXBlBwAaYXBwbGljYXRpb24veC1hbXotanNvbi0x"
      "LjENOm1lc3NhZ2UtdHlwZQcABWV2ZW50e32srmt9");
}

TEST_CASE("EventMessage: events and exceptions of any size, one behind the other", "[aws]") {
  const std::size_t size = GENERATE(0u, 1u, 1'000u, 3u << 20);
  const std::string payload(size, 'x');
  std::string bytes = EventMessage({.type = "SubscribeToShardEvent", .content_type = "a/b"}, payload);
  bytes += EventMessage({.type = "ResourceInUseException", .content_type = "c/d", .is_exception = true}, "{}");
  const auto event = TakeEvent(bytes);
  REQUIRE(event.has_value());
  CHECK(event->headers == std::map<std::string, std::string>{{":event-type", "SubscribeToShardEvent"},
                                                             {":content-type", "a/b"},
                                                             {":message-type", "event"}});
  CHECK(event->payload == payload);
  const auto exception = TakeEvent(bytes);
  REQUIRE(exception.has_value());
  CHECK(exception->headers == std::map<std::string, std::string>{{":exception-type", "ResourceInUseException"},
                                                                 {":content-type", "c/d"},
                                                                 {":message-type", "exception"}});
  CHECK(bytes.empty());
}

}  // namespace
}  // namespace sluice::protocol::aws
