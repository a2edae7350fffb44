// What a delivery stream keeps in the metadata store, and the JSON that it is kept as (docs/delivery.md).
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/config_document.h"
#include "broker/delivery/dead_letter_state.h"
#include "broker/delivery/object_writer.h"
#include "broker/delivery/replay_state.h"
#include "broker/delivery/schema.h"
#include "broker/delivery/state_reader.h"
#include "protocol/ids.h"
#include "protocol/json_writer.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// What a delivery stream is; changes by pause, resume and another configuration.
struct DeliveryIdentity {
  std::string uid;  // random, given at creation: keys of a later stream of the same name never meet these
  StreamId source;
  std::int64_t created_ms = 0;
  std::uint32_t version = 1;  // of the configuration; one up with every change
  bool paused = false;
  std::string config_json;      // canonical
  std::int64_t changed_ms = 0;  // when the configuration changed last; 0: never, or not known
  std::string given{};          // kept for the door that made or changed it last; empty: none
  friend bool operator==(const DeliveryIdentity&, const DeliveryIdentity&) = default;
};

/// Records that were never delivered.
struct LostRange : SourceRange {
  bool accepted = false;  // lost to damage and given up; else removed by retention
  friend bool operator==(const LostRange&, const LostRange&) = default;
};

/// What was counted while the records of a delivery were processed.
struct SpillCounts {
  std::uint64_t records = 0;
  std::uint64_t user_records = 0;
  std::uint64_t filtered = 0;
  std::uint64_t bytes_in = 0;
  friend bool operator==(const SpillCounts&, const SpillCounts&) = default;
};

/// What a spill is encrypted with (spill_cipher.h).
struct WrappedSpillKey {
  std::string master_key;  // its name
  std::string bytes;       // the key, encrypted by the master key
  friend bool operator==(const WrappedSpillKey&, const WrappedSpillKey&) = default;
};

/// Where the processed records of a delivery are set aside, durably (record_spill.h).
struct SpillSeal {
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t index_checksum = 0;
  std::optional<WrappedSpillKey> key = {};  // none: it is not encrypted
  friend bool operator==(const SpillSeal&, const SpillSeal&) = default;
};

/// A request that an endpoint did not take, or records of one; or a load that a cluster did not take.
struct RefusedRequest {
  std::uint64_t request = 0;                // its number in the delivery, from 0
  std::vector<std::uint32_t> records = {};  // their places in it; empty: all of it
  std::string code;
  std::string message;
  std::uint32_t attempts = 0;
  std::int64_t ended_ms = 0;  // of the last one
  friend bool operator==(const RefusedRequest&, const RefusedRequest&) = default;
};

/// One delivery, decided: everything that its objects' bytes and keys depend on besides the records.
struct Intent {
  std::uint64_t seq = 0;                 // 1 and up, without gap
  std::int64_t decided_ms = 0;           // when it was decided; the error records' attempt time
  std::int64_t time_ms = 0;              // append time of the oldest record: the prefix' time
  std::uint32_t config_version = 1;      // the one that it is carried out with
  std::uint32_t schema_version = 0;      // 0: no conversion
  std::string uid;                       // the delivery stream's; empty in intents of older versions
  std::vector<SourceRange> ranges;       // by shard, at most one each
  std::vector<LostRange> lost;           // before the ranges
  std::string data_key;                  // empty with dynamic partitioning, and where an endpoint takes the records
  std::string error_key;                 // of failed conversions
  std::vector<std::string> other_keys;   // further objects that may be written, once they are known
  std::vector<std::string> backup_keys;  // of the backup's objects, in its own bucket
  std::vector<ReplayedLines> replays;    // in place of ranges: what failed in earlier deliveries
  std::optional<SpillSeal> processed;    // records that could not be processed the same way again
  std::optional<std::vector<RefusedRequest>> refused = {};  // all others were taken; set once no request is open
  /// Error records go to the dead-letter stream, but for those that would be larger as records there; 0: none do.
  std::uint64_t dead_letter_bytes_max = 0;
  std::vector<DeadLetterMark> dead_letters = {};  // in the order in which they were made; none: nothing is appended yet
  friend bool operator==(const Intent&, const Intent&) = default;
};

struct DeliveredObject {
  std::string key;
  bool error = false;  // holds error records
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  // XXH3-64
  bool backup = false;         // in the backup's bucket: holds `rows` source records as they came
  bool manifest = false;       // lists objects of this delivery, and holds no record
  friend bool operator==(const DeliveredObject&, const DeliveredObject&) = default;
};

/// What became of the load of a delivery's objects into a cluster.
struct DeliveredLoad {
  bool loaded = false;  // else they were skipped: their manifest waits for a load by hand
  std::uint32_t attempts = 0;
  std::string code = {};  // why they were skipped
  std::string message = {};
  friend bool operator==(const DeliveredLoad&, const DeliveredLoad&) = default;
};

/// One delivery, done.
struct LedgerEntry {
  std::uint64_t seq = 0;
  std::int64_t decided_ms = 0;
  std::uint32_t schema_version = 0;
  std::vector<SourceRange> ranges;
  std::vector<LostRange> lost;
  std::vector<ReplayedLines> replays;  // in place of ranges: these records are no longer in the error output
  std::string bucket = {};             // of the objects; empty in entries of older versions
  std::string backup_bucket = {};      // of those of the backup; empty: there was none, or an older version
  std::vector<DeliveredObject> objects;
  std::optional<DeliveredLoad> load = {};  // of the rows; none: there is no cluster, or no row
  std::uint64_t records = 0;               // in the ranges, or lines that are replayed
  std::uint64_t user_records = 0;  // the same with what opened aggregates hold in their place; every one of them is
  std::uint64_t rows = 0;          // in the data object; a record may hold several rows
  std::uint64_t errors = 0;        // or in the error objects and among the dead letters
  std::uint64_t sent = 0;          // or taken by an endpoint
  std::uint64_t filtered = 0;      // or dropped on purpose
  std::uint64_t overflow_fields = 0;
  std::uint64_t bytes_in = 0;
  std::vector<DeadLetters> dead_letters = {};
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

struct ShardPosition {
  ShardIndex shard;
  Offset start;  // the first offset that this delivery stream answers for
  Offset next;   // the first one not yet delivered
  friend bool operator==(const ShardPosition&, const ShardPosition&) = default;
};

struct DeliveryTotals {
  std::uint64_t records = 0, user_records = 0, rows = 0, errors = 0, filtered = 0, lost = 0, overflow_fields = 0,
                objects = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t replayed = 0;  // of `errors`, those that were delivered again
  std::uint64_t backup_records = 0, backup_objects = 0, backup_bytes = 0;  // which the numbers above do not have
  std::uint64_t sent = 0;                                                  // to an endpoint
  std::uint64_t loaded_rows = 0, skipped_rows = 0;                         // of `rows`, where there is a cluster
  std::uint64_t dead_letters = 0;                                          // of `errors`, those in a dead-letter stream
  friend bool operator==(const DeliveryTotals&, const DeliveryTotals&) = default;
};

struct Checkpoint {
  std::uint64_t next_seq = 1;
  std::int64_t delivered_ms = 0;      // of the last delivery; 0: none
  std::vector<ShardPosition> shards;  // ascending
  DeliveryTotals totals;
  std::vector<std::string> buckets = {};  // with objects, ascending
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;

  ShardPosition* Find(ShardIndex shard);
};

/// The checkpoint after `entry`.
Checkpoint Advance(const Checkpoint& before, const LedgerEntry& entry, std::int64_t now_ms);

std::string IdentityToJson(const DeliveryIdentity& identity);
std::string IntentToJson(const Intent& intent);
std::string LedgerEntryToJson(const LedgerEntry& entry);
std::string CheckpointToJson(const Checkpoint& checkpoint);
/// "shards":[..] and "totals":{..}, for the answers to users.
void WriteShards(const std::vector<ShardPosition>& shards, protocol::JsonWriter& json);
void WriteTotals(const DeliveryTotals& totals, protocol::JsonWriter& json);

/// kCorruption names the document and what is wrong with it; kUnimplemented where a newer version wrote it.
Result<DeliveryIdentity> IdentityFromJson(std::string_view json);
Result<Intent> IntentFromJson(std::string_view json);
Result<LedgerEntry> LedgerEntryFromJson(std::string_view json);
Result<Checkpoint> CheckpointFromJson(std::string_view json);
/// The same where they stand inside another document.
Result<Intent> IntentFromTree(const ConfigNode& tree);
Result<LedgerEntry> LedgerEntryFromTree(const ConfigNode& tree);
/// Reads what WriteShards wrote; mistakes are the reader's.
std::vector<ShardPosition> ReadShards(StateReader& reader);

}  // namespace sluice::delivery
