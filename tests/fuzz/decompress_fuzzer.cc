// The decompressors: the first byte chooses one, the rest is its input. Output stays below the cap, and what was
// decompressed comes back after compressing it.
#include <string>

#include "protocol/compression.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  constexpr std::size_t kCapBytes = 1u << 20;
  if (size == 0) return 0;
  const auto compression = static_cast<Compression>(data[0] % 8);  // three of the eight do not exist
  std::string output;
  const sluice::Status status = Decompress(compression, sluice::fuzz::Input(data, size).substr(1), kCapBytes, output);
  SLUICE_CHECK(status.ok() || output.empty());
  SLUICE_CHECK(output.size() <= kCapBytes);
  if (!status.ok()) return 0;
  std::string compressed;
  Compress(compression, output, compressed);
  std::string again;
  SLUICE_CHECK(Decompress(compression, compressed, output.size(), again).ok());
  SLUICE_CHECK(again == output);
  return 0;
}
