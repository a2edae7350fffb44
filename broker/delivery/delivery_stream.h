// One delivery stream at work: reads its source, decides deliveries and carries them out, each exactly once.
//
//     loop:
//       if an intent is stored:                                  # also after a crash: the same steps again
//         read its ranges, convert, write the objects under its keys        (same bytes, same keys: no duplicate)
//         CHECKPOINT: next offsets, ledger entry, intent cleared            (one synced, conditional transaction)
//         raise the retention hold
//       else:
//         where a replay was asked for: choose error records, decide as below  (delivery_replay.cc)
//         read ahead until the size is reached, or the oldest record has waited for the interval, or a flush is asked
//         INTENT: ranges, keys, schema version, times                       (one synced, conditional transaction)
//
// A boundary is decided once, by INTENT, before the first byte is written; what is in memory before it is only counts.
// A crash before INTENT forgets the counts; after it, before CHECKPOINT, replays; after CHECKPOINT, goes on behind it.
// Every failure (lake not writable, metadata not writable) leaves that state as it is, and the step is tried again
// after a pause that doubles up to a minute. After a failed transaction the stored state is read again, because it may
// have been made durable nevertheless. Where another owner's epoch stands in the metadata, this one stops for good.
//
// The configuration is part of the stored state. Another one counts from the next decision on: an intent names the
// version that it was decided with and is carried out with that, also after a crash.
//
// Threads: Step by one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker/delivery/config_change.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/delivery_state.h"
#include "broker/delivery/delivery_store.h"
#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/object_builder.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/range_planner.h"
#include "broker/delivery/record_source.h"
#include "broker/delivery/replay_planner.h"
#include "broker/delivery/replay_request.h"
#include "broker/delivery/staged_output.h"
#include "broker/delivery/stream_appender.h"
#include "broker/delivery_registry.h"
#include "storage/env/env.h"

namespace sluice::delivery {

enum class DeliveryMode : std::uint8_t {
  kActive,
  kPaused,   // by the user; nothing is decided or written
  kFailing,  // the last step failed; it is tried again
  kFenced,   // another broker delivers, or it was deleted
};
std::string_view DeliveryModeName(DeliveryMode mode);

/// What has been done since the broker started, for metrics.
struct DeliveryCounts {
  ProcessorCounts processors;  // with each type that is configured
  BuildCounts builds;          // of all deliveries; what is said of partitions: of the last one
};

/// What `describe` shows.
struct DeliveryStatus {
  DeliveryMode mode = DeliveryMode::kActive;
  std::string last_error;      // of the last failure; empty where none has happened since the last success
  std::int64_t retry_ms = 0;   // when the next try is due; kFailing only
  std::uint64_t failures = 0;  // since the broker started
  Checkpoint checkpoint;
  std::optional<Intent> intent;
  std::uint32_t schema_version = 0;
  std::uint64_t pending_records = 0;  // read ahead, not yet decided
  std::uint64_t pending_bytes = 0;
  std::uint64_t lag_records = 0;       // not yet delivered, as far as seen
  std::int64_t oldest_pending_ms = 0;  // append time of the oldest undelivered record; 0: none seen
  std::string last_object;             // key of the last object of the last delivery that has rows in the lake
  DeliveryCounts counts;

  /// Age of the oldest record that is not in the lake; 0 where there is none.
  std::int64_t FreshnessMs(std::int64_t now_ms) const;
};

/// What a delivery stream works with; all outlive it.
struct DeliveryParts {
  storage::MetadataStore& metadata;
  ObjectStore& objects;
  storage::Env& env;
  std::string work_dir;  // for what is set aside while a delivery is made
  std::function<Result<TimeZone>(const std::string& name)> load_zone;
  /// Nothing at or above the offset may be removed from the shard; called at every checkpoint.
  std::function<void(StreamId, ShardIndex, Offset)> hold;
  ProcessorSettings processors = {};
  broker::KeyProvider* keys = nullptr;  // what is set aside is encrypted; nullptr: it is not
  /// Takes dead letters, and gives them again; nullptr where no configuration has a dead-letter stream.
  std::shared_ptr<StreamAppender> appender = nullptr;
  /// Ends what `hold` said of a shard that is not the source's.
  std::function<void(StreamId, ShardIndex)> release = {};
};

class DeliveryStream {
 public:
  DeliveryStream(std::string name, std::unique_ptr<RecordSource> source, DeliveryParts parts);

  /// Becomes the owner, reads the stored state and sets the retention holds. Before the first Step.
  Status Open();

  /// One bounded piece of work. Returns the milliseconds until the next one is due; 0: at once.
  std::int64_t Step();

  /// While it is set, what may take long in a Step ends soon, and the Step fails: for whoever waits for its end.
  void Interrupt(bool interrupted) { host_.interrupted = interrupted; }
  bool interrupted() const { return host_.interrupted.load(); }

  /// Delivers what is there now without waiting for size or interval. Gives the number of this flush.
  std::uint64_t RequestFlush() { return ++flushes_asked_; }
  /// True for the number of a flush that was asked for since the broker started.
  bool KnowsFlush(std::uint64_t number) const { return number > first_flush_ && number <= flushes_asked_.load(); }
  /// True where everything that was there at this RequestFlush is delivered.
  bool flushed(std::uint64_t number) const { return flushes_done_.load() >= number; }
  /// Error records that are to be delivered again, by the Steps that follow.
  ReplayRequest& replay() { return replay_; }
  const ReplayRequest& replay() const { return replay_; }
  /// Stored before it is in force. Not while a Step runs.
  Status SetPaused(bool paused);

  /// What `wanted` would change. Not while a Step runs.
  Result<ConfigChange> Compare(const DeliveryConfig& wanted);
  /// Puts another configuration into force and returns what it changes; nothing is stored where that is nothing.
  /// kFailedPrecondition where it cannot be changed so. `given` is kept for the door that changes it, and another text
  /// is a change too. Not while a Step runs.
  Result<ConfigChange> Reconfigure(const DeliveryConfig& wanted, const std::optional<std::string>& given = {});
  /// Stores other tags. Not while a Step runs.
  Status SetTags(const broker::DeliveryTags& tags);

  /// All deliveries done, from the first. Not while a Step runs.
  Result<std::vector<LedgerEntry>> Ledger() { return store_.LoadLedger(); }
  /// Refused where records of direct put would go with it: their hidden stream is theirs alone. Not while a Step runs.
  Status CheckRemove();
  /// Forgets everything but the objects in the lake. Not while a Step runs; no Step after it.
  Status Remove();

  const std::string& name() const { return name_; }
  /// The one in force; after Open.
  std::shared_ptr<const DeliveryConfig> config() const;
  DeliveryIdentity identity() const;
  /// Both, as doors want them.
  broker::DeliveryInfoPtr info() const;
  DeliveryStatus status() const;

 private:
  Result<std::int64_t> TryStep();
  Result<std::int64_t> DecideStep();
  Result<std::int64_t> PlanStep();
  Status Decide();
  Status DecideReplay();
  Status StoreDecision(Intent intent, const std::optional<Schema>& new_schema);
  Status Deliver();
  Status ChangeIntent(const std::function<void(Intent&)>& change);
  void FindLastObject();
  void Count(const LedgerEntry& entry, const BuildCounts& counts);
  StagingParts Staging();
  void RemoveSpill();
  Status TakeBack(const Intent& intent, const DeliveryTerms& terms, const Status& why);
  Status CheckNoDeadLetters(const Intent& intent, const DeliveryTerms& terms, const Status& why);
  Status CheckNotWritten(const std::string& bucket, const std::vector<std::string>& keys, const Status& why);
  Status Reload();
  Status FollowShards();
  bool ParentsDelivered(const SourceShard& shard);
  /// Of the next delivery: the newest pinned one; nullopt where nothing is converted, or none is pinned yet.
  std::optional<Schema> UsedSchema() const { return terms_->config.convert ? state_.schema : std::nullopt; }
  void ResetPlanner();
  Result<std::shared_ptr<const DeliveryTerms>> ReadTerms(std::string_view config_json) const;
  /// What an intent is carried out with.
  Result<std::shared_ptr<const DeliveryTerms>> TermsOf(const Intent& intent);
  Intent NewIntent() const;
  void AddKeys(Intent& intent) const;
  Intent MakeReplayIntent(const ReplayPlan& plan) const;
  std::int64_t Failed(const Status& status);
  void SetHolds();
  void HoldDeadLetters(const std::optional<Intent>& intent);
  void PublishStatus();
  broker::DeliveryInfoPtr MakeInfo() const;

  const std::string name_;
  const std::unique_ptr<RecordSource> source_;
  DeliveryParts parts_;
  DeliveryStore store_;
  std::shared_ptr<const DeliveryTerms> terms_;  // by state_.identity.config_json
  ProcessorHost host_;
  RangePlanner planner_;
  DeliveryState state_;                     // as stored
  bool state_known_ = false;                // false after a failure: read it again
  SourceStream stream_;                     // as last seen; no shards: not seen yet
  bool children_wait_ = false;              // for their parents, which are closed, to be delivered
  std::vector<ShardId> dead_letter_holds_;  // of the delivery in hand
  std::optional<std::string> last_object_;  // nullopt: not looked for yet
  BuildCounts builds_;
  int failures_in_a_row_ = 0;
  bool asked_ = false;  // by the last Step: nobody has said yet whether it succeeds
  ReplayRequest replay_;
  bool replay_turn_ = true;          // else the log's
  const std::uint64_t first_flush_;  // the numbers of an earlier start lie below
  std::atomic<std::uint64_t> flushes_asked_;
  std::atomic<std::uint64_t> flushes_done_;
  std::uint64_t flushes_decided_ = 0;  // done with the delivery that is decided

  mutable std::mutex status_mutex_;
  DeliveryStatus status_;                         // guarded by status_mutex_
  DeliveryIdentity identity_;                     // guarded by status_mutex_
  std::shared_ptr<const DeliveryConfig> config_;  // guarded by status_mutex_
  broker::DeliveryInfoPtr info_;                  // guarded by status_mutex_
};

}  // namespace sluice::delivery
