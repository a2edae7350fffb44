// Records out of gzip.
#include "broker/delivery/processing/decompression.h"

#include "broker/delivery/error_record.h"
#include "protocol/compression.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kType = "Decompression";
constexpr std::string_view kFormat = "CompressionFormat";
constexpr std::string_view kFailedCode = "Decompression failed.";  // with its full stop, as Firehose has it
constexpr std::size_t kDecompressedBytesMax = 64u << 20;
// Gzip makes a thousand bytes of one at most: a batch of small records stays below 16 MiB.
constexpr std::uint64_t kBatchBytes = 16u << 10;
constexpr std::size_t kRoomKeptBytesMax = 4u << 20;

class Decompression : public Processor {
 public:
  Status Process(WorkBatch& batch) override {
    opened_.clear();
    for (WorkRecord& record : batch.records) {
      room_.clear();
      const Status status =
          protocol::Decompress(protocol::Compression::kGzip, record.record.value, kDecompressedBytesMax, room_);
      if (status.code() == Code::kResourceExhausted) return status;
      if (status.ok()) {
        record.record.value = batch.Keep(room_);  // a copy, of just its size
        opened_.push_back(record);
      } else {
        batch.Fail(record, kDecompressionFailed, std::string(kFailedCode), status.message());
      }
      if (room_.capacity() > kRoomKeptBytesMax) room_ = {};
    }
    batch.records.swap(opened_);
    return Status();
  }
  std::uint64_t batch_bytes() const override { return kBatchBytes; }

 private:
  std::string room_;
  std::vector<WorkRecord> opened_;
};

Result<std::unique_ptr<Processor>> Make(const ProcessorConfig& config, const ProcessorContext&) {
  const std::string* const format = config.Find(kFormat);
  if (format != nullptr && *format != "GZIP")
    return Error(Code::kInvalidArgument, "CompressionFormat has to be one of GZIP");
  return std::make_unique<Decompression>();
}

}  // namespace

ProcessorKind DecompressionKind() {
  return {.type = kType, .parameters = {kFormat}, .make = &Make, .entry = PipelineEntry::kPart};
}

}  // namespace sluice::delivery
