// The batch that goes through the processors.
#include "broker/delivery/processing/processor.h"

#include <cstring>
#include <memory>
#include <optional>

namespace sluice::delivery {
namespace {

/// Where a part of a record stands among all that come of one record of the log: no other has this number. The first
/// level of splitting counts up; a part of what was one of several already has its own count above 32 bits.
std::uint64_t PartNumber(std::optional<std::uint64_t> whole, std::uint64_t part) {
  return whole ? *whole + (part << 32) : part;
}

}  // namespace

void AddParts(const WorkRecord& whole, std::span<const std::string_view> parts, std::vector<WorkRecord>& out) {
  for (std::uint64_t number = 0; const std::string_view part : parts) {
    WorkRecord& added = out.emplace_back(whole);
    added.record.value = part;
    if (parts.size() == 1) continue;
    added.record.sub_sequence = PartNumber(whole.record.sub_sequence, number++);
    added.source = part;
  }
}

void WorkBatch::Fail(const WorkRecord& record, std::string_view error_type, std::string code, std::string message) {
  RecordRef source = record.record;
  source.value = record.source;
  failures.push_back({source, error_type, std::move(code), std::move(message)});
}

std::string_view WorkBatch::Keep(std::string_view bytes) {
  char* const kept = static_cast<char*>(memory_.allocate(bytes.size() + kPadding, 1));
  std::memcpy(kept, bytes.data(), bytes.size());
  std::memset(kept + bytes.size(), 0, kPadding);
  return {kept, bytes.size()};
}

std::span<const PartitionKey> WorkBatch::Keep(std::span<const PartitionKey> keys) {
  if (keys.empty()) return {};
  auto* const kept = static_cast<PartitionKey*>(memory_.allocate(keys.size_bytes(), alignof(PartitionKey)));
  std::uninitialized_copy(keys.begin(), keys.end(), kept);
  return {kept, keys.size()};
}

void WorkBatch::Clear() {
  records.clear();
  failures.clear();
  filtered = 0;
  memory_.release();
}

}  // namespace sluice::delivery
