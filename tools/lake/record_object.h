// Objects of records as delivery's raw writer makes them: decompression by what the bytes say, and splitting into
// records. Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::tools {

/// What an object may grow to when it is decompressed.
inline constexpr std::size_t kObjectBytesMax = 1u << 30;

struct RecordObject {
  std::string format;    // "records", "records.gz", ..
  std::string text;      // decompressed
  std::string metadata;  // empty where there is none
};

/// `name` decides between Hadoop Snappy, which has no mark of its own, and plain records. kCorruption where it does not
/// decompress.
Result<RecordObject> DecodeRecordObject(std::string_view bytes, std::string_view name);

/// Takes the next record off `text`: a JSON value where one starts here, else a line. Empty at the end.
std::string_view TakeRecord(std::string_view& text);

}  // namespace sluice::tools
