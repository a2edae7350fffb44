// Tells a torn end of RocksDB's log of changes from damage in its middle, which RocksDB itself cannot.
//
// A flipped bit in a length field looks to RocksDB like a record that was being written when the machine died, and it
// drops that record and all after it without a word. But our commits come one after the other, each synced before the
// next begins: a whole record behind the first unreadable one proves that the unreadable one had been on the disk.
//
// The log's format (RocksDB's wiki, "Write Ahead Log File Format"): blocks of 32 KiB with records of crc32c (masked),
// length, type, payload; a record never starts in the last 6 bytes of a block.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::storage {

struct LogCheck {
  std::size_t readable_bytes = 0;  // up to the first place that cannot be read; the whole log where there is none
  bool damaged = false;            // the start of a change stands behind that place
};

/// Looks through `log`, the content of a whole file.
LogCheck CheckLog(std::string_view log);

}  // namespace sluice::storage
