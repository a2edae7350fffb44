// Where the records of one delivery become data objects.
//
// One thread at a time. Memory: what one object writer buffers.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/error_output.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/object_writer.h"
#include "broker/delivery/processing/processor.h"
#include "broker/delivery/schema.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// What all objects of one delivery are made with; everything outlives them.
struct ObjectParts {
  const DeliveryTerms& terms;
  const Intent& intent;
  const Schema& schema;  // that the intent pins
  const SourceStream& stream;
  ObjectStore& objects;
  ErrorOutput& errors;
  std::function<void(std::span<const RecordRef>)> learn;  // told of records with fields that did not fit
};

class DataOutput {
 public:
  virtual ~DataOutput() = default;
  /// `work` are the same records with their sources and keys; empty where they are as they were in the log.
  virtual Status Append(std::span<const RecordRef> records, std::span<const WorkRecord> work) = 0;
  /// Puts the objects into the lake and into `entry`, with what is counted in them.
  virtual Status Finish(LedgerEntry& entry) = 0;
};

/// One object under `key`; none where no record becomes a row.
class DataObject : public DataOutput {
 public:
  DataObject(const ObjectParts& parts, std::string key) : parts_(parts), key_(std::move(key)) {}

  /// Before all else.
  Status Open();
  Status Append(std::span<const RecordRef> records, std::span<const WorkRecord> work) override;
  Status Finish(LedgerEntry& entry) override;

 private:
  const ObjectParts& parts_;
  const std::string key_;
  std::unique_ptr<ObjectSpool> spool_;
  std::unique_ptr<ObjectWriter> writer_;  // writes to spool_
};

}  // namespace sluice::delivery
