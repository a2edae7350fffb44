// The five compressions. Encoders keep their working memory per thread. Decoders read what strangers sent: they produce
// output in steps and stop at the cap, and memory follows what was really decoded, not what a header promises.
#include "protocol/compression.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::protocol {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};

// Decoders ask for output room in pieces of this size.
constexpr std::size_t kStepBytes = 256u << 10;

// Xerial's frame around snappy blocks, which Kafka's Java client writes and expects: magic, version, oldest compatible
// version, then blocks of at most 32 KiB input, each with its compressed length in front. Numbers are big-endian.
constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);
constexpr std::size_t kXerialHeaderSize = 16;
constexpr std::uint32_t kXerialVersion = 1;
constexpr std::size_t kXerialBlockBytes = 32u << 10;

constexpr int kZstdLevel = 1;
constexpr int kGzipLevel = 1;

/// Appends up to `room` bytes that `fill(pointer, room)` writes; fill returns how many it wrote. No byte is written
/// twice.
template <typename Fill>
void AppendInPlace(std::string& out, std::size_t room, Fill fill) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + room, [&](char* data, std::size_t) { return before + fill(data + before, room); });
}

/// Output that ends at a cap. Room() is one byte more than the cap leaves, so that growing past it can be seen.
class CappedOutput {
 public:
  CappedOutput(std::string& out, std::size_t bytes_max) : out_(out), start_(out.size()), bytes_max_(bytes_max) {}

  std::size_t Left() const { return bytes_max_ - (out_.size() - start_); }
  bool PastCap() const { return out_.size() - start_ > bytes_max_; }
  Status PastCapError() const {
    return Status(Code::kCorruption, fmt::format("decompressed data would exceed {} bytes", bytes_max_));
  }

  /// Runs `fill` on the next `step` bytes of room, or on what the cap leaves.
  template <typename Fill>
  void Step(Fill fill, std::size_t step = kStepBytes) {
    SLUICE_DCHECK(!PastCap());
    const std::size_t left = Left();
    AppendInPlace(out_, left < step ? left + 1 : step, fill);
  }
  /// Runs `fill` on exactly `size` bytes of room, which the cap must leave.
  template <typename Fill>
  void Exactly(std::size_t size, Fill fill) {
    SLUICE_CHECK(size <= Left());
    AppendInPlace(out_, size, fill);
  }

 private:
  std::string& out_;
  const std::size_t start_;
  const std::size_t bytes_max_;
};

Status Damaged(Compression compression, std::string_view what) {
  return Status(Code::kCorruption, fmt::format("{} data is damaged: {}", CompressionName(compression), what));
}

// ---- gzip
// --------------------------------------------------------------------------------------------------------------

struct GzipEncoder {
  isal_zstream stream;
  std::array<std::uint8_t, ISAL_DEF_LVL1_DEFAULT> level_memory;
};

void CompressGzip(std::string_view input, std::string& out) {
  thread_local const auto encoder = std::make_unique<GzipEncoder>();
  isal_zstream& stream = encoder->stream;
  isal_deflate_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.level = kGzipLevel;
  stream.level_buf = encoder->level_memory.data();
  stream.level_buf_size = static_cast<std::uint32_t>(encoder->level_memory.size());
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<std::uint32_t>(input.size());
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  while (stream.internal_state.state != ZSTATE_END) {
    AppendInPlace(out, std::max<std::size_t>(input.size() / 2, 4096), [&](char* to, std::size_t room) {
      stream.next_out = reinterpret_cast<std::uint8_t*>(to);
      stream.avail_out = static_cast<std::uint32_t>(room);
      SLUICE_CHECK(isal_deflate(&stream) == COMP_OK);
      return room - stream.avail_out;
    });
  }
}

Status DecompressGzip(std::string_view input, CappedOutput& output) {
  // zlib here, not ISA-L: this side reads what strangers wrote, and zlib is the decoder that the most strangers have
  // tried.
  z_stream stream{};
  constexpr int kGzipWindowBits = 15 + 16;
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK)
    return Status(Code::kResourceExhausted, "no memory to read gzip data");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> cleanup(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  while (true) {
    int outcome = Z_OK;
    std::size_t written = 0;
    const uInt unread_before = stream.avail_in;
    output.Step([&](char* to, std::size_t room) {
      stream.next_out = reinterpret_cast<Bytef*>(to);
      stream.avail_out = static_cast<uInt>(room);
      outcome = inflate(&stream, Z_NO_FLUSH);
      return written = room - stream.avail_out;
    });
    if (output.PastCap()) return output.PastCapError();
    if (outcome == Z_STREAM_END) {
      if (stream.avail_in == 0) return Status();
      if (inflateReset(&stream) != Z_OK) return Damaged(Compression::kGzip, "a member cannot be started");
    } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      return Damaged(Compression::kGzip, stream.msg != nullptr ? stream.msg : "not a gzip member");
    } else if (written == 0 && stream.avail_in == unread_before) {
      return Damaged(Compression::kGzip, "it ends early");
    }
  }
}

// ---- snappy
// ------------------------------------------------------------------------------------------------------------

void CompressSnappy(std::string_view input, std::string& out) {
  AppendInPlace(out, kXerialHeaderSize, [](char* to, std::size_t room) {
    std::copy(kXerialMagic.begin(), kXerialMagic.end(), to);
    StoreBigEndian(to + 8, kXerialVersion);
    StoreBigEndian(to + 12, kXerialVersion);
    return room;
  });
  for (; !input.empty(); input.remove_prefix(std::min(input.size(), kXerialBlockBytes))) {
    const std::string_view block = input.substr(0, kXerialBlockBytes);
    AppendInPlace(out, 4 + snappy::MaxCompressedLength(block.size()), [&](char* to, std::size_t) {
      std::size_t size = 0;
      snappy::RawCompress(block.data(), block.size(), to + 4, &size);
      StoreBigEndian(to, static_cast<std::uint32_t>(size));
      return 4 + size;
    });
  }
}

Status DecompressSnappyBlock(std::string_view block, CappedOutput& output) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size)) {
    return Damaged(Compression::kSnappy, "a block does not state its length");
  }
  if (size > output.Left()) return output.PastCapError();
  bool sound = false;
  output.Exactly(size, [&](char* to, std::size_t room) {
    sound = snappy::RawUncompress(block.data(), block.size(), to);
    return sound ? room : 0;
  });
  return sound ? Status() : Damaged(Compression::kSnappy, "a block does not decode");
}

Status DecompressSnappy(std::string_view input, CappedOutput& output) {
  if (!input.starts_with(kXerialMagic)) return DecompressSnappyBlock(input, output);
  if (input.size() < kXerialHeaderSize) return Damaged(Compression::kSnappy, "it ends within its header");
  const auto compatible = LoadBigEndian<std::uint32_t>(input.data() + 12);
  if (compatible > kXerialVersion) {
    return Damaged(Compression::kSnappy, fmt::format("it needs version {}, newer than 1", compatible));
  }
  input.remove_prefix(kXerialHeaderSize);
  while (!input.empty()) {
    if (input.size() < 4) return Damaged(Compression::kSnappy, "it ends within a block's length");
    const std::size_t size = LoadBigEndian<std::uint32_t>(input.data());
    input.remove_prefix(4);
    if (size > input.size()) return Damaged(Compression::kSnappy, "it ends within a block");
    if (Status status = DecompressSnappyBlock(input.substr(0, size), output); !status.ok()) return status;
    input.remove_prefix(size);
  }
  return Status();
}

// ---- lz4
// ---------------------------------------------------------------------------------------------------------------

void CompressLz4(std::string_view input, std::string& out) {
  LZ4F_preferences_t preferences{};
  // Kafka's Java client reads independent blocks only, and writes blocks of 64 KiB.
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  AppendInPlace(out, LZ4F_compressFrameBound(input.size(), &preferences), [&](char* to, std::size_t room) {
    const std::size_t size = LZ4F_compressFrame(to, room, input.data(), input.size(), &preferences);
    SLUICE_CHECK(!LZ4F_isError(size));
    return size;
  });
}

Status DecompressLz4(std::string_view input, CappedOutput& output) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) {
    return Status(Code::kResourceExhausted, "no memory to read lz4 data");
  }
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> cleanup(context,
                                                                                     &LZ4F_freeDecompressionContext);
  while (true) {
    std::size_t hint = 0;
    std::size_t written = 0;
    std::size_t taken = input.size();
    output.Step([&](char* to, std::size_t room) {
      written = room;
      hint = LZ4F_decompress(context, to, &written, input.data(), &taken, nullptr);
      return LZ4F_isError(hint) ? 0 : written;
    });
    if (LZ4F_isError(hint)) return Damaged(Compression::kLz4, LZ4F_getErrorName(hint));
    if (output.PastCap()) return output.PastCapError();
    input.remove_prefix(taken);
    if (hint == 0) return input.empty() ? Status() : Damaged(Compression::kLz4, "bytes follow its frame");
    if (written == 0 && taken == 0) return Damaged(Compression::kLz4, "it ends early");
  }
}

// ---- zstd
// --------------------------------------------------------------------------------------------------------------

void CompressZstd(std::string_view input, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  SLUICE_CHECK(context != nullptr);
  AppendInPlace(out, ZSTD_compressBound(input.size()), [&](char* to, std::size_t room) {
    const std::size_t size = ZSTD_compressCCtx(context.get(), to, room, input.data(), input.size(), kZstdLevel);
    SLUICE_CHECK(!ZSTD_isError(size));
    return size;
  });
}

/// A context for this thread: making one costs more than reading a small batch.
ZSTD_DCtx* ZstdDecoder() {
  thread_local std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(nullptr, &ZSTD_freeDCtx);
  // One that has met a large window keeps that much memory; it is replaced.
  constexpr std::size_t kKeptBytesMax = 1u << 20;
  if (context == nullptr || ZSTD_sizeof_DCtx(context.get()) > kKeptBytesMax) context.reset(ZSTD_createDCtx());
  if (context != nullptr) ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  return context.get();
}

Status DecompressZstd(std::string_view input, CappedOutput& output) {
  ZSTD_DCtx* const context = ZstdDecoder();
  if (context == nullptr) return Status(Code::kResourceExhausted, "no memory to read zstd data");
  // With room for all that a frame says it holds, zstd decodes in one pass and needs no window. What it says may be a
  // lie: the room is bounded by the cap, and not touched before it is decoded into.
  const auto stated = ZSTD_getFrameContentSize(input.data(), input.size());
  const std::size_t step = stated <= output.Left() ? std::max<std::size_t>(stated, kStepBytes) : kStepBytes;
  ZSTD_inBuffer in{input.data(), input.size(), 0};
  while (true) {
    std::size_t hint = 0;
    std::size_t written = 0;
    const std::size_t taken_before = in.pos;
    output.Step(
        [&](char* to, std::size_t room) {
          ZSTD_outBuffer piece{to, room, 0};
          hint = ZSTD_decompressStream(context, &piece, &in);
          return written = ZSTD_isError(hint) ? 0 : piece.pos;
        },
        step);
    if (ZSTD_isError(hint)) return Damaged(Compression::kZstd, ZSTD_getErrorName(hint));
    if (output.PastCap()) return output.PastCapError();
    if (hint == 0 && in.pos == in.size) return Status();
    if (written == 0 && in.pos == taken_before) return Damaged(Compression::kZstd, "it ends early");
  }
}

}  // namespace

std::string_view CompressionName(Compression compression) {
  const auto index = static_cast<std::size_t>(compression);
  return index < kNames.size() ? kNames[index] : "unknown compression";
}

Result<Compression> ParseCompression(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    return Error(Code::kInvalidArgument,
                 fmt::format("unknown compression '{}': use none, gzip, snappy, lz4 or zstd", name));
  }
  return static_cast<Compression>(found - kNames.begin());
}

void Compress(Compression compression, std::string_view input, std::string& out) {
  SLUICE_CHECK(input.size() <= kCompressInputBytesMax);
  switch (compression) {
    case Compression::kNone:
      out.append(input);
      return;
    case Compression::kGzip:
      return CompressGzip(input, out);
    case Compression::kSnappy:
      return CompressSnappy(input, out);
    case Compression::kLz4:
      return CompressLz4(input, out);
    case Compression::kZstd:
      return CompressZstd(input, out);
  }
  SLUICE_CHECK(false);  // a compression that does not exist
}

Status Decompress(Compression compression, std::string_view input, std::size_t bytes_max, std::string& out) {
  if (input.size() > kCompressInputBytesMax)
    return Status(Code::kInvalidArgument, "compressed data of more than 1 GiB");
  CappedOutput output(out, bytes_max);
  const std::size_t size_before = out.size();
  Status status(Code::kCorruption, fmt::format("compression number {} does not exist", static_cast<int>(compression)));
  switch (compression) {
    case Compression::kNone:
      status = input.size() <= bytes_max ? Status() : output.PastCapError();
      if (status.ok()) out.append(input);
      break;
    case Compression::kGzip:
      status = DecompressGzip(input, output);
      break;
    case Compression::kSnappy:
      status = DecompressSnappy(input, output);
      break;
    case Compression::kLz4:
      status = DecompressLz4(input, output);
      break;
    case Compression::kZstd:
      status = DecompressZstd(input, output);
      break;
  }
  if (!status.ok()) out.resize(size_before);
  return status;
}

}  // namespace sluice::protocol
