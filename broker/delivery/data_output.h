// Where the records of one delivery become objects.
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
#include "broker/delivery/processing/record_pipeline.h"
#include "broker/delivery/schema.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// What all objects of one delivery are made with; everything outlives them.
struct ObjectParts {
  const DeliveryTerms& terms;
  const Intent& intent;
  const Schema& schema;  // that the intent pins
  SourceStream& stream;  // a replay adds shards that are forgotten
  ObjectStore& objects;
  ErrorOutput& errors;
  std::function<void(std::span<const RecordRef>)> learn;  // told of records with fields that did not fit
};

/// Takes what comes out of the pipeline.
class DeliveryOutput : public RecordPipeline::Sink {
 public:
  /// Before all else.
  virtual Status Open() = 0;
  /// Puts the objects into the lake and into `entry`, with what is counted in them.
  virtual Status Finish(LedgerEntry& entry) = 0;
};

/// One object under `key`; none where no record becomes a row.
class DataObject {
 public:
  /// Of spools with one name there is one at a time.
  DataObject(const ObjectParts& parts, std::string key, std::string spool_name)
      : parts_(parts), key_(std::move(key)), spool_name_(std::move(spool_name)) {}

  Status Open();
  Status Append(std::span<const RecordRef> records, std::span<const WorkRecord> work);
  /// Adds the object to `entry` and gives what is to be put under its key; nullptr where there is no row.
  Result<std::unique_ptr<ObjectSpool>> Close(LedgerEntry& entry);
  const std::string& key() const { return key_; }

 private:
  const ObjectParts& parts_;
  const std::string key_;
  const std::string spool_name_;
  std::unique_ptr<ObjectSpool> spool_;
  std::unique_ptr<ObjectWriter> writer_;  // writes to spool_
};

/// One data object, written while the records come.
class DirectOutput : public DeliveryOutput {
 public:
  explicit DirectOutput(const ObjectParts& parts)
      : parts_(parts), data_(parts, parts.intent.data_key, parts.terms.config.name + ".data") {}

  Status Open() override { return data_.Open(); }
  Status Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) override {
    return data_.Append(records, work);
  }
  Status Failed(const ProcessingFailure& failure) override { return parts_.errors.Add(failure); }
  Status Finish(LedgerEntry& entry) override;

 private:
  const ObjectParts& parts_;
  DataObject data_;
};

}  // namespace sluice::delivery
