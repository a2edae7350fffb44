// Every byte: what is a letter or digit, and what becomes small.
#include "protocol/ascii.h"

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

TEST_CASE("Ascii: classes and small letters of all bytes", "[protocol]") {
  const std::string digits = "0123456789";
  const std::string small = "abcdefghijklmnopqrstuvwxyz";
  const std::string large = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    CAPTURE(byte);
    CHECK(IsDigit(c) == digits.contains(c));
    CHECK(IsLetter(c) == (small.contains(c) || large.contains(c)));
    CHECK(IsLetterOrDigit(c) == (IsLetter(c) || IsDigit(c)));
    const std::size_t place = large.find(c);
    CHECK(Lower(c) == (place == large.npos ? c : small[place]));
  }
  CHECK(Lower("X-Amz-\xC3\x84") == "x-amz-\xC3\x84");
}

}  // namespace
}  // namespace sluice::protocol
