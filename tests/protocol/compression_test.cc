// The five compressions: names, round trips, forms of other writers, damage, and bombs.
#include "protocol/compression.h"

#include <string>

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

}  // namespace
}  // namespace sluice::protocol
