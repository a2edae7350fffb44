// One read of the broker's log for a thread that may wait.
#pragma once

#include <atomic>

#include "broker/read_service.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// Asks and waits for the answer. What only the disk has is read on the calling thread: at its priority, and the
/// blocking pool stays free for those who wait on a loop. kUnavailable: `stopping` is set, nothing was asked; else as
/// ReadService::Read. Not on an event loop.
Result<broker::ReadAnswer> WaitingRead(broker::ReadService& reads, broker::ReadRequest request,
                                       const std::atomic<bool>& stopping);

}  // namespace sluice::delivery
