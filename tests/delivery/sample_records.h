// Records with nested shapes for the conversion tests: what a web server's status page or an event stream looks like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/delivery/object_writer.h"
#include "broker/delivery/schema.h"

namespace sluice::delivery {

/// Owns its records' bytes.
struct SampleRecords {
  std::vector<std::string> values;
  std::vector<RecordRef> refs;
};

/// `count` records in the canonical form of SampleSchema: as text they are what a reader gives back.
SampleRecords MakeSampleRecords(std::size_t count, std::size_t padding_bytes = 20);

/// Their schema.
Schema SampleSchema();

/// Refs to `values`, numbered from 0 in shard 3.
std::vector<RecordRef> RefsTo(const std::vector<std::string>& values);

/// The metadata of a range of `count` records of RefsTo.
ObjectMetadata SampleMetadata(std::size_t count);

}  // namespace sluice::delivery
