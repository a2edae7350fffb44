// Walks the record lengths of a batch without looking into the records: a few nanoseconds each.
#include "broker/batch_limits.h"

#include <fmt/format.h>

namespace sluice::broker {
namespace {

// What the encoding of a record may add to its key, value and headers, which the limit is about: the lengths of key and
// value, the deltas of timestamp and offset, attributes and the number of headers.
constexpr std::uint64_t kRecordFramingBytes = 64;

// Takes one zigzag varint off `bytes`; false where there is none.
bool TakeVarint(std::string_view& bytes, std::int64_t& value) {
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 5; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    raw |= std::uint64_t{byte & 0x7fu} << (7 * i);
    if (byte >= 0x80) continue;
    bytes.remove_prefix(i + 1);
    value = static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
    return true;
  }
  return false;
}

Status CheckRecords(std::string_view records, std::int32_t record_count, std::uint64_t record_bytes_max) {
  for (std::int32_t i = 0; i < record_count; ++i) {
    std::int64_t length = 0;
    if (!TakeVarint(records, length) || length < 0 || static_cast<std::uint64_t>(length) > records.size()) {
      return Status(Code::kCorruption,
                    fmt::format("record {} of {} of the batch does not fit into it", i, record_count));
    }
    if (static_cast<std::uint64_t>(length) > record_bytes_max + kRecordFramingBytes) {
      return Status(Code::kInvalidArgument, fmt::format("record {} of the batch has {} bytes, over the limit of {} "
                                                        "(append.record_bytes_max); send it in pieces",
                                                        i, length, record_bytes_max));
    }
    records.remove_prefix(static_cast<std::size_t>(length));
  }
  if (!records.empty()) {
    return Status(Code::kCorruption, fmt::format("the batch has {} bytes after its last record", records.size()));
  }
  return {};
}

}  // namespace

Result<protocol::BatchHeader> CheckBatch(std::string_view batch, std::uint64_t batch_bytes_max,
                                         std::uint64_t record_bytes_max) {
  if (batch.size() > batch_bytes_max) {
    return Error(Code::kInvalidArgument,
                 fmt::format("the batch has {} bytes, over the limit of {} (append.batch_bytes_max); "
                             "send smaller batches",
                             batch.size(), batch_bytes_max));
  }
  auto header = protocol::VerifyBatch(batch);
  if (!header || header->compression() != protocol::Compression::kNone) return header;
  const std::string_view records = batch.substr(protocol::kBatchHeaderSize);
  if (Status status = CheckRecords(records, header->record_count, record_bytes_max); !status.ok()) return Error(status);
  return header;
}

}  // namespace sluice::broker
