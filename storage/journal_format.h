// The bytes of journal files and of the groups in them; storage/FORMAT.md, section "Journal", has each and an example.
// Values only; safe everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame.h"
#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/block_header.h"

namespace sluice::storage {

inline constexpr std::uint32_t kJournalFileMagic = 0x314A4C53;   // "SLJ1"
inline constexpr std::uint32_t kJournalGroupMagic = 0x31474C53;  // "SLG1"
inline constexpr std::uint8_t kJournalVersion = 1;
inline constexpr std::size_t kJournalFirstGroupAt = kPageBytes;  // the file header has the first page
inline constexpr std::size_t kGroupEntryBytes = 32;

/// The first page of a journal file, written anew together with the first group of each use of the file.
struct JournalFileHeader {
  std::uint64_t sequence = 0;  // 0: made and zero-filled, never used
  std::uint64_t first_group = 0;
  std::uint64_t file_bytes = 0;
  std::int64_t begun_ms = 0;
};

/// One page.
std::string EncodeJournalFileHeader(const JournalFileHeader& header);
Result<JournalFileHeader> DecodeJournalFileHeader(std::string_view page);

struct GroupHeader {
  std::uint64_t number = 0;         // one more than the group before, over all files
  std::uint64_t file_sequence = 0;  // tells stale groups of an earlier use of the file
  std::uint64_t durable_mark = 0;   // every group up to this number was flushed when this one was written
  std::uint32_t frame_count = 0;    // 0: a mark
  std::uint32_t bytes = 0;          // header, index and frames, without the padding to the next page
  std::int64_t written_ms = 0;

  std::size_t index_bytes() const { return frame_count * kGroupEntryBytes; }
  std::size_t padded_bytes() const { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }
};

/// What the index of a group tells about one frame, so that damage to the frame can be told by shard and offsets.
struct GroupEntry {
  ShardId shard;
  Offset base_offset;
  std::uint32_t record_count = 0;
  std::uint32_t frame_bytes = 0;
  std::uint64_t frame_checksum = 0;
};

void AppendGroupEntry(const protocol::FrameHeader& frame, std::string& index);
GroupEntry DecodeGroupEntry(const char* bytes);

/// Writes the header into the first kBlockHeaderBytes of `header_and_index`, sealed over the index behind it.
void SealGroupHeader(const GroupHeader& header, std::string& header_and_index);

/// Decodes the group header at the start of `bytes`, checking magic, version and limits, not the checksum.
Result<GroupHeader> ParseGroupHeader(std::string_view bytes);
/// The same with the checksum over header and index; `bytes` must hold both, or it is kCorruption.
Result<GroupHeader> VerifyGroupHeader(std::string_view bytes);

}  // namespace sluice::storage
