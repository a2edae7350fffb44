// StreamAppender over the broker's own log.
#pragma once

#include <atomic>
#include <memory>

#include "broker/append_service.h"
#include "broker/delivery/stream_appender.h"
#include "broker/loop/event_loops.h"
#include "broker/read_service.h"
#include "broker/stream_catalog.h"

namespace sluice::delivery {

/// All of it outlives the appender.
struct LogAppenderParts {
  broker::EventLoops& loops;
  broker::AppendService& appends;
  broker::AppendOptions append_options;
  broker::ReadService& reads;
  const broker::StreamCatalog& catalog;
  const std::atomic<bool>& stopping;
};

/// Must not be used on an event loop: it waits for the loops' answers.
std::unique_ptr<StreamAppender> NewLogStreamAppender(const LogAppenderParts& parts);

}  // namespace sluice::delivery
