// The native protocol's header and its control messages on the data path. What is decoded is encoded and decoded to the
// same.
#include "protocol/crc32c.h"
#include "protocol/endian.h"
#include "protocol/native/data_messages.h"
#include "protocol/native/wire.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::protocol::wire {
namespace {

template <typename Decode>
void CheckControl(std::string_view control, Decode decode) {
  const auto message = decode(control);
  if (!message) return;
  const auto again = decode(Encode(*message).view());
  SLUICE_CHECK(again.has_value());
  SLUICE_CHECK(*again == *message);
}

void CheckMessage(std::string_view input) {
  const auto header = DecodeHeader(input);
  if (!header) return;
  SLUICE_CHECK(header->control_bytes <= kControlBytesMax);
  SLUICE_CHECK(header->body_bytes <= kBodyBytesMax);
  const std::string_view control = input.substr(kHeaderSize, header->control_bytes);
  if (control.size() < header->control_bytes) return;
  // With the checksum that the encoder gives, the same header must pass.
  const HeaderBytes bytes = EncodeHeader(*header, control);
  const std::string_view encoded(bytes.data(), bytes.size());
  const auto again = DecodeHeader(encoded);
  SLUICE_CHECK(again.has_value());
  SLUICE_CHECK(VerifyControl(*again, encoded, control).ok());
  SLUICE_CHECK(again->total_size() == header->total_size());
}

}  // namespace
}  // namespace sluice::protocol::wire

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol::wire;
  const std::string_view input = sluice::fuzz::Input(data, size);
  if (size >= kHeaderSize) CheckMessage(input);
  CheckControl(input, DecodeAppendRequest);
  CheckControl(input, DecodeAppendResponse);
  CheckControl(input, DecodeReadRequest);
  CheckControl(input, DecodeReadResponse);
  return 0;
}
