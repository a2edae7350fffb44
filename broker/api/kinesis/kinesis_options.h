// The settings of the Kinesis operations: what AWS makes its callers wait for and holds them to. All of it is off by
// default.
#pragma once

#include <cstdint>

namespace sluice::broker::kinesis {

struct KinesisOptions {
  std::int64_t create_delay_ms = 0;  // a new stream is CREATING for so long
  std::int64_t update_delay_ms = 0;  // a changed one UPDATING
  std::int64_t delete_delay_ms = 0;  // a deleted one DELETING
  std::uint32_t shards_max = 0;      // of all streams; 0: no limit
  bool call_limits = false;          // AWS's rates of calls on streams
  bool shard_limits = false;         // AWS's rates of puts and reads
};

}  // namespace sluice::broker::kinesis
