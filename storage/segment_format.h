// The bytes of a segment file besides its frames, and its name; storage/FORMAT.md, section "Segment". Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/block_header.h"

namespace sluice::storage {

inline constexpr std::uint32_t kSegmentMagic = 0x31534C53;  // "SLS1"
inline constexpr std::uint8_t kSegmentVersion = 1;
inline constexpr std::size_t kSegmentFirstFrameAt = kPageBytes;

struct SegmentHeader {
  ShardId shard;
  Offset base_offset;
  Offset previous_end;                  // where the segment before ended; base_offset unless something was lost between
  std::uint64_t previous_checksum = 0;  // of the last frame of the segment before; 0 where there was none
  std::int64_t created_ms = 0;
};

/// One page.
std::string EncodeSegmentHeader(const SegmentHeader& header);
Result<SegmentHeader> DecodeSegmentHeader(std::string_view page);

struct SegmentName {
  ShardId shard;
  Offset base_offset;
  friend auto operator<=>(const SegmentName&, const SegmentName&) = default;
};

/// "00000007-00000003-00000000000003e8.seg": stream, shard and base offset in hex.
std::string ToFileName(const SegmentName& name);
/// nullopt for any other file.
std::optional<SegmentName> ParseSegmentFileName(std::string_view file_name);

}  // namespace sluice::storage
