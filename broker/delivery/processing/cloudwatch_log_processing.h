// CloudWatchLogProcessing: each record is the JSON document in which a CloudWatch Logs subscription sends log events,
// and each event's message becomes a record.
//
//     {"messageType":"DATA_MESSAGE","logGroup":"..","logEvents":[{"id":"..","timestamp":0,"message":".."}]}
//
// A CONTROL_MESSAGE, by which CloudWatch Logs looks whether anybody listens, is filtered, and so is a document without
// events. Any other record is one of the error type processing-failed, with the bytes that were put.
#pragma once

#include "broker/delivery/processing/processor_registry.h"

namespace sluice::delivery {

/// Parameter: DataMessageExtraction; with false, documents pass as they are.
ProcessorKind CloudWatchLogProcessingKind();

}  // namespace sluice::delivery
