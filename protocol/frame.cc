// The 64 bytes in front of every batch: writing, reading, checking. storage/FORMAT.md, section "Frame".
#include "protocol/frame.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::protocol {
namespace {

constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kFlagsAt = 5;
constexpr std::size_t kReservedShortAt = 6;
constexpr std::size_t kStreamAt = 8;
constexpr std::size_t kShardAt = 12;
constexpr std::size_t kBaseOffsetAt = 16;
constexpr std::size_t kRecordCountAt = 24;
constexpr std::size_t kPayloadBytesAt = 28;
constexpr std::size_t kAppendTimeAt = 32;
constexpr std::size_t kDurableUptoAt = 40;
constexpr std::size_t kReservedLongAt = 48;
constexpr std::size_t kChecksumAt = 56;
static_assert(kChecksumAt + sizeof(std::uint64_t) == kFrameHeaderSize);

/// Covers the header up to the checksum, and the batch up to what its CRC32C covers: that CRC is part of it. The hash
/// of the first seeds the hash of the second, so that both are hashed in place although the checksum stands between
/// them.
std::uint64_t Checksum(const char* frame) {
  return XXH3_64bits_withSeed(frame + kFrameHeaderSize, kBatchChecksummedAt, XXH3_64bits(frame, kChecksumAt));
}

/// For memory that was last used long ago: it comes to the caches while the batch before is worked on, or each line
/// that is written would have to be waited for.
void PrefetchForWriting(const char* memory, std::size_t bytes) {
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(memory + at, 1);
}

std::unexpected<Status> BadField(std::string_view field, std::uint64_t value) {
  return Error(Code::kCorruption, fmt::format("frame header: {} is {:#x}", field, value));
}

std::string NameOf(const FrameHeader& header) {
  return fmt::format("frame of shard {} at offset {}", ToString(header.shard), header.base_offset.value);
}

FrameHeader DecodeFields(const char* at) {
  FrameHeader header;
  header.shard.stream = StreamId(LoadLittleEndian<std::uint32_t>(at + kStreamAt));
  header.shard.index = ShardIndex(LoadLittleEndian<std::uint32_t>(at + kShardAt));
  header.base_offset = Offset(LoadLittleEndian<std::uint64_t>(at + kBaseOffsetAt));
  header.record_count = LoadLittleEndian<std::uint32_t>(at + kRecordCountAt);
  header.payload_bytes = LoadLittleEndian<std::uint32_t>(at + kPayloadBytesAt);
  header.append_time_ms = LoadLittleEndian<std::int64_t>(at + kAppendTimeAt);
  header.durable_upto = Offset(LoadLittleEndian<std::uint64_t>(at + kDurableUptoAt));
  header.checksum = LoadLittleEndian<std::uint64_t>(at + kChecksumAt);
  return header;
}

}  // namespace

Result<FrameHeader> ParseFrameHeader(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderSize) {
    return Error(Code::kCorruption, fmt::format("frame header: only {} of {} bytes", bytes.size(), kFrameHeaderSize));
  }
  const char* at = bytes.data();
  if (const auto magic = LoadLittleEndian<std::uint32_t>(at); magic != kFrameMagic) return BadField("magic", magic);
  const auto version = static_cast<std::uint8_t>(at[kVersionAt]);
  if (version == 0) return BadField("version", version);
  if (version != kFrameVersion) {
    return Error(Code::kUnimplemented, fmt::format("frame version {} is not {}, the only one that this program reads; "
                                                   "use the version of Sluice that wrote it",
                                                   version, kFrameVersion));
  }
  if (at[kFlagsAt] != 0) return BadField("flags", static_cast<std::uint8_t>(at[kFlagsAt]));
  if (const auto value = LoadLittleEndian<std::uint16_t>(at + kReservedShortAt); value != 0)
    return BadField("reserved", value);
  if (const auto value = LoadLittleEndian<std::uint64_t>(at + kReservedLongAt); value != 0)
    return BadField("reserved", value);

  FrameHeader header = DecodeFields(at);
  if (header.payload_bytes < kBatchHeaderSize || header.payload_bytes > kBatchBytesMax) {
    return BadField("payload bytes", header.payload_bytes);
  }
  if (header.record_count == 0) return BadField("record count", 0);
  if (header.base_offset > kMaxOffset || header.record_count > kMaxOffset - header.base_offset) {
    return BadField("base offset", header.base_offset.value);
  }
  if (header.durable_upto > header.base_offset) return BadField("durable end", header.durable_upto.value);
  return header;
}

Result<FrameHeader> VerifyFrame(std::string_view bytes) {
  Result<FrameHeader> header = ParseFrameHeader(bytes);
  if (!header) return header;
  if (bytes.size() < header->total_size()) {
    return Error(Code::kCorruption,
                 fmt::format("frame of {} bytes is cut after {}", header->total_size(), bytes.size()));
  }
  if (const std::uint64_t found = Checksum(bytes.data()); found != header->checksum) {
    return Error(Code::kCorruption, fmt::format("{}: checksum is {:016x}, its bytes give {:016x}", NameOf(*header),
                                                header->checksum, found));
  }
  const Status status = CheckChecksum(bytes.substr(kFrameHeaderSize, header->payload_bytes));
  if (!status.ok()) return Error(status.WithContext(NameOf(*header)));
  return header;
}

FrameBuffer::FrameBuffer(std::size_t batch_bytes)
    : memory_(std::make_shared_for_overwrite<char[]>(kFrameHeaderSize + batch_bytes)), batch_bytes_(batch_bytes) {
  SLUICE_CHECK(batch_bytes <= kBatchBytesMax);
}

FrameBuffer FrameBuffer::Adopt(std::string memory) {
  SLUICE_CHECK(memory.size() >= kFrameHeaderSize && memory.size() - kFrameHeaderSize <= kBatchBytesMax);
  const std::size_t batch_bytes = memory.size() - kFrameHeaderSize;
  const auto owner = std::make_shared<std::string>(std::move(memory));
  return {std::shared_ptr<char[]>(owner, owner->data()), batch_bytes};
}

FrameBuffer FrameArena::Take(std::size_t batch_bytes) {
  constexpr std::size_t kAlignment = 64;  // a frame's header is one line of the cache
  const std::size_t bytes = (kFrameHeaderSize + batch_bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > kSharedBytesMax) return FrameBuffer(batch_bytes);
  if (kPieceBytes - used_ < bytes) {
    piece_ = std::make_shared_for_overwrite<char[]>(kPieceBytes);
    used_ = 0;
  }
  char* const memory = piece_.get() + used_;
  used_ += bytes;
  SLUICE_CHECK(used_ <= kPieceBytes);
  PrefetchForWriting(memory + bytes, std::min(bytes, kPieceBytes - used_));
  return FrameBuffer(std::shared_ptr<char[]>(piece_, memory), batch_bytes);
}

FrameBuffer FrameArena::Adopt(std::string& memory) {
  SLUICE_CHECK(memory.size() >= kFrameHeaderSize);
  if (memory.size() > kSharedBytesMax) return FrameBuffer::Adopt(std::move(memory));
  FrameBuffer buffer = Take(memory.size() - kFrameHeaderSize);
  std::ranges::copy(std::string_view(memory).substr(kFrameHeaderSize), buffer.batch().begin());
  return buffer;
}

Frame Frame::Seal(FrameBuffer buffer, FrameHeader header) {
  SLUICE_CHECK(buffer.memory_ != nullptr);
  SLUICE_CHECK(buffer.batch_bytes_ >= kBatchHeaderSize);
  SLUICE_CHECK(header.record_count > 0 && header.durable_upto <= header.base_offset);
  char* at = buffer.memory_.get();
  header.payload_bytes = static_cast<std::uint32_t>(buffer.batch_bytes_);
  StoreLittleEndian<std::uint32_t>(at, kFrameMagic);
  at[kVersionAt] = kFrameVersion;
  at[kFlagsAt] = 0;
  StoreLittleEndian<std::uint16_t>(at + kReservedShortAt, 0);
  StoreLittleEndian<std::uint32_t>(at + kStreamAt, header.shard.stream.value);
  StoreLittleEndian<std::uint32_t>(at + kShardAt, header.shard.index.value);
  StoreLittleEndian<std::uint64_t>(at + kBaseOffsetAt, header.base_offset.value);
  StoreLittleEndian<std::uint32_t>(at + kRecordCountAt, header.record_count);
  StoreLittleEndian<std::uint32_t>(at + kPayloadBytesAt, header.payload_bytes);
  StoreLittleEndian<std::int64_t>(at + kAppendTimeAt, header.append_time_ms);
  StoreLittleEndian<std::uint64_t>(at + kDurableUptoAt, header.durable_upto.value);
  StoreLittleEndian<std::uint64_t>(at + kReservedLongAt, 0);
  header.checksum = Checksum(at);
  StoreLittleEndian<std::uint64_t>(at + kChecksumAt, header.checksum);

  Frame frame;
  frame.bytes_ = {at, header.total_size()};
  frame.header_ = header;
  frame.owner_ = std::move(buffer.memory_);
  return frame;
}

Frame Frame::Borrow(std::shared_ptr<const char[]> owner, std::string_view bytes, const FrameHeader& header) {
  SLUICE_CHECK(bytes.size() >= header.total_size());
  SLUICE_DCHECK(VerifyFrame(bytes).has_value());
  Frame frame;
  frame.owner_ = std::move(owner);
  frame.bytes_ = bytes.substr(0, header.total_size());
  frame.header_ = header;
  return frame;
}

}  // namespace sluice::protocol
