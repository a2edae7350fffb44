// The objects of a delivery that needs more than one look at its records: with dynamic partitioning, or with a
// processor whose answer may differ the next time.
//
// First all records are set aside (RecordSpill), each with the object that it belongs to; then one object after another
// is written, and put into the lake beside the next ones. Between the two the intent is stored again: with the keys of
// all objects, so that nothing is in the lake that nobody knows of; and, where the processing cannot be repeated, with
// the proof of what was set aside, so that a crash from there on writes the same bytes again.
//
// One thread at a time. Memory: that of the spill, and of one object writer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/concurrent_puts.h"
#include "broker/delivery/data_output.h"
#include "broker/delivery/record_spill.h"
#include "broker/delivery/staging_parts.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// Partitions of one delivery, as their counts stay in memory. What would be another one is an error.
inline constexpr std::size_t kPartitionsMax = 100'000;

/// Whether deliveries of this configuration need it.
bool IsStaged(const DeliveryConfig& config);

class StagedOutput : public DeliveryOutput {
 public:
  /// All outlive it. `next` takes the records that were set aside, in their order; nullptr: they become objects.
  StagedOutput(const ObjectParts& parts, const StagingParts& staging, DeliveryOutput* next = nullptr,
               std::size_t partitions_max = kPartitionsMax);

  /// Takes over what was processed before a crash; false where there is none of it, and the records must come again.
  Result<bool> Resume(SpillCounts& counts);

  Status Open() override { return next_ == nullptr ? Status() : next_->Open(); }
  Status Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) override;
  Status Failed(const ProcessingFailure& failure) override;
  /// After the last record: stores the intent again. `seal`: durably, with these counts.
  Status Stage(bool seal, const SpillCounts& counts);
  Status Finish(LedgerEntry& entry) override;

  /// With dynamic partitioning: how many partitions have records, and how many records had no room for another one.
  std::uint64_t partitions() const;
  std::uint64_t over_partitions_max() const { return over_partitions_max_; }
  /// And the bytes of records of the largest of them.
  std::uint64_t partition_bytes_max() const;

 private:
  struct Partition {
    std::size_t stream = 0;
    std::string problem;  // why none of its records can be delivered; empty: they can
  };
  /// False where the record has no value for a key: then it has failed.
  Result<bool> TakeValues(const RecordRef& record, const WorkRecord* work);
  Status Place(const RecordRef& record, const WorkRecord* work);
  Partition NewPartition(const RecordRef& record);
  /// Empty where the stream is none of an object.
  std::string KeyOf(const SpillStream& stream) const;
  Status WriteObjects(LedgerEntry& entry);
  Status HandOn();
  Status WriteObject(std::size_t stream, ConcurrentPuts& puts, LedgerEntry& entry);
  Status AddErrors(std::size_t stream);
  Status FailRecord(const RecordRef& record, const WorkRecord* work, std::string_view code, std::string message);

  const ObjectParts& parts_;
  const StagingParts& staging_;
  DeliveryOutput* const next_;
  const bool partitioned_;
  const std::uint64_t object_bytes_;
  const std::size_t partitions_max_;
  std::unique_ptr<RecordSpill> spill_;
  std::map<std::string, Partition, std::less<>> partitions_;  // by their values
  std::map<std::string, std::size_t, std::less<>> errors_;    // streams of error lines, by type
  std::vector<std::string_view> values_;                      // of the record in hand
  std::string name_;                                          // of its partition
  std::uint64_t over_partitions_max_ = 0;
};

}  // namespace sluice::delivery
