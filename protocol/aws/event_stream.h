// Messages of application/vnd.amazon.eventstream, which streaming answers of AWS's APIs are made of: EVENT_STREAM.md
// has the bytes. Values only. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace sluice::protocol::aws {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";

/// What a message is, and in which encoding its payload. None is longer than 65,535 bytes.
struct EventKind {
  std::string_view type;          // "SubscribeToShardEvent", or an exception's: "ResourceInUseException"
  std::string_view content_type;  // "application/x-amz-json-1.1"
  bool is_exception = false;
};

/// The payload has less than 2^31 bytes.
std::string EventMessage(const EventKind& kind, std::string_view payload);

}  // namespace sluice::protocol::aws
