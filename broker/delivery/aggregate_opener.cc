// Records without an aggregate among them pass without a copy.
#include "broker/delivery/aggregate_opener.h"

#include <algorithm>
#include <optional>

namespace sluice::delivery {
namespace {

constexpr std::size_t kRecordsAtOnce = 4096;  // an aggregate may hold a million small ones

}  // namespace

Status AggregateOpener::Open(std::span<const RecordRef> records, const RecordSource::Visitor& visitor) {
  if (!enabled_ || std::ranges::none_of(records, protocol::MayBeKplAggregate, &RecordRef::value)) {
    return visitor(records);
  }
  opened_.clear();
  for (const RecordRef& record : records) {
    if (Status status = OpenOne(record, visitor); !status.ok()) return status;
  }
  return Flush(visitor);
}

Status AggregateOpener::OpenOne(const RecordRef& record, const RecordSource::Visitor& visitor) {
  const std::optional<std::vector<protocol::KplRecord>> inside = protocol::OpenKplAggregate(record.value);
  if (!inside || inside->empty()) return Add(record, visitor);
  std::uint64_t number = 0;
  for (const protocol::KplRecord& one : *inside) {
    RecordRef user_record = record;
    user_record.value = one.data;
    user_record.key = one.partition_key;
    user_record.sub_sequence = number++;
    if (Status status = Add(user_record, visitor); !status.ok()) return status;
  }
  return Status();
}

Status AggregateOpener::Add(const RecordRef& record, const RecordSource::Visitor& visitor) {
  opened_.push_back(record);
  return opened_.size() < kRecordsAtOnce ? Status() : Flush(visitor);
}

Status AggregateOpener::Flush(const RecordSource::Visitor& visitor) {
  if (opened_.empty()) return Status();
  Status status = visitor(opened_);
  opened_.clear();
  return status;
}

}  // namespace sluice::delivery
