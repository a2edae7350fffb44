// CRC32C against published values (RFC 3720, appendix B.4).
#include "protocol/crc32c.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

TEST_CASE("Crc32c: gives the published values", "[protocol]") {
  CHECK(Crc32c("") == 0);
  CHECK(Crc32c("123456789") == 0xE3069283);
  CHECK(Crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(Crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
}

/// Bit by bit, as the polynomial is defined.
std::uint32_t Reference(std::string_view bytes) {
  std::uint32_t state = ~std::uint32_t{0};
  for (const char byte : bytes) {
    state ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~state;
}

TEST_CASE("Crc32c: gives what the polynomial says for every length and alignment", "[protocol]") {
  std::string text;
  for (std::uint32_t i = 0; i < 4'200; ++i) text += static_cast<char>(i * 2'654'435'761 >> 24);
  const std::string_view bytes = text;
  std::vector<std::size_t> lengths{2'047, 2'048, 2'049, 4'096};
  for (std::size_t length = 0; length <= 1'000; ++length) lengths.push_back(length);
  for (const std::size_t length : lengths) {
    const std::string_view piece = bytes.substr(length % 64, length);
    CAPTURE(length);
    REQUIRE(Crc32c(piece) == Reference(piece));
  }
}

TEST_CASE("Crc32c: continues from an earlier part", "[protocol]") {
  CHECK(Crc32c("56789", Crc32c("1234")) == 0xE3069283);
}

}  // namespace
}  // namespace sluice::protocol
