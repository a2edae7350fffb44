// Sequence numbers: what is read is written back as it was.
#include "protocol/sequence_number.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = sluice::fuzz::Input(data, size);
  const auto number = sluice::protocol::ParseSequenceNumber(input);
  SLUICE_CHECK(!number || ToDecimal(*number) == input);
  return 0;
}
