// Hex and files for tests.
#include "tests/protocol/bytes.h"

#include <fstream>
#include <sstream>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string FromHex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    const std::size_t digit = kDigits.find(c);
    REQUIRE(digit != std::string_view::npos);
    digits.push_back(static_cast<char>(digit));
  }
  REQUIRE(digits.size() % 2 == 0);
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) bytes.push_back(static_cast<char>(digits[i] << 4 | digits[i + 1]));
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 0xF]);
  }
  return hex;
}

std::string ReadSourceFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  INFO("reading " << path);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace sluice::protocol
