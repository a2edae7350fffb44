// The backup of one delivery: the source records of its ranges as they came, before any processing, one after another
// in objects of the size that the configuration wants. Every destination can have one: it is given the records that the
// destination's pipeline is given.
//
// The keys are the intent's, so a delivery that is done again writes the same bytes under the same keys.
//
// One thread at a time. Memory: what one raw object writer buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "broker/delivery/data_output.h"
#include "broker/delivery/delivery_state.h"
#include "broker/delivery/object_writer.h"
#include "sluice/status.h"

namespace sluice::delivery {

class BackupOutput {
 public:
  /// `parts` outlive it.
  explicit BackupOutput(const ObjectParts& parts);

  /// False where the delivery has no backup: then Append and Finish do nothing.
  bool wanted() const { return !parts_.intent.backup_keys.empty(); }
  Status Append(std::span<const RecordRef> records);
  /// After the last record: all objects are durable, and in `entry`.
  Status Finish(LedgerEntry& entry);

 private:
  Status OpenFor(std::size_t part);
  Status Open();
  Status Close();
  std::size_t PlaceOfNext() const;

  const ObjectParts& parts_;
  std::uint64_t object_bytes_ = 0;
  std::uint64_t bytes_ = 0;  // of the records so far
  std::size_t part_ = 0;     // of the object that is open
  std::unique_ptr<ObjectSpool> spool_;
  std::unique_ptr<ObjectWriter> writer_;  // writes to spool_
  std::vector<DeliveredObject> done_;
};

}  // namespace sluice::delivery
