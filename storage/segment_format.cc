// Encoding and checking of segment headers and names.
#include "storage/segment_format.h"

#include <fmt/format.h>

#include <charconv>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::storage {
namespace {

using protocol::LoadLittleEndian;
using protocol::StoreLittleEndian;

constexpr std::size_t kStreamAt = 8;
constexpr std::size_t kShardAt = 12;
constexpr std::size_t kBaseOffsetAt = 16;
constexpr std::size_t kPreviousEndAt = 24;
constexpr std::size_t kPreviousChecksumAt = 32;
constexpr std::size_t kCreatedAt = 40;

template <typename Int>
bool ParseHex(std::string_view text, Int& value) {
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  SLUICE_CHECK(header.previous_end <= header.base_offset);
  std::string page(kPageBytes, '\0');
  const std::span<char> block(page.data(), kBlockHeaderBytes);
  BeginBlockHeader(block, kSegmentMagic, kSegmentVersion);
  StoreLittleEndian<std::uint32_t>(&page[kStreamAt], header.shard.stream.value);
  StoreLittleEndian<std::uint32_t>(&page[kShardAt], header.shard.index.value);
  StoreLittleEndian<std::uint64_t>(&page[kBaseOffsetAt], header.base_offset.value);
  StoreLittleEndian<std::uint64_t>(&page[kPreviousEndAt], header.previous_end.value);
  StoreLittleEndian<std::uint64_t>(&page[kPreviousChecksumAt], header.previous_checksum);
  StoreLittleEndian<std::int64_t>(&page[kCreatedAt], header.created_ms);
  SealBlockHeader(block, {});
  return page;
}

Result<SegmentHeader> DecodeSegmentHeader(std::string_view page) {
  constexpr std::string_view kWhat = "segment header";
  if (Status status = CheckBlockMagic(page, kSegmentMagic, kSegmentVersion, kWhat); !status.ok()) {
    return Error(std::move(status));
  }
  if (Status status = CheckBlockChecksum(page, {}, kWhat); !status.ok()) return Error(std::move(status));
  SegmentHeader header;
  header.shard.stream = StreamId(LoadLittleEndian<std::uint32_t>(&page[kStreamAt]));
  header.shard.index = ShardIndex(LoadLittleEndian<std::uint32_t>(&page[kShardAt]));
  header.base_offset = Offset(LoadLittleEndian<std::uint64_t>(&page[kBaseOffsetAt]));
  header.previous_end = Offset(LoadLittleEndian<std::uint64_t>(&page[kPreviousEndAt]));
  header.previous_checksum = LoadLittleEndian<std::uint64_t>(&page[kPreviousChecksumAt]);
  header.created_ms = LoadLittleEndian<std::int64_t>(&page[kCreatedAt]);
  if (header.previous_end > header.base_offset || header.base_offset > kMaxOffset) {
    return Error(Code::kCorruption, "segment header: its offsets make no sense");
  }
  return header;
}

std::string ToFileName(const SegmentName& name) {
  return fmt::format("{:08x}-{:08x}-{:016x}.seg", name.shard.stream.value, name.shard.index.value,
                     name.base_offset.value);
}

std::optional<SegmentName> ParseSegmentFileName(std::string_view file_name) {
  constexpr std::size_t kLength = 8 + 1 + 8 + 1 + 16 + 4;
  if (file_name.size() != kLength || file_name[8] != '-' || file_name[17] != '-' || !file_name.ends_with(".seg")) {
    return std::nullopt;
  }
  SegmentName name;
  if (!ParseHex(file_name.substr(0, 8), name.shard.stream.value)) return std::nullopt;
  if (!ParseHex(file_name.substr(9, 8), name.shard.index.value)) return std::nullopt;
  if (!ParseHex(file_name.substr(18, 16), name.base_offset.value)) return std::nullopt;
  if (name.base_offset > kMaxOffset) return std::nullopt;
  return name;
}

}  // namespace sluice::storage
