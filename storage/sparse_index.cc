// Building, searching and storing the sparse index of a segment.
#include "storage/sparse_index.h"

#include <algorithm>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::storage {
namespace {

using protocol::LoadLittleEndian;
using protocol::StoreLittleEndian;

constexpr std::size_t kStreamAt = 8;
constexpr std::size_t kShardAt = 12;
constexpr std::size_t kBaseOffsetAt = 16;
constexpr std::size_t kEndAt = 24;
constexpr std::size_t kCountAt = 32;

constexpr std::string_view kWhat = "segment index";

}  // namespace

void SparseIndex::Add(Offset offset, std::uint64_t position, std::int64_t append_time_ms) {
  SLUICE_DCHECK(entries_.empty() || offset > entries_.back().offset);
  if (!entries_.empty() && position < entries_.back().position + kIndexSpacingBytes) return;
  entries_.push_back({offset, position, append_time_ms});
}

const SparseIndex::Entry& SparseIndex::Find(Offset offset) const {
  SLUICE_CHECK(!entries_.empty() && offset >= first());
  return *std::prev(std::ranges::upper_bound(entries_, offset, {}, &Entry::offset));
}

const SparseIndex::Entry& SparseIndex::FindTime(std::int64_t time_ms) const {
  SLUICE_CHECK(!entries_.empty());
  const auto after = std::ranges::lower_bound(entries_, time_ms, {}, &Entry::append_time_ms);
  return after == entries_.begin() ? *after : *std::prev(after);
}

std::string SparseIndex::Encode(const SegmentName& name, Offset end) const {
  std::string bytes(kBlockHeaderBytes + entries_.size() * kEntryBytes, '\0');
  const std::span<char> block(bytes.data(), kBlockHeaderBytes);
  BeginBlockHeader(block, kIndexMagic, kIndexVersion);
  StoreLittleEndian<std::uint32_t>(&bytes[kStreamAt], name.shard.stream.value);
  StoreLittleEndian<std::uint32_t>(&bytes[kShardAt], name.shard.index.value);
  StoreLittleEndian<std::uint64_t>(&bytes[kBaseOffsetAt], name.base_offset.value);
  StoreLittleEndian<std::uint64_t>(&bytes[kEndAt], end.value);
  StoreLittleEndian<std::uint64_t>(&bytes[kCountAt], entries_.size());
  char* at = bytes.data() + kBlockHeaderBytes;
  for (const Entry& entry : entries_) {
    StoreLittleEndian<std::uint64_t>(at, entry.offset.value);
    StoreLittleEndian<std::uint64_t>(at + 8, entry.position);
    StoreLittleEndian<std::int64_t>(at + 16, entry.append_time_ms);
    at += kEntryBytes;
  }
  SealBlockHeader(block, std::string_view(bytes).substr(kBlockHeaderBytes));
  return bytes;
}

Result<SparseIndex> SparseIndex::Decode(std::string_view bytes, const SegmentName& name, Offset end) {
  if (Status status = CheckBlockMagic(bytes, kIndexMagic, kIndexVersion, kWhat); !status.ok()) return Error(status);
  const std::string_view body = bytes.substr(kBlockHeaderBytes);
  if (Status status = CheckBlockChecksum(bytes, body, kWhat); !status.ok()) return Error(status);
  const bool same = LoadLittleEndian<std::uint32_t>(&bytes[kStreamAt]) == name.shard.stream.value &&
                    LoadLittleEndian<std::uint32_t>(&bytes[kShardAt]) == name.shard.index.value &&
                    LoadLittleEndian<std::uint64_t>(&bytes[kBaseOffsetAt]) == name.base_offset.value &&
                    LoadLittleEndian<std::uint64_t>(&bytes[kEndAt]) == end.value &&
                    LoadLittleEndian<std::uint64_t>(&bytes[kCountAt]) == body.size() / kEntryBytes &&
                    body.size() % kEntryBytes == 0 && !body.empty();
  if (!same) return Error(Code::kCorruption, "segment index: belongs to another segment");
  SparseIndex index;
  for (std::size_t at = 0; at < body.size(); at += kEntryBytes) {
    index.entries_.push_back({Offset(LoadLittleEndian<std::uint64_t>(&body[at])),
                              LoadLittleEndian<std::uint64_t>(&body[at + 8]),
                              LoadLittleEndian<std::int64_t>(&body[at + 16])});
  }
  return index;
}

}  // namespace sluice::storage
