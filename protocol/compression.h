// The five compressions of a record batch, numbered as Kafka numbers them. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::protocol {

enum class Compression : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

std::string_view CompressionName(Compression compression);
Result<Compression> ParseCompression(std::string_view name);

/// More than this in one piece is not compressed or decompressed (the libraries count in 32 bits).
inline constexpr std::size_t kCompressInputBytesMax = 1u << 30;

/// Appends the compressed bytes of `input` to `out`: gzip member, Xerial-framed snappy, lz4 frame, zstd frame (what
/// Kafka's own clients write).
void Compress(Compression compression, std::string_view input, std::string& out);

/// Appends the decompressed bytes to `out`, `bytes_max` of them at most. kCorruption where `input` is damaged, is
/// followed by other bytes or would grow past `bytes_max`; `out` is then as it was. Reads what Compress writes, and
/// plain snappy blocks.
Status Decompress(Compression compression, std::string_view input, std::size_t bytes_max, std::string& out);

}  // namespace sluice::protocol
