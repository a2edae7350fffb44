// Where in a segment an offset or a time is to be found: one entry about every kIndexSpacingBytes.
//
// Derived data: written beside a segment when it is sealed (storage/FORMAT.md, section "Index"), rebuilt by reading the
// segment where it is missing or damaged.
//
// Threads: none of its own; built by one thread, then shared read-only (Segment's lock guards the one that grows).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/segment_format.h"

namespace sluice::storage {

inline constexpr std::uint32_t kIndexMagic = 0x31494C53;  // "SLI1"
inline constexpr std::uint8_t kIndexVersion = 1;
inline constexpr std::uint64_t kIndexSpacingBytes = 32u << 10;

class SparseIndex {
 public:
  struct Entry {
    Offset offset;
    std::uint64_t position = 0;  // of the frame that begins with `offset`
    std::int64_t append_time_ms = 0;
  };
  static constexpr std::size_t kEntryBytes = 24;

  /// Tells of each frame in order; keeps the first and then one every kIndexSpacingBytes.
  void Add(Offset offset, std::uint64_t position, std::int64_t append_time_ms);

  bool empty() const { return entries_.empty(); }
  /// The first offset that the index can find.
  Offset first() const { return entries_.front().offset; }
  /// The last entry at or before `offset`, which is at least first().
  const Entry& Find(Offset offset) const;
  /// The last entry whose frame was appended before `time_ms`, or the first entry.
  const Entry& FindTime(std::int64_t time_ms) const;
  std::size_t size() const { return entries_.size(); }

  std::string Encode(const SegmentName& name, Offset end) const;
  static Result<SparseIndex> Decode(std::string_view bytes, const SegmentName& name, Offset end);

 private:
  std::vector<Entry> entries_;  // by offset
};

}  // namespace sluice::storage
