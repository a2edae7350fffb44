// Decompression: each record is gzip data, of one member or several, and goes on as what it holds. CloudWatch Logs
// sends its records so.
//
// What is no such data, is damaged, or holds more than 64 MiB is a record of the error type decompression-failed, with
// the bytes that were put.
#pragma once

#include "broker/delivery/processing/processor_registry.h"

namespace sluice::delivery {

/// Parameter: CompressionFormat (GZIP, also where it is not given).
ProcessorKind DecompressionKind();

}  // namespace sluice::delivery
