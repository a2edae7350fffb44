// RecordDeAggregation: each record holds several, and each of these becomes a record.
//
// JSON: objects one behind the other, with or without white space between them. DELIMITED: bytes with a delimiter
// behind each part, or between them. A record of nothing is filtered; one that is something else than it should be is
// of the error type processing-failed, as a whole.
#pragma once

#include "broker/delivery/processing/processor_registry.h"

namespace sluice::delivery {

/// Parameters: SubRecordType (JSON, DELIMITED), and Delimiter, in base64, of DELIMITED.
ProcessorKind RecordDeAggregationKind();

}  // namespace sluice::delivery
