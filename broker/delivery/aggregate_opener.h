// Takes apart the records that the Kinesis Producer Library has packed into one, on their way to the lake: each packed
// record (user record) is a record of its own there, as behind Firehose.
//
// A record that only begins as an aggregate, or whose inside is broken, goes on as it is, and so does an aggregate of
// nothing: every record of the log comes out as at least one. All records of an aggregate keep its shard, offset and
// time, and are told apart by their place in it (RecordRef::sub_sequence).
//
// One thread at a time. Memory: the views of one aggregate's records.
#pragma once

#include <span>
#include <vector>

#include "broker/delivery/object_writer.h"
#include "broker/delivery/record_source.h"
#include "protocol/kpl_aggregate.h"
#include "sluice/status.h"

namespace sluice::delivery {

class AggregateOpener {
 public:
  /// Where `enabled` is false, records pass as they are.
  explicit AggregateOpener(bool enabled) : enabled_(enabled) {}

  /// Gives the records on in their order, some at a time. What the visitor returns ends it.
  Status Open(std::span<const RecordRef> records, const RecordSource::Visitor& visitor);

 private:
  Status OpenOne(const RecordRef& record, const RecordSource::Visitor& visitor);
  Status Add(const RecordRef& record, const RecordSource::Visitor& visitor);
  Status Flush(const RecordSource::Visitor& visitor);

  const bool enabled_;
  std::vector<RecordRef> opened_;  // not yet given on; empty between calls
};

}  // namespace sluice::delivery
