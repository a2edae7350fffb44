// Decides what the next delivery is: reads ahead, counts bytes and age, widens the inferred schema, and says when there
// is enough. Once a schema is pinned only a sample of the records is parsed: what it misses is in the overflow column
// of one delivery, which says so (object_builder.h), and a column from the next one on. Nothing is kept but counts: the
// records are read again when the objects are written, exactly as after a crash.
//
// One thread at a time. Memory: one read. After a crash the planner starts anew from the checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/delivery_state.h"
#include "broker/delivery/processing/record_pipeline.h"
#include "broker/delivery/record_source.h"
#include "broker/delivery/schema.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::delivery {

/// What a delivery would hold if it were decided now.
struct DeliveryPlan {
  std::vector<SourceRange> ranges;
  std::vector<LostRange> lost;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_ms = 0;        // append time of the oldest record; 0 where there is none
  std::optional<Schema> new_schema;  // to be pinned with this delivery
  std::uint32_t schema_version = 0;  // 0: no conversion

  bool empty() const { return ranges.empty() && lost.empty(); }
};

class RangePlanner : private RecordPipeline::Sink {
 public:
  /// Both outlive the planner. Reset comes before all else.
  RangePlanner(ProcessorHost& host, storage::Clock& clock);

  /// Starts from a checkpoint, with the newest pinned schema. The configuration is used until the next Reset.
  void Reset(const DeliveryConfig& config, const std::vector<ShardPosition>& positions,
             const std::optional<Schema>& pinned);

  /// What the delivery before this one has shown that records need: pinned with the next plan. After Reset.
  void Want(Schema schema) { wanted_ = std::move(schema); }

  /// Reads a bounded piece on from where it stands. False where all shards are at their end or the delivery is full.
  Result<bool> ReadAhead();

  /// Looks how much there is and how old it is without reading ahead: for what is told while nothing is delivered.
  Status Observe();

  /// How many bytes of records a delivery has; after Reset.
  std::uint64_t bytes_max() const { return bytes_max_; }
  bool full() const { return bytes_ >= bytes_max_; }
  /// True where a shard goes on behind records that the log has lost: those are the next delivery's.
  bool gap_ahead() const { return gap_ahead_; }
  bool empty() const { return records_ == 0 && lost_.empty(); }
  /// True where the delivery is full, its oldest record has waited for the interval, or something was lost.
  bool Due() const;
  /// Milliseconds until the oldest record has waited for the interval; 0 where there is none.
  std::int64_t UntilDueMs() const;

  DeliveryPlan Plan() const;
  std::uint64_t pending_records() const { return records_; }
  std::uint64_t pending_bytes() const { return bytes_; }
  /// Records at or behind `next` of all shards that exist now, planned ones too.
  std::uint64_t lag_records() const;
  /// Append time of the oldest of them that was read or observed; 0 where there is none.
  std::int64_t waiting_since_ms() const { return oldest_ms_ != 0 ? oldest_ms_ : observed_ms_; }

 private:
  struct Shard {
    Offset first;  // of this delivery
    Offset next;   // read up to here
    Offset end;    // as last seen
  };
  Result<bool> ReadShard(ShardIndex index, Shard& shard, std::uint64_t bytes_max);
  Status SkipRemoved(ShardIndex index, Shard& shard, const Status& why);
  bool SkipGivenUp(ShardIndex index, Shard& shard, const ReadProgress& progress);
  Status Visit(std::span<const RecordRef> records);
  Status LookAt(std::span<const RecordRef> records);
  bool Sampled();
  Status Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) override;
  Status Failed(const ProcessingFailure&) override { return Status(); }  // told when it is delivered
  std::int64_t AgeMs() const;

  ProcessorHost& host_;
  RecordSource& source_;
  storage::Clock& clock_;
  const DeliveryConfig* config_ = nullptr;
  std::uint64_t bytes_max_ = 0;

  std::map<ShardIndex, Shard> shards_;
  std::uint32_t turn_ = 0;  // which shard reads first; moves on, so that none starves
  std::uint64_t records_ = 0;
  std::uint64_t looked_at_ = 0;  // records of which some were parsed for their fields
  std::uint64_t bytes_ = 0;
  std::int64_t oldest_ms_ = 0;    // of what was read ahead
  std::int64_t observed_ms_ = 0;  // of the first records behind the checkpoint, from Observe
  std::int64_t first_seen_ns_ = 0;
  std::vector<LostRange> lost_;
  bool gap_ahead_ = false;
  std::optional<Schema> pinned_;
  std::optional<Schema> wanted_;            // pinned_, widened by what was read
  std::optional<RecordPipeline> pipeline_;  // set where fields are inferred
  bool repeatable_ = true;                  // what it gives is the same the next time
  std::vector<RecordRef> samples_;
  std::vector<std::string_view> values_;
};

}  // namespace sluice::delivery
