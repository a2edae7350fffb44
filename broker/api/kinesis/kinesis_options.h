// The settings of the Kinesis operations: what AWS makes its callers wait for and holds them to. All of it is off by
// default.
#pragma once

#include <cstdint>

namespace sluice::broker::kinesis {

struct KinesisOptions {
  std::int64_t create_delay_ms = 0;  // a new stream or consumer is CREATING for so long
  std::int64_t update_delay_ms = 0;  // a changed stream UPDATING
  std::int64_t delete_delay_ms = 0;  // a deleted stream or consumer DELETING
  std::uint32_t shards_max = 0;      // of all streams; 0: no limit
  bool call_limits = false;          // AWS's rates of calls on streams, and calls in a day
  bool shard_limits = false;         // AWS's rates of puts and reads
};

}  // namespace sluice::broker::kinesis
