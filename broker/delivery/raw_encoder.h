// RawEncoder: wraps a stream of bytes into one of Firehose's object formats. Private to the raw object writer.
//
// The caller gives blocks of exactly kRawBlockBytes (the last one may be shorter), so that the same bytes always give
// the same object: deflate's output depends on how its input is cut. Threads: one at a time. Crash behaviour: memory
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/object_writer.h"
#include "broker/delivery/raw_object_writer.h"

namespace sluice::delivery {

inline constexpr std::size_t kRawBlockBytes = 256u << 10;

class RawEncoder {
 public:
  virtual ~RawEncoder() = default;
  /// Adds one block's bytes in the format to `out`.
  virtual Status Encode(std::string_view block, std::string& out) = 0;
  /// Adds what ends the object, with the metadata where the format has a place for it.
  virtual Status Finish(std::string_view metadata, std::string& out) = 0;
};

std::unique_ptr<RawEncoder> NewRawEncoder(const RawOptions& options);

/// Finds the metadata that Finish has put at the end of a GZIP or ZIP object, given its last bytes. Empty where there
/// is none.
std::string_view GzipMetadata(std::string_view tail);
std::string_view ZipMetadata(std::string_view tail);

}  // namespace sluice::delivery
