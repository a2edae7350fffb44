// Makes the objects of one intent and puts them in the lake: reads its ranges again, or the error records that it
// replays, processes and converts it, writes data and error objects and the backup, and dead letters last of all.
// Everything is a pure function of intent, configuration, schema and records, so that doing it again changes nothing.
//
// One thread at a time. Memory: one read, what the object writer buffers, and what staged_output.h says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "broker/delivery/backup_output.h"
#include "broker/delivery/build_counts.h"
#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/record_source.h"
#include "broker/delivery/schema.h"
#include "broker/delivery/staged_output.h"
#include "sluice/status.h"

namespace sluice::delivery {

class ObjectBuilder {
 public:
  /// All outlive the builder. `schema` is the version that the intent pins; not used without conversion.
  ObjectBuilder(const DeliveryTerms& terms, const Schema& schema, ProcessorHost& host, ObjectStore& objects,
                StagingParts staging);

  /// Returns when all objects are durable, and loaded where there is a cluster to load them into, with what the ledger
  /// shall say.
  Result<LedgerEntry> Build(const Intent& intent);

  /// The schema, widened by the fields that did not fit; nullopt where all did or nothing is inferred.
  const std::optional<Schema>& wanted() const { return wanted_; }
  /// Of a Build that did not fail.
  const BuildCounts& counts() const { return counts_; }
  /// True where Build failed because the log has lost records of the intent and they were given up, or error records
  /// that it replays are not what they were.
  bool records_gone() const { return records_gone_; }

 private:
  Result<LedgerEntry> BuildObjects(const Intent& intent);
  Result<LedgerEntry> BuildAndLoad(const Intent& intent);
  Status ReadAll(const ObjectParts& parts, RecordPipeline::Sink& sink, BackupOutput& backup, SpillCounts& counts);
  Status Replay(const ObjectParts& parts, RecordPipeline::Sink& sink, SpillCounts& counts);
  Status BackUp(const Intent& intent, BackupOutput& backup);
  Status ReadRanges(const Intent& intent, const RecordSource::Visitor& visitor);
  Status ReadRange(const SourceRange& range, const RecordSource::Visitor& visitor);
  Status ReadAll(const Intent& intent, RecordPipeline& pipeline, SpillCounts& counts);
  Status ReadRange(const SourceRange& range, RecordPipeline& pipeline, SpillCounts& counts);
  std::unique_ptr<DeliveryOutput> NewOutput(const ObjectParts& parts);
  Result<SpillCounts> WriteDirectly(const ObjectParts& parts, LedgerEntry& entry);
  Result<SpillCounts> WriteStaged(const ObjectParts& parts, LedgerEntry& entry);
  void Learn(std::span<const RecordRef> records);
  const DeliveryTerms& terms_;
  const Schema& schema_;
  ProcessorHost& host_;
  RecordSource& source_;
  ObjectStore& objects_;
  const StagingParts staging_;
  std::optional<Schema> wanted_;
  BuildCounts counts_;
  bool records_gone_ = false;
};

}  // namespace sluice::delivery
