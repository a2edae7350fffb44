// Decompression bombs: 1 GiB of zeros, small when compressed, is refused at the cap by every decoder, and costs no more
// memory than the cap.
#include <cstdlib>
#include <memory>
#include <string>

#include "protocol/compression.h"
#include "protocol/endian.h"
#include "tests/catch.h"
#include "tests/protocol/bytes.h"

namespace sluice::protocol {
namespace {

constexpr std::size_t kBombBytes = 1u << 30;
constexpr std::size_t kCapBytes = 1u << 20;

/// Zeros that are never written, so that the system need not give memory for them.
std::string Bomb(Compression compression) {
  const std::unique_ptr<char, decltype(&std::free)> zeros(static_cast<char*>(std::calloc(kBombBytes, 1)), &std::free);
  REQUIRE(zeros != nullptr);
  std::string bomb;
  Compress(compression, {zeros.get(), kBombBytes}, bomb);
  bomb.shrink_to_fit();
  return bomb;
}

TEST_CASE("Decompress: refuses 1 GiB of zeros at the cap", "[protocol]") {
  const auto compression = GENERATE(Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd);
  INFO(CompressionName(compression));
  const std::string bomb = Bomb(compression);
  CHECK(bomb.size() < kBombBytes / 20);
  std::string out;
  const Status status = Decompress(compression, bomb, kCapBytes, out);
  CHECK(status.code() == Code::kCorruption);
  CHECK(status.message().find("would exceed 1048576 bytes") != std::string::npos);
  CHECK(out.empty());
  CHECK(out.capacity() <= 4 * kCapBytes);
}

TEST_CASE("Decompress: a length that promises too much costs nothing", "[protocol]") {
  std::string out;
  // Plain snappy: an uncompressed length of 4 GiB - 1, then nothing.
  CHECK(Decompress(Compression::kSnappy, FromHex("ff ff ff ff 0f"), kCapBytes, out).code() == Code::kCorruption);
  // Xerial's framing with a block of the same promise.
  const std::string framed = FromHex("82534e4150505900 00000001 00000001 00000005 ffffffff0f");
  CHECK(Decompress(Compression::kSnappy, framed, kCapBytes, out).code() == Code::kCorruption);
  // zstd: a single-segment frame that states a content of 2^62 bytes.
  const std::string frame = FromHex("28b52ffd e0 0000000000000040 010000");
  CHECK(Decompress(Compression::kZstd, frame, kCapBytes, out).code() == Code::kCorruption);
  CHECK(out.capacity() <= kCapBytes);
}

TEST_CASE("Decompress: members and frames one after another share one cap", "[protocol]") {
  const auto compression = GENERATE(Compression::kGzip, Compression::kZstd);
  const std::string piece(kCapBytes / 2, 'x');
  std::string joined;
  Compress(compression, piece, joined);
  Compress(compression, piece, joined);
  std::string out;
  CHECK(Decompress(compression, joined, kCapBytes, out).ok());
  CHECK((out == piece + piece));
  CHECK(Decompress(compression, joined, kCapBytes - 1, out).code() == Code::kCorruption);
  CHECK((out == piece + piece));
}

}  // namespace
}  // namespace sluice::protocol
