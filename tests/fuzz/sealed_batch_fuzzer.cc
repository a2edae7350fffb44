// Sealed batches: any bytes, as they are and with the sealed bit, a length and a checksum that fit. Parsing takes
// nothing on trust; what does not carry the tag of the key is never opened; what is sealed here opens again.
#include <algorithm>
#include <string>

#include "protocol/sealed_batch.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::protocol {
namespace {

constexpr ShardId kShard{StreamId(7), ShardIndex(3)};

const SecretKey& Key() {
  static const SecretKey key = SecretKey::FromBytes(std::string(kSecretKeyBytes, 'k'));
  return key;
}

Frame FrameOf(FrameBuffer buffer) {
  return Frame::Seal(std::move(buffer),
                     {.shard = kShard, .base_offset = Offset(5), .record_count = 1, .durable_upto = Offset(5)});
}

Frame FrameOf(std::string_view batch) {
  FrameBuffer buffer(batch.size());
  std::ranges::copy(batch, buffer.batch().begin());
  return FrameOf(std::move(buffer));
}

void CheckForeign(std::string_view batch) {
  const auto seal = ParseSealHeader(batch);
  const auto opened = OpenFrame(FrameOf(batch), Key());
  SLUICE_CHECK(!opened.has_value());
  SLUICE_CHECK(seal.has_value() || opened.error() == seal.error());
}

void CheckRoundTrip(std::string batch) {
  SetSealed(batch, false);
  SetChecksum(batch);
  const auto header = VerifyBatch(batch);
  const Seal seal{.key = Key(), .header = {.key_number = 9, .nonce = {}}};
  FrameBuffer sealed = SealBatch(seal, kShard, batch);
  SLUICE_CHECK(VerifyBatch(sealed.batch_view()).has_value() == header.has_value());
  if (!header) return;
  const auto opened = OpenFrame(FrameOf(std::move(sealed)), Key());
  SLUICE_CHECK(opened.has_value() && opened->batch() == batch);
}

}  // namespace
}  // namespace sluice::protocol

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  std::string batch(sluice::fuzz::Input(data, size));
  if (size < kBatchHeaderSize || size > kBatchBytesMax - kSealOverheadBytes) return -1;
  CheckForeign(batch);
  CheckRoundTrip(batch);
  SetSealed(batch, true);
  SetChecksum(batch);
  CheckForeign(batch);
  return 0;
}
