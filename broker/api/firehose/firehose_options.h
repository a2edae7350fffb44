// The settings of the Firehose operations: what AWS makes its callers wait for. All of it is off by default.
#pragma once

#include <cstdint>

namespace sluice::broker::firehose {

struct FirehoseOptions {
  std::int64_t create_delay_ms = 0;  // a new delivery stream is CREATING for so long
  std::int64_t delete_delay_ms = 0;  // a deleted one DELETING
};

}  // namespace sluice::broker::firehose
