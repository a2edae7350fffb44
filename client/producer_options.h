// Whether a producer can work with its options.
#pragma once

#include "sluice/producer.h"

namespace sluice::client {

/// kInvalidArgument, which names the option and what it may be.
Status Validate(const ProducerOptions& options);

}  // namespace sluice::client
