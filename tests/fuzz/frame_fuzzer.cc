// Frames: any bytes as they are; and the part behind the header as the batch of a frame that is sealed with the
// header's fields, which must then verify, and must not with any one bit flipped.
#include <algorithm>
#include <string>

#include "protocol/frame.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::protocol {
namespace {

void CheckSealed(const FrameHeader& header, std::string_view payload) {
  FrameBuffer buffer(payload.size());
  std::copy(payload.begin(), payload.end(), buffer.batch().begin());
  SetChecksum(buffer.batch());
  const Frame frame = Frame::Seal(std::move(buffer), header);
  const auto verified = VerifyFrame(frame.bytes());
  SLUICE_CHECK(verified.has_value());
  SLUICE_CHECK(verified->shard == header.shard && verified->base_offset == header.base_offset);
  SLUICE_CHECK(verified->total_size() == frame.size());
  std::string flipped(frame.bytes());
  flipped[header.base_offset.value % flipped.size()] ^= 0x10;
  SLUICE_CHECK(!VerifyFrame(flipped).has_value());
}

}  // namespace
}  // namespace sluice::protocol

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  const std::string_view input = sluice::fuzz::Input(data, size);
  const auto header = ParseFrameHeader(input);
  const auto verified = VerifyFrame(input);
  SLUICE_CHECK(!verified || header.has_value());
  SLUICE_CHECK(!verified || verified->total_size() <= size);
  if (header && input.size() - kFrameHeaderSize == header->payload_bytes) {
    CheckSealed(*header, input.substr(kFrameHeaderSize));
  }
  return 0;
}
