// RecordSource over the broker's own log.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "broker/delivery/record_source.h"
#include "broker/read_service.h"
#include "broker/stream_catalog.h"

namespace sluice::delivery {

/// Reads the stream that `stream` is now; one that is deleted and made again under the same name is another one. Both
/// references outlive the source. Must not be used on an event loop: it waits for the loops' answers.
std::unique_ptr<RecordSource> NewLogRecordSource(broker::ReadService& reads, const broker::StreamCatalog& catalog,
                                                 StreamId stream, const std::atomic<bool>& stopping);

}  // namespace sluice::delivery
