// The frame: what stands in journal, segment, cache and on the wire to consumers; storage/FORMAT.md has every byte.
//
// A frame is our fixed 64-byte header and one record batch. Its checksum covers the header and what the batch's own
// CRC32C leaves out, and that CRC with it; the CRC covers the rest. A Frame is an immutable, shared piece of memory:
// the bytes that were received are the bytes that are journalled, cached, written to the segment and sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/batch.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::protocol {

inline constexpr std::uint32_t kFrameMagic = 0x31464C53;  // "SLF1" as little-endian bytes
inline constexpr std::uint8_t kFrameVersion = 2;
inline constexpr std::size_t kFrameHeaderSize = 64;

/// The header's fields; all integers little-endian on disk.
struct FrameHeader {
  ShardId shard;
  Offset base_offset;
  std::uint32_t record_count = 0;
  std::uint32_t payload_bytes = 0;
  std::int64_t append_time_ms = 0;  // broker's clock; never falls within a shard
  Offset durable_upto;              // the shard's durable end known when this frame was made
  std::uint64_t checksum = 0;       // XXH3-64

  Offset end_offset() const { return base_offset + record_count; }
  std::size_t total_size() const { return kFrameHeaderSize + payload_bytes; }
};

/// Decodes and checks magic, version and limits, not the checksum. kCorruption names the field; kUnimplemented for
/// another version.
Result<FrameHeader> ParseFrameHeader(std::string_view bytes);
/// Decodes the frame that starts at `bytes` and checks its checksum and its batch's. `bytes` may be longer than the
/// frame.
Result<FrameHeader> VerifyFrame(std::string_view bytes);

/// Memory for one frame: the batch is received or built at `batch()`, then FrameBuffer::Seal makes the header.
class FrameBuffer {
 public:
  /// Uninitialised memory for a batch of `batch_bytes`.
  explicit FrameBuffer(std::size_t batch_bytes);
  /// Takes over a batch with kFrameHeaderSize bytes of room in front of it.
  static FrameBuffer Adopt(std::string memory);
  std::span<char> batch() { return {memory_.get() + kFrameHeaderSize, batch_bytes_}; }
  std::string_view batch_view() const { return {memory_.get() + kFrameHeaderSize, batch_bytes_}; }

 private:
  friend class Frame;
  friend class FrameArena;
  FrameBuffer(std::shared_ptr<char[]> memory, std::size_t batch_bytes)
      : memory_(std::move(memory)), batch_bytes_(batch_bytes) {}

  std::shared_ptr<char[]> memory_;
  std::size_t batch_bytes_;
};

/// Makes buffers for small batches out of larger pieces of memory, one after another: a piece is freed with its last
/// frame. Frames leave memory about in the order of their arrival, so little is held on to; in exchange nothing is
/// allocated or freed for the single frame. Threads: one.
class FrameArena {
 public:
  FrameBuffer Take(std::size_t batch_bytes);
  /// As FrameBuffer::Adopt, which takes `memory`; a small batch is copied into a piece, and `memory` stays.
  FrameBuffer Adopt(std::string& memory);

 private:
  static constexpr std::size_t kPieceBytes = 64u << 10;
  static constexpr std::size_t kSharedBytesMax = kPieceBytes / 8;  // larger frames have memory of their own

  std::shared_ptr<char[]> piece_;
  std::size_t used_ = kPieceBytes;
};

/// One immutable frame; copies share the bytes. Safe to read from any thread.
class Frame {
 public:
  Frame() = default;
  /// Writes the header (payload_bytes and checksum are filled in) in front of the batch in `buffer`, whose own checksum
  /// has to fit: it is not computed here.
  static Frame Seal(FrameBuffer buffer, FrameHeader header);
  /// A frame inside a larger piece of memory that was read from disk; `bytes` must be a verified frame.
  static Frame Borrow(std::shared_ptr<const char[]> owner, std::string_view bytes, const FrameHeader& header);

  const FrameHeader& header() const { return header_; }
  std::string_view bytes() const { return bytes_; }
  std::string_view batch() const { return bytes_.substr(kFrameHeaderSize); }
  Offset base_offset() const { return header_.base_offset; }
  Offset end_offset() const { return header_.end_offset(); }
  std::size_t size() const { return bytes_.size(); }

  /// Whether its batch is encrypted where it is stored, and was opened for a reader. Not part of its bytes.
  bool opened() const { return opened_; }
  void MarkOpened() { opened_ = true; }

 private:
  std::shared_ptr<const char[]> owner_;
  std::string_view bytes_;
  FrameHeader header_;
  bool opened_ = false;
};

}  // namespace sluice::protocol
