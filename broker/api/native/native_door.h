// The native door: a TCP listener for Sluice's own protocol (protocol/native/PROTOCOL.md), and its sessions.
//
// Every connection belongs to one event loop. Bad bytes get one error answer and end their own connection, nothing
// else.
//
// Threads: Start and Stop by one thread, not an event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/append_service.h"
#include "broker/delivery_control.h"
#include "broker/read_service.h"
#include "broker/retention_holds.h"
#include "sluice/status.h"

namespace sluice::broker {
class Keyring;
class Resharder;
class StreamCatalog;
}  // namespace sluice::broker
namespace sluice::broker::groups {
class GroupService;
}

namespace sluice::broker::native {

struct NativeDoorOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7420;                     // 0: any free port
  std::uint32_t connections_max = 20'000;        // further ones are closed at once
  std::uint64_t inflight_bytes_max = 16u << 20;  // of one connection's unanswered requests; then it is not read
  std::uint64_t output_bytes_max = 32u << 20;    // of one connection's unsent answers; then it is not read
  std::uint64_t body_bytes_max = 128u << 20;     // of all connections' bodies that are on their way; then they wait
  std::int64_t hello_timeout_ms = 10'000;        // from connect to the first complete message
  std::int64_t message_timeout_ms = 30'000;  // from the first to the last byte of a message, and for a write to move
  std::int64_t idle_timeout_ms = 600'000;    // without any request in work
};

/// What the door needs; all of it outlives the door.
struct NativeDoorParts {
  StreamCatalog& catalog;
  Shards& shards;
  const RetentionHolds& holds;
  storage::LogStore& store;
  Resharder& resharder;
  groups::GroupService& groups;
  Keyring& keyring;
  AppendService& appends;
  ReadService& reads;
  Metrics& metrics;
  storage::Clock& clock;
  AppendOptions append_options;
  DeliveryControl* delivery = nullptr;
};

class NativeDoor {
 public:
  /// Listens. kUnavailable where the address cannot be bound: the message says which setting to change.
  static Result<std::unique_ptr<NativeDoor>> Start(NativeDoorParts parts, NativeDoorOptions options);
  /// After the event loops have ended.
  ~NativeDoor();

  std::uint16_t port() const;
  /// Takes no connection and no request any more; what was taken is still answered.
  void StopAccepting();
  /// Waits until every connection is closed, `timeout_ms` at most, and closes what is left. After StopAccepting and
  /// after waiting reads have been told. False where connections had to be cut.
  bool Finish(std::int64_t timeout_ms);

 private:
  class Impl;
  explicit NativeDoor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker::native
