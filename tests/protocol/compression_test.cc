// The five compressions: names, round trips, forms of other writers, damage, and bombs.
#include "protocol/compression.h"

#include <string>

#include "protocol/endian.h"
#include "tests/catch.h"

namespace sluice::protocol {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kGzip, Compression::kSnappy, Compression::kLz4,
                                Compression::kZstd};

std::string Text(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "record " + std::to_string(text.size() * 2654435761u) + '\n';
  text.resize(size);
  return text;
}

TEST_CASE("ParseCompression: reads each name and refuses others", "[protocol]") {
  for (const Compression compression : kAll) CHECK(ParseCompression(CompressionName(compression)) == compression);
  const auto unknown = ParseCompression("brotli");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code() == Code::kInvalidArgument);
}

TEST_CASE("Decompress: gives back what Compress took", "[protocol]") {
  for (const Compression compression : kAll) {
    for (const std::size_t size : {0u, 1u, 100u, 32768u, 32769u, 300000u, 3000000u}) {
      INFO(CompressionName(compression) << " " << size);
      const std::string input = Text(size);
      std::string compressed = "before";
      Compress(compression, input, compressed);
      REQUIRE(compressed.starts_with("before"));
      std::string output = "kept";
      const Status status = Decompress(compression, std::string_view(compressed).substr(6), size, output);
      CHECK(status.ToString() == "ok");
      CHECK((output == "kept" + input));
    }
  }
}

TEST_CASE("Decompress: refuses one byte more than the cap", "[protocol]") {
  for (const Compression compression : kAll) {
    for (const std::size_t size : {1u, 100u, 300000u}) {
      INFO(CompressionName(compression) << " " << size);
      std::string compressed;
      Compress(compression, Text(size), compressed);
      std::string output = "kept";
      CHECK(Decompress(compression, compressed, size - 1, output).code() == Code::kCorruption);
      CHECK(output == "kept");
    }
  }
}

TEST_CASE("Decompress: refuses every truncation and leaves the output as it was", "[protocol]") {
  for (const Compression compression :
       {Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd}) {
    std::string compressed;
    Compress(compression, Text(300), compressed);
    for (std::size_t size = 0; size < compressed.size(); ++size) {
      INFO(CompressionName(compression) << " " << size << " of " << compressed.size());
      std::string output = "kept";
      const Status status = Decompress(compression, std::string_view(compressed).substr(0, size), 1000, output);
      // Xerial's framing has no end mark: after its header, before the first block, it is an empty stream.
      const bool empty_stream = compression == Compression::kSnappy && size == 16;
      CHECK(status.ok() == empty_stream);
      CHECK(output == "kept");
    }
  }
}

TEST_CASE("Decompress: refuses bytes after the end", "[protocol]") {
  for (const Compression compression :
       {Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd}) {
    INFO(CompressionName(compression));
    std::string compressed;
    Compress(compression, Text(300), compressed);
    std::string output;
    CHECK_FALSE(Decompress(compression, compressed + "x", 1000, output).ok());
    CHECK_FALSE(Decompress(compression, compressed + std::string(8, '\0'), 1000, output).ok());
  }
}

TEST_CASE("Decompress: survives every flipped bit", "[protocol]") {
  for (const Compression compression :
       {Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd}) {
    std::string compressed;
    Compress(compression, Text(120), compressed);
    for (std::size_t at = 0; at < compressed.size() * 8; ++at) {
      std::string flipped = compressed;
      flipped[at / 8] = static_cast<char>(flipped[at / 8] ^ (1 << at % 8));
      std::string output;
      const Status status = Decompress(compression, flipped, 1000, output);
      CHECK((status.ok() || status.code() == Code::kCorruption));
      CHECK(output.size() <= 1000);
    }
  }
}

TEST_CASE("Compress: writes Xerial's framing of snappy", "[protocol]") {
  std::string compressed;
  Compress(Compression::kSnappy, std::string(32769, 'x'), compressed);
  CHECK(compressed.starts_with(std::string("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16)));
  const auto first = LoadBigEndian<std::uint32_t>(compressed.data() + 16);
  const auto second = LoadBigEndian<std::uint32_t>(compressed.data() + 20 + first);
  CHECK(compressed.size() == 24 + first + second);
}

TEST_CASE("Decompress: reads a plain snappy block", "[protocol]") {
  // Length 3, then a literal of 3 bytes.
  std::string output;
  CHECK(Decompress(Compression::kSnappy,
                   std::string("\x03\x08"
                               "abc"),
                   3, output)
            .ok());
  CHECK(output == "abc");
}

TEST_CASE("Decompress: refuses a newer version of Xerial's framing", "[protocol]") {
  std::string compressed;
  Compress(Compression::kSnappy, "abc", compressed);
  compressed[15] = 2;
  std::string output;
  CHECK(Decompress(Compression::kSnappy, compressed, 3, output).code() == Code::kCorruption);
}

}  // namespace
}  // namespace sluice::protocol
