// Size, checksum, records.
#include "broker/batch_limits.h"

#include <fmt/format.h>

namespace sluice::broker {
namespace {

// What most batches decompress to; memory beyond it is given back.
constexpr std::size_t kScratchBytesKept = 1u << 20;

}  // namespace

Result<protocol::BatchHeader> CheckBatch(std::string_view batch, std::uint64_t batch_bytes_max,
                                         std::uint64_t record_bytes_max, std::string& scratch) {
  if (batch.size() > batch_bytes_max) {
    return Error(Code::kInvalidArgument,
                 fmt::format("the batch has {} bytes, over the limit of {} (append.batch_bytes_max); "
                             "send smaller batches",
                             batch.size(), batch_bytes_max));
  }
  auto header = protocol::VerifyBatch(batch);
  if (!header) return header;
  Status status = protocol::CheckRecords(*header, batch, record_bytes_max, scratch);
  if (scratch.capacity() > kScratchBytesKept) std::string().swap(scratch);
  if (!status.ok()) return Error(std::move(status));
  return header;
}

}  // namespace sluice::broker
