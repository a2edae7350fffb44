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

/// Appends the compressed bytes of `input` to `out`: gzip member, Xerial-framed snappy, lz4 frame, zstd frame (what Kafka's
/// own clients write).
void Compress(Compression compression, std::string_view input, std::string& out);

/// Appends the decompressed bytes to `out`. kCorruption where `input` is damaged or would grow past `bytes_max`.
Status Decompress(Compression compression, std::string_view input, std::size_t bytes_max, std::string& out);

}  // namespace sluice::protocol
