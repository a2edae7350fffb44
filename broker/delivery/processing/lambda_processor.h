// The processor Lambda: a function transforms, drops or refuses records, and may give them partition keys.
//
// One thread at a time. Memory: one request and its answer. What a function answers may differ the next time
// (the registry says so), and a record may be given to it more than once: when a delivery is done again, and where the
// schema is inferred.
#pragma once

#include "broker/delivery/processing/processor_registry.h"

namespace sluice::delivery {

ProcessorKind LambdaProcessorKind();

}  // namespace sluice::delivery
