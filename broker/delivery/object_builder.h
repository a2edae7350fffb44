// Makes the objects of one intent and puts them in the lake: reads the range again, converts it, writes data and error
// object. Everything is a pure function of intent, configuration, schema and records, so that doing it again changes
// nothing.
//
// One thread at a time. Memory: one read and what the object writer buffers.
#pragma once

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/delivery_state.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/record_source.h"
#include "broker/delivery/schema.h"
#include "sluice/status.h"

namespace sluice::delivery {

class ObjectBuilder {
 public:
  /// All outlive the builder. `schema` is the version that the intent pins; not used without conversion.
  ObjectBuilder(const DeliveryConfig& config, const Schema& schema, RecordSource& source, ObjectStore& objects);

  /// Returns when all objects are durable, with what the ledger shall say.
  Result<LedgerEntry> Build(const Intent& intent);

 private:
  class Output;
  const DeliveryConfig& config_;
  const Schema& schema_;
  RecordSource& source_;
  ObjectStore& objects_;
};

}  // namespace sluice::delivery
