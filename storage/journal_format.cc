// Encoding and checking of journal file headers and group headers.
#include "storage/journal_format.h"

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::storage {
namespace {

using protocol::LoadLittleEndian;
using protocol::StoreLittleEndian;

constexpr std::size_t kFileSequenceAt = 8;
constexpr std::size_t kFileFirstGroupAt = 16;
constexpr std::size_t kFileBytesAt = 24;
constexpr std::size_t kFileBegunAt = 32;

constexpr std::size_t kGroupNumberAt = 8;
constexpr std::size_t kGroupFileSequenceAt = 16;
constexpr std::size_t kGroupDurableMarkAt = 24;
constexpr std::size_t kGroupFrameCountAt = 32;
constexpr std::size_t kGroupBytesAt = 36;
constexpr std::size_t kGroupWrittenAt = 40;
static_assert(kGroupWrittenAt + 2 * sizeof(std::uint64_t) == kBlockChecksumAt);

constexpr std::size_t kEntryStreamAt = 0;
constexpr std::size_t kEntryShardAt = 4;
constexpr std::size_t kEntryBaseOffsetAt = 8;
constexpr std::size_t kEntryRecordCountAt = 16;
constexpr std::size_t kEntryFrameBytesAt = 20;
constexpr std::size_t kEntryChecksumAt = 24;
static_assert(kEntryChecksumAt + sizeof(std::uint64_t) == kGroupEntryBytes);

}  // namespace

std::string EncodeJournalFileHeader(const JournalFileHeader& header) {
  std::string page(kPageBytes, '\0');
  const std::span<char> block(page.data(), kBlockHeaderBytes);
  BeginBlockHeader(block, kJournalFileMagic, kJournalVersion);
  StoreLittleEndian<std::uint64_t>(&page[kFileSequenceAt], header.sequence);
  StoreLittleEndian<std::uint64_t>(&page[kFileFirstGroupAt], header.first_group);
  StoreLittleEndian<std::uint64_t>(&page[kFileBytesAt], header.file_bytes);
  StoreLittleEndian<std::int64_t>(&page[kFileBegunAt], header.begun_ms);
  SealBlockHeader(block, {});
  return page;
}

Result<JournalFileHeader> DecodeJournalFileHeader(std::string_view page) {
  constexpr std::string_view kWhat = "journal file header";
  if (Status status = CheckBlockMagic(page, kJournalFileMagic, kJournalVersion, kWhat); !status.ok()) {
    return Error(std::move(status));
  }
  if (Status status = CheckBlockChecksum(page, {}, kWhat); !status.ok()) return Error(std::move(status));
  JournalFileHeader header;
  header.sequence = LoadLittleEndian<std::uint64_t>(&page[kFileSequenceAt]);
  header.first_group = LoadLittleEndian<std::uint64_t>(&page[kFileFirstGroupAt]);
  header.file_bytes = LoadLittleEndian<std::uint64_t>(&page[kFileBytesAt]);
  header.begun_ms = LoadLittleEndian<std::int64_t>(&page[kFileBegunAt]);
  return header;
}

void AppendGroupEntry(const protocol::FrameHeader& frame, std::string& index) {
  const std::size_t at = index.size();
  index.resize(at + kGroupEntryBytes);
  StoreLittleEndian<std::uint32_t>(&index[at + kEntryStreamAt], frame.shard.stream.value);
  StoreLittleEndian<std::uint32_t>(&index[at + kEntryShardAt], frame.shard.index.value);
  StoreLittleEndian<std::uint64_t>(&index[at + kEntryBaseOffsetAt], frame.base_offset.value);
  StoreLittleEndian<std::uint32_t>(&index[at + kEntryRecordCountAt], frame.record_count);
  StoreLittleEndian<std::uint32_t>(&index[at + kEntryFrameBytesAt], static_cast<std::uint32_t>(frame.total_size()));
  StoreLittleEndian<std::uint64_t>(&index[at + kEntryChecksumAt], frame.checksum);
}

GroupEntry DecodeGroupEntry(const char* bytes) {
  GroupEntry entry;
  entry.shard.stream = StreamId(LoadLittleEndian<std::uint32_t>(bytes + kEntryStreamAt));
  entry.shard.index = ShardIndex(LoadLittleEndian<std::uint32_t>(bytes + kEntryShardAt));
  entry.base_offset = Offset(LoadLittleEndian<std::uint64_t>(bytes + kEntryBaseOffsetAt));
  entry.record_count = LoadLittleEndian<std::uint32_t>(bytes + kEntryRecordCountAt);
  entry.frame_bytes = LoadLittleEndian<std::uint32_t>(bytes + kEntryFrameBytesAt);
  entry.frame_checksum = LoadLittleEndian<std::uint64_t>(bytes + kEntryChecksumAt);
  return entry;
}

void SealGroupHeader(const GroupHeader& header, std::string& header_and_index) {
  SLUICE_CHECK(header_and_index.size() == kBlockHeaderBytes + header.index_bytes());
  SLUICE_CHECK(header.durable_mark < header.number);
  char* at = header_and_index.data();
  const std::span<char> block(at, kBlockHeaderBytes);
  BeginBlockHeader(block, kJournalGroupMagic, kJournalVersion);
  StoreLittleEndian<std::uint64_t>(at + kGroupNumberAt, header.number);
  StoreLittleEndian<std::uint64_t>(at + kGroupFileSequenceAt, header.file_sequence);
  StoreLittleEndian<std::uint64_t>(at + kGroupDurableMarkAt, header.durable_mark);
  StoreLittleEndian<std::uint32_t>(at + kGroupFrameCountAt, header.frame_count);
  StoreLittleEndian<std::uint32_t>(at + kGroupBytesAt, header.bytes);
  StoreLittleEndian<std::int64_t>(at + kGroupWrittenAt, header.written_ms);
  SealBlockHeader(block, std::string_view(header_and_index).substr(kBlockHeaderBytes));
}

Result<GroupHeader> ParseGroupHeader(std::string_view bytes) {
  if (Status status = CheckBlockMagic(bytes, kJournalGroupMagic, kJournalVersion, "journal group"); !status.ok()) {
    return Error(std::move(status));
  }
  const char* at = bytes.data();
  GroupHeader header;
  header.number = LoadLittleEndian<std::uint64_t>(at + kGroupNumberAt);
  header.file_sequence = LoadLittleEndian<std::uint64_t>(at + kGroupFileSequenceAt);
  header.durable_mark = LoadLittleEndian<std::uint64_t>(at + kGroupDurableMarkAt);
  header.frame_count = LoadLittleEndian<std::uint32_t>(at + kGroupFrameCountAt);
  header.bytes = LoadLittleEndian<std::uint32_t>(at + kGroupBytesAt);
  header.written_ms = LoadLittleEndian<std::int64_t>(at + kGroupWrittenAt);
  const std::uint64_t least =
      kBlockHeaderBytes + std::uint64_t{header.frame_count} * (kGroupEntryBytes + protocol::kFrameHeaderSize);
  if (header.bytes < least || header.durable_mark >= header.number) {
    return Error(Code::kCorruption, "journal group: its sizes or its mark make no sense");
  }
  return header;
}

Result<GroupHeader> VerifyGroupHeader(std::string_view bytes) {
  Result<GroupHeader> header = ParseGroupHeader(bytes);
  if (!header) return header;
  if (bytes.size() < kBlockHeaderBytes + header->index_bytes()) {
    return Error(Code::kCorruption, "journal group: its index is cut short");
  }
  const std::string_view index = bytes.substr(kBlockHeaderBytes, header->index_bytes());
  if (Status status = CheckBlockChecksum(bytes, index, "journal group"); !status.ok()) return Error(std::move(status));
  return header;
}

}  // namespace sluice::storage
