// What the connections of one event loop share: the gateway, a buffer to receive into, a coarse clock, and the tick
// that looks for passed deadlines.
//
// Threads: the loop's own; what the loops share has locks of its own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "broker/api/aws/aws_door.h"
#include "broker/api/aws/body_memory.h"
#include "broker/api/aws/gateway.h"
#include "broker/api/connection_count.h"
#include "broker/api/flush_list.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"

namespace sluice::broker::aws {

class Connection;

/// What all loops of a door share; outlives the connections.
struct DoorShared {
  AwsDoorParts parts;
  const AwsDoorOptions options;
  const std::vector<Service> services;
  const std::shared_ptr<BodyMemory> bodies = std::make_shared<BodyMemory>(options.body_bytes_max);
  const std::shared_ptr<BodyMemory> answers = std::make_shared<BodyMemory>(options.body_bytes_max);
  ConnectionCount connections{};
};

/// What one loop counts.
struct AwsMetrics {
  Counter requests;
  Counter client_errors;  // answers with a status of 400 to 499
  Counter server_errors;  // 500 and above
  Counter connections_opened;
  Counter connections_closed;
  Counter connections_refused;  // over the limit
  Counter protocol_errors;      // connections ended because of what came in
};

class AwsLoop {
 public:
  AwsLoop(DoorShared& shared, EventLoop& loop);
  ~AwsLoop();

  DoorShared& shared() { return shared_; }
  EventLoop& loop() { return loop_; }
  AwsMetrics& metrics() { return metrics_; }
  Gateway& gateway() { return gateway_; }
  std::array<char, 64u << 10>& buffer() { return buffer_; }
  /// Milliseconds that only go forward; as old as the last tick.
  std::int64_t now_ms() const { return now_ms_; }

  void Add(std::shared_ptr<Connection> connection);
  /// Sends the answers that the connection has gathered at the end of this turn.
  void FlushLater(Connection& connection);
  /// Forgets a connection that has closed its socket.
  void Remove(Connection& connection);

  void StartTicks();
  /// No new connection; the open ones answer what they have taken and close.
  void BeginStop();
  void CloseAll();

 private:
  void Tick();

  DoorShared& shared_;
  EventLoop& loop_;
  AwsMetrics metrics_;
  Gateway gateway_;
  std::array<char, 64u << 10> buffer_;
  std::vector<std::shared_ptr<Connection>> connections_;  // a connection knows its place
  FlushList<std::shared_ptr<Connection>> to_flush_;
  bool stopping_ = false;
  LoopTimer timer_;
  std::int64_t now_ms_;
};

}  // namespace sluice::broker::aws
