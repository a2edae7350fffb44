// The streams: names, ids, shards and settings, kept in the metadata store and cached in memory.
//
// Every door and the delivery stage look streams up here. Lookups never wait for the disk (an immutable snapshot whose
// pointer is copied under its own short lock); changes block on the metadata store and run off the event loops. A
// change is visible once it is durable; a crash leaves all of it or nothing. broker/METADATA.md has the keys.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/hash_key.h"
#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/env/env.h"
#include "storage/metadata_store.h"

namespace sluice::broker {

/// How long a stream's records are kept; both empty: for ever.
struct RetentionSettings {
  std::optional<std::int64_t> age_ms;
  std::optional<std::uint64_t> bytes;  // of the whole stream
  friend bool operator==(const RetentionSettings&, const RetentionSettings&) = default;
};

/// A consumer of the Kinesis API that is registered for enhanced fan-out.
struct StreamConsumer {
  std::int64_t created_ms = 0;
  std::map<std::string, std::string> tags;
  std::string policy{};  // as KinesisSettings::policy
  friend bool operator==(const StreamConsumer&, const StreamConsumer&) = default;
};

/// What the Kinesis API keeps with a stream. Of the core only ShardGrowth acts on it, by the mode.
struct KinesisSettings {
  std::map<std::string, std::string> tags;
  bool on_demand = false;               // the stream's mode: it grows by load, and not by calls
  std::uint32_t record_kib_max = 1024;  // of one record that is put through that API
  std::uint32_t warm_mibps = 0;         // the warm throughput that is told; 0: none
  bool auto_distribution = false;       // records put through that API go to any shard, whatever their key
  std::string policy{};                 // the resource policy, compact JSON; empty: none
  std::uint32_t shard_metrics = 0;      // those that are asked for: 1 << the place in api/kinesis/shard_metrics.cc
  std::map<std::string, StreamConsumer> consumers{};  // by name
  // Where calls are limited: when these were made in the last 24 hours, in their order.
  std::vector<std::int64_t> encryption_starts_ms{};
  std::vector<std::int64_t> encryption_stops_ms{};
  std::vector<std::int64_t> resizes_ms{};
  std::vector<std::int64_t> mode_switches_ms{};
  friend bool operator==(const KinesisSettings&, const KinesisSettings&) = default;
};

/// A data key: it seals records of one stream. As it is stored, encrypted by a master key (broker/encryption/).
struct WrappedKey {
  std::uint32_t number = 0;  // from 1 on; sealed batches carry it
  std::string master_key;    // which one wraps it, as the key provider names it
  std::string wrapped;       // the provider's bytes
  std::int64_t created_ms = 0;
  friend bool operator==(const WrappedKey&, const WrappedKey&) = default;
};

/// Whether the records of a stream are encrypted where they are stored, and what that takes. Keys stay as long as the
/// stream: its records may be sealed with any of them.
struct EncryptionSettings {
  bool on = false;                      // new records are sealed, with the last key
  std::string key_id;                   // the master key that was asked for, as it was given; empty: none was
  std::vector<WrappedKey> data_keys{};  // ascending
  friend bool operator==(const EncryptionSettings&, const EncryptionSettings&) = default;
};

/// One shard of a stream, from its creation until the stream forgets it.
struct ShardInfo {
  ShardIndex shard;
  protocol::HashKey first;  // both ends included
  protocol::HashKey last;
  std::int64_t created_ms = 0;                // the second stands in the shard's sequence numbers
  std::optional<ShardIndex> parent;           // what it was split from, or the lower one of two that were merged
  std::optional<ShardIndex> adjacent_parent;  // the upper one; parents may be forgotten already
  std::optional<Offset> end;                  // set: closed. One past its last record when it was closed
  std::int64_t closed_ms = 0;                 // its children's created_ms

  bool closed() const { return end.has_value(); }
  protocol::ShardRange range() const { return {shard, first, last}; }
  friend bool operator==(const ShardInfo&, const ShardInfo&) = default;
};

struct StreamInfo {
  StreamId id;
  std::string name;
  std::int64_t created_ms = 0;
  bool hidden = false;  // the own stream of a direct-put delivery stream; not listed
  RetentionSettings retention;
  KinesisSettings kinesis;
  protocol::ShardMap shards;            // the open ones: where records go
  std::vector<ShardInfo> all_shards;    // those and the closed ones that are still there; ascending
  ShardIndex next_shard;                // never given before
  std::uint64_t records_forgotten = 0;  // of shards that are no longer there
  EncryptionSettings encryption{};

  /// nullptr where the stream has no such shard, or has forgotten it. Good as long as the stream's value.
  const ShardInfo* FindShard(ShardIndex shard) const;
};

using StreamPtr = std::shared_ptr<const StreamInfo>;

/// An open shard without parents.
ShardInfo NewShard(const protocol::ShardRange& range, std::int64_t created_ms);
/// What a new stream has.
std::vector<ShardInfo> NewShards(const protocol::ShardMap& shards, std::int64_t created_ms);

/// kNotFound where the stream has no such shard. Closed ones are there.
Status CheckShard(const StreamInfo& stream, ShardIndex shard);

/// [a-zA-Z0-9_.-]{1,128}, not "." or "..": as Kinesis. Hidden streams are called "KIND:NAME", so that no user's stream
/// can have such a name.
Status ValidateStreamName(std::string_view name, bool hidden = false);

class StreamCatalog {
 public:
  inline static constexpr std::size_t kProducerNameBytesMax = 256;
  inline static constexpr std::uint32_t kShardsMax = 10'000;  // per stream

  /// Reads all streams from `store`, which outlives the catalog. kCorruption and kUnimplemented name the key.
  static Result<std::unique_ptr<StreamCatalog>> Open(storage::MetadataStore& store, storage::Clock& clock);

  ~StreamCatalog();

  /// kNotFound, with the nearest existing name as a suggestion.
  Result<StreamPtr> Find(std::string_view name) const;
  /// kNotFound: "stream 7 does not exist or was deleted".
  Result<StreamPtr> Find(StreamId id) const;
  /// Streams with a smaller id than this were made here, though some may be deleted; larger ones never were.
  Result<StreamId> NextId() const;
  /// Sorted by name, without hidden ones.
  std::vector<StreamPtr> List() const;
  std::vector<StreamPtr> ListAll() const;

  Result<StreamPtr> Create(std::string_view name, std::uint32_t shards, RetentionSettings retention,
                           bool hidden = false, KinesisSettings kinesis = {});
  Result<StreamPtr> SetRetention(std::string_view name, RetentionSettings retention);
  /// `change` gets the stream as it is and sets what it may: anything but name and id. It may be refused by what
  /// `change` gives. No other change comes in between. Where the store fails, the change may come into force at the
  /// next start nevertheless.
  Result<StreamPtr> Change(std::string_view name, const std::function<Status(StreamInfo&)>& change);
  /// Gives the stream that was deleted, so that the caller can drop its shards.
  Result<StreamPtr> Delete(std::string_view name);

  /// A new producer id (an empty name), or a known name's id with its epoch raised.
  struct ProducerGrant {
    ProducerId id;
    std::int16_t epoch = 0;
  };
  Result<ProducerGrant> InitProducer(std::string_view name);

 private:
  struct Snapshot;
  StreamCatalog(storage::MetadataStore& store, storage::Clock& clock);
  Status Load();
  std::shared_ptr<const Snapshot> snapshot() const;
  void Publish(StreamPtr added, StreamPtr removed);
  Result<ProducerId> ReserveProducerId();

  storage::MetadataStore& store_;
  storage::Clock& clock_;
  std::mutex change_mutex_;                // one change at a time; taken before snapshot_mutex_
  std::int64_t producer_id_next_ = 0;      // guarded by change_mutex_
  std::int64_t producer_id_reserved_ = 0;  // guarded by change_mutex_; one past the last id of the block
  mutable std::mutex snapshot_mutex_;      // held only to copy or swap the pointer
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace sluice::broker
