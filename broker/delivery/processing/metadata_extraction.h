// The processor MetadataExtraction: partition keys out of JSON records by a jq program. Plain paths are evaluated here
// (jq_paths.h), everything else in a process of its own (jq_worker.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/delivery/processing/processor_registry.h"

namespace sluice::delivery {

inline constexpr std::string_view kMetadataExtraction = "MetadataExtraction";

/// A record without a value for each key goes to the error output, as behind Firehose.
ProcessorKind MetadataExtractionKind();

/// The names that the program gives values to; nullopt where only jq knows.
std::optional<std::vector<std::string>> ExtractedKeys(const ProcessorConfig& config);

}  // namespace sluice::delivery
