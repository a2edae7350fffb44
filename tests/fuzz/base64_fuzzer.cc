// Base64: what is decoded encodes to what it was.
#include "protocol/base64.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  const std::string_view input = sluice::fuzz::Input(data, size);
  const auto decoded = DecodeBase64(input);
  SLUICE_CHECK(decoded.has_value() == IsBase64(input));
  SLUICE_CHECK(!decoded || EncodeBase64(*decoded) == input);
  SLUICE_CHECK(DecodeBase64(EncodeBase64(input)) == input);
  if (!decoded) return 0;
  SLUICE_CHECK(Base64DecodedBytes(input) == decoded->size());
  std::string in_place(decoded->size(), '?');
  DecodeBase64To(input, in_place.data());
  SLUICE_CHECK(in_place == *decoded);
  return 0;
}
