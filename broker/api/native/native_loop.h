// What the sessions of one event loop share: the parts they call, input buffers, the list of sessions with something to
// send, a coarse clock, and the tick that looks for passed deadlines.
//
// Threads: the loop's own; what the loops share has locks of its own.
#pragma once

#include <boost/intrusive_ptr.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "broker/api/connection_count.h"
#include "broker/api/flush_list.h"
#include "broker/api/native/body_budget.h"
#include "broker/api/native/buffer_pool.h"
#include "broker/api/native/handlers/control_operation.h"
#include "broker/api/native/native_door.h"
#include "broker/log.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"
#include "broker/read_service.h"

namespace sluice::broker::native {

class Session;

/// What all loops of a door share; constant, outlives the sessions.
struct DoorShared {
  HandlerContext context;
  AppendService& appends;
  ReadService& reads;
  storage::Clock& clock;
  NativeDoorOptions options;
  /// Runs a call to the delivery stage on its own thread.
  std::function<void(std::move_only_function<void()>)> run_delivery;
  BodyBudget bodies{options.body_bytes_max};
  ConnectionCount connections{};
  log::RateLimit protocol_error_log{};
};

class NativeLoop {
 public:
  NativeLoop(DoorShared& shared, EventLoop& loop, LoopMetrics& metrics);
  ~NativeLoop();

  DoorShared& shared() { return shared_; }
  EventLoop& loop() { return loop_; }
  LoopMetrics& metrics() { return metrics_; }
  BufferPool& buffers() { return buffers_; }
  /// Milliseconds that only go forward; as old as the last tick.
  std::int64_t now_ms() const { return now_ms_; }

  void Add(boost::intrusive_ptr<Session> session);
  /// Forgets a session that has closed its socket.
  void Remove(Session& session);
  /// Sends what `session` has gathered at the end of this turn, or when the log has published.
  void FlushLater(Session& session);
  void FlushNow() { to_flush_.FlushNow(); }

  void StartTicks();
  /// No new session; the open ones answer what they have taken and close.
  void BeginStop();
  void CloseAll();
  bool stopping() const { return stopping_; }

 private:
  void Tick();

  DoorShared& shared_;
  EventLoop& loop_;
  LoopMetrics& metrics_;
  BufferPool buffers_;
  std::vector<boost::intrusive_ptr<Session>> sessions_;  // a session knows its place
  FlushList<boost::intrusive_ptr<Session>> to_flush_;
  bool stopping_ = false;
  LoopTimer timer_;
  std::int64_t now_ms_ = 0;
};

}  // namespace sluice::broker::native
