// CRC32C against published values (RFC 3720, appendix B.4).
#include "protocol/crc32c.h"

#include <string>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

TEST_CASE("Crc32c: gives the published values", "[protocol]") {
  CHECK(Crc32c("") == 0);
  CHECK(Crc32c("123456789") == 0xE3069283);
  CHECK(Crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(Crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
}

TEST_CASE("Crc32c: continues from an earlier part", "[protocol]") {
  CHECK(Crc32c("56789", Crc32c("1234")) == 0xE3069283);
}

}  // namespace
}  // namespace sluice::protocol
