// What the SDK's consumer makes of an answer to a read: the input is a batch, put into a frame whose checksums hold.
// Offsets that come out are dense, and none is outside the frame.
#include "client/answer_decoder.h"
#include "protocol/endian.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::client {
namespace {

constexpr std::uint64_t kBaseOffset = 100;
constexpr std::size_t kRecordCountAt = 57;

void Check(std::uint64_t wanted, bool right_count, std::string_view batch) {
  if (batch.size() < protocol::kBatchHeaderSize || batch.size() > protocol::kBatchBytesMax) return;
  protocol::FrameHeader header;
  header.shard = {StreamId(7), ShardIndex(1)};
  header.base_offset = Offset(kBaseOffset);
  header.record_count = right_count ? protocol::LoadBigEndian<std::uint32_t>(batch.data() + kRecordCountAt) : 3;
  if (header.record_count == 0) return;
  protocol::FrameBuffer buffer(batch.size());
  std::copy(batch.begin(), batch.end(), buffer.batch().begin());
  protocol::SetChecksum(buffer.batch());
  AnswerDecoder decoder(header.shard, wanted, std::string(protocol::Frame::Seal(std::move(buffer), header).bytes()));
  ConsumedRecord record;
  for (std::uint64_t next = std::max(wanted, kBaseOffset);; ++next) {
    const Result<bool> taken = decoder.Next(record);
    if (!taken || !*taken) return;
    SLUICE_CHECK(record.offset == next);
    SLUICE_CHECK(record.offset < header.end_offset().value);
  }
}

}  // namespace
}  // namespace sluice::client

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input = sluice::fuzz::Input(data, size);
  sluice::client::Check(100 + data[0] % 8, data[0] < 0x80, input.substr(1));
  return 0;
}
