// Base64 against OpenSSL's, which knows no AVX2, and against every wrong byte in every place.
#include "protocol/base64.h"

#include <openssl/evp.h>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

std::string SomeBytes(std::size_t size) {
  std::string bytes;
  for (std::uint32_t i = 0; i < size; ++i) bytes += static_cast<char>((i + size) * 2'654'435'761 >> 24);
  return bytes;
}

std::string ByOpenSsl(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

TEST_CASE("EncodeBase64, DecodeBase64: every length", "[protocol]") {
  for (std::size_t size = 0; size <= 300; ++size) {
    CAPTURE(size);
    const std::string bytes = SomeBytes(size);
    const std::string text = ByOpenSsl(bytes);
    REQUIRE(EncodeBase64(bytes) == text);
    REQUIRE(IsBase64(text));
    REQUIRE(Base64DecodedBytes(text) == size);
    REQUIRE(DecodeBase64(text) == bytes);
    std::string in_place(size + 1, '!');
    DecodeBase64To(text, in_place.data());
    REQUIRE(in_place == bytes + '!');  // no byte behind the end
  }
}

TEST_CASE("DecodeBase64: every byte that is no digit, in every place", "[protocol]") {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string good = EncodeBase64(SomeBytes(96));  // no padding
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[place] = static_cast<char>(byte);
      const bool is_digit = kDigits.contains(text[place]);
      if (text[place] == '=' && place + 1 == good.size()) continue;  // padding
      CAPTURE(place, byte);
      REQUIRE(IsBase64(text) == is_digit);
      REQUIRE(DecodeBase64(text).has_value() == is_digit);
    }
  }
}

TEST_CASE("IsBase64: neither missing padding, nor too much, nor stray bits", "[protocol]") {
  for (const std::string_view text : {"Zg==", "Zm8=", "Zm9v", ""}) CHECK(IsBase64(text));
  for (const std::string_view text :
       {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=", "Zg==Zg==", "Zm8=Zm9v", "Zm9v\n"}) {
    CAPTURE(text);
    CHECK_FALSE(IsBase64(text));
    CHECK_FALSE(DecodeBase64(text).has_value());
  }
}

}  // namespace
}  // namespace sluice::protocol
