// Record batches: any bytes, once as they are and once with a length and a checksum that fit, so that the fuzzer gets
// past the header. The broker's check and the reader agree on what is a batch; what the reader accepts, the builder can
// write again, and the reader reads the same from that.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "protocol/batch.h"
#include "protocol/crc32c.h"
#include "protocol/endian.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::protocol {
namespace {

/// Reads all records and builds them again, uncompressed; nullopt where the batch is refused.
std::optional<std::string> Rebuild(std::string_view batch) {
  std::string scratch;
  auto reader = BatchReader::Open(batch, scratch);
  if (!reader) return std::nullopt;
  BatchBuilder builder;
  while (true) {
    const auto record = reader->Next();
    if (!record) return std::nullopt;
    if (*record == nullptr) break;
    const RecordView& view = **record;
    builder.Add(view.timestamp_ms, view.key, view.value, view.headers);
  }
  std::string rebuilt;
  builder.Finish(rebuilt);
  return rebuilt;
}

void Check(std::string_view batch) {
  const auto header = VerifyBatch(batch);
  const auto rebuilt = Rebuild(batch);
  std::string scratch;
  if (header) SLUICE_CHECK(CheckRecords(*header, batch, batch.max_size(), scratch).ok() == rebuilt.has_value());
  if (!rebuilt) return;
  // A long input may unfold to more than a batch may be; it then cannot be one again.
  if (rebuilt->size() > kBatchBytesMax) return;
  SLUICE_CHECK(VerifyBatch(*rebuilt).has_value());
  SLUICE_CHECK(!header || VerifyBatch(*rebuilt)->record_count == header->record_count);
  SLUICE_CHECK(Rebuild(*rebuilt) == rebuilt);
}

}  // namespace
}  // namespace sluice::protocol

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol;
  std::string batch(sluice::fuzz::Input(data, size));
  Check(batch);
  if (size < kBatchHeaderSize) return 0;
  StoreBigEndian(batch.data() + 8, static_cast<std::int32_t>(size - 12));
  StoreBigEndian(batch.data() + 17, Crc32c(std::string_view(batch).substr(21)));
  Check(batch);
  return 0;
}
