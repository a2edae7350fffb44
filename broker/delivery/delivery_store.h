// One delivery stream's part of the metadata store: every step of its life is one conditional, synced transaction.
//
//     delivery/NAME/stream               identity and configuration
//     delivery/NAME/config/VERSION       configurations before the one in force, 8 digits
//     delivery/NAME/owner                epoch of the broker that delivers; raised by whoever opens it
//     delivery/NAME/checkpoint           next offsets, counters
//     delivery/NAME/intent               the delivery being made, absent between two
//     delivery/NAME/schema/VERSION       pinned schemas, 8 digits
//     delivery/NAME/ledger/SEQ           deliveries done, 20 digits
//
// Every transaction demands that the owner's epoch is still ours: a broker that was paused and replaced gets kFenced
// and changes nothing.
//
// Threads: any thread that may block; Open before the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/schema.h"
#include "sluice/status.h"
#include "storage/metadata_store.h"

namespace sluice::delivery {

struct DeliveryState {
  DeliveryIdentity identity;
  Checkpoint checkpoint;
  std::optional<Intent> intent;
  std::optional<Schema> schema;  // the newest pinned one
};

class DeliveryStore {
 public:
  DeliveryStore(storage::MetadataStore& store, std::string_view name);

  /// All delivery streams, sorted.
  static Result<std::vector<std::string>> Names(storage::MetadataStore& store);
  /// What the delivery stream `name` is; needs no ownership.
  static Result<DeliveryIdentity> LoadIdentity(storage::MetadataStore& store, std::string_view name);
  /// kAlreadyExists where there is one of this name.
  Status Create(const DeliveryIdentity& identity, const Checkpoint& checkpoint, const std::optional<Schema>& schema);
  /// Becomes the owner. kNotFound where there is none of this name.
  Status Open();
  /// What is stored now. kFenced where another broker has become the owner.
  Result<DeliveryState> Load();
  Result<Schema> LoadSchema(std::uint32_t version);
  /// A configuration before the one in force, as it was stored.
  Result<std::string> LoadConfig(std::uint32_t version);
  /// Every entry says its buckets, also where an older version has written it. kFenced, kCorruption.
  Result<std::vector<LedgerEntry>> LoadLedger();
  Result<LedgerEntry> LoadLedgerEntry(std::uint64_t seq);

  Status PutIdentity(const DeliveryIdentity& identity);
  /// Puts a configuration into force and keeps the one before it; `new_schema` is pinned with it.
  Status PutConfig(const DeliveryIdentity& before, const DeliveryIdentity& after,
                   const std::optional<Schema>& new_schema);
  /// Stores the decision; `new_schema` is pinned with it.
  Status PutIntent(const Intent& intent, const std::optional<Schema>& new_schema);
  /// Stores what is known of it now in place of what was.
  Status ReplaceIntent(const Intent& before, const Intent& after);
  /// Takes back a decision: nothing of it is in the lake.
  Status DropIntent(const Intent& intent);
  /// Ends the delivery of `intent`: next offsets, ledger entry, intent cleared, at once.
  Status PutCheckpoint(const Intent& intent, const Checkpoint& checkpoint, const LedgerEntry& entry);
  /// Removes everything under this name.
  Status Remove();

 private:
  std::string Key(std::string_view part) const;
  std::string SchemaKey(std::uint32_t version) const;
  std::string ConfigKey(std::uint32_t version) const;
  std::string LedgerKey(std::uint64_t seq) const;
  struct FirstBuckets {
    std::string lake;
    std::string backup;
  };
  Result<FirstBuckets> LoadFirstBuckets();
  /// Where an older version has written them.
  Status NameBuckets(std::span<LedgerEntry> entries);
  Status NameBuckets(Checkpoint& checkpoint);
  void PinSchema(const Schema& schema, storage::Transaction& transaction) const;
  Status Commit(storage::Transaction transaction);

  storage::MetadataStore& store_;
  std::string name_;
  std::string epoch_;  // empty before Open
};

}  // namespace sluice::delivery
