// The bound of sustained ingest: one journal, flushed at each commit, and one file per shard written behind in 64 KiB
// pieces; nothing else. Threads: blocks the caller.
#pragma once

#include <string>

#include "sluice/status.h"

namespace sluice::tools {

struct LayoutBoundOptions {
  std::string dir;
  double seconds = 10;
  int shards = 64;
  bool recycled = true;  // shard files were written before; else they grow on fresh blocks
};

/// MB/s of payload, each byte durable in the journal and written to its shard's file.
Result<double> MeasureLayoutBound(const LayoutBoundOptions& options);

}  // namespace sluice::tools
