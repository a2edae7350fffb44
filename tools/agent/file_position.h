// How far a file has been read, and how it is known again: by device and inode, and by bytes that were read.
//
// Values only.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "sluice/status.h"

namespace sluice::tools {

/// Bytes of a file, told by their number and CRC32C.
struct BytesMark {
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
  friend bool operator==(const BytesMark&, const BytesMark&) = default;
};

struct FilePosition {
  std::string path;       // where it was last
  std::string name = {};  // the name of its that was known first: what names of copies are longer forms of
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;             // the first byte that belongs to no record yet
  BytesMark head = {};                  // the file's first bytes, up to `offset`
  BytesMark tail = {};                  // the last ones in front of `offset`
  std::uint64_t header_lines_left = 0;  // to be passed over
  bool cutting = false;                 // up to the next newline it is the rest of a record that was cut
  bool held = false;                    // a copy of another file, whose reading moves this position too
  std::int64_t seen_ms = 0;             // since 1970; when it was last there
  friend bool operator==(const FilePosition&, const FilePosition&) = default;
};

boost::json::object ToJson(const FilePosition& position);
/// kCorruption where a member is missing or of another kind.
Result<FilePosition> FilePositionFrom(const boost::json::value& json);

}  // namespace sluice::tools
