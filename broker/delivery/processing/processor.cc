// The batch that goes through the processors.
#include "broker/delivery/processing/processor.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "protocol/check.h"

namespace sluice::delivery {

bool SameLogRecord(const WorkRecord& left, const RecordRef& right) {
  return left.record.shard == right.shard && left.record.offset == right.offset;
}

/// The first part has the place of the whole, the others have new ones: however often a record of the log is split, no
/// two of what comes of it have the same.
void AddParts(const WorkRecord& whole, std::span<const std::string_view> parts, std::vector<WorkRecord>& out) {
  SLUICE_CHECK(parts.size() <= kPartsMax);
  SLUICE_CHECK(whole.next_part != nullptr);
  bool first = true;
  for (const std::string_view part : parts) {
    WorkRecord& added = out.emplace_back(whole);
    added.record.value = part;
    if (parts.size() == 1) continue;
    added.record.sub_sequence = first ? whole.record.sub_sequence.value_or(0) : (*whole.next_part)++;
    added.source = part;
    first = false;
  }
}

void WorkBatch::Add(const RecordRef& record) {
  if (records.empty() || !SameLogRecord(records.back(), record)) next_parts_.push_back(0);
  next_parts_.back() = record.sub_sequence.value_or(0) + 1;
  RecordRef kept = record;
  kept.value = Keep(record.value);
  kept.key = Keep(record.key);
  records.push_back({.record = kept, .source = kept.value, .next_part = &next_parts_.back()});
}

void WorkBatch::Fail(const WorkRecord& record, std::string_view error_type, std::string code, std::string message) {
  RecordRef source = record.record;
  source.value = record.source;
  failures.push_back({source, error_type, std::move(code), std::move(message)});
}

std::string_view WorkBatch::Keep(std::string_view bytes) {
  char* const kept = static_cast<char*>(memory_.allocate(bytes.size() + kPadding, 1));
  std::fill_n(std::copy(bytes.begin(), bytes.end(), kept), kPadding, '\0');
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
  next_parts_.clear();
}

}  // namespace sluice::delivery
