// Base64: what is decoded encodes to what it was.
#include "protocol/base64.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  const std::string_view input = sluice::fuzz::Input(data, size);
  const auto decoded = DecodeBase64(input);
  SLUICE_CHECK(!decoded || EncodeBase64(*decoded) == input);
  SLUICE_CHECK(DecodeBase64(EncodeBase64(input)) == input);
  return 0;
}
