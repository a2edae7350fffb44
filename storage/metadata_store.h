// Names and small facts that must survive: streams, shards, producers, delivery state. A sorted map of byte strings
// with atomic, synced, conditional transactions: what RocksDB gives on one machine and etcd on many. Narrow on purpose.
//
// Threads: all calls from any thread; they block on the disk, so never call them on an event loop's hot path.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/status.h"

namespace sluice::storage {

struct Transaction {
  /// The key must have this value now (nullopt: must not exist), or the whole transaction is refused with kFenced.
  struct Condition {
    std::string key;
    std::optional<std::string> value;
  };
  std::vector<Condition> conditions;
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;

  Transaction& If(std::string key, std::optional<std::string> value) {
    conditions.push_back({std::move(key), std::move(value)});
    return *this;
  }
  Transaction& Put(std::string key, std::string value) {
    puts.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  Transaction& Delete(std::string key) {
    deletes.push_back(std::move(key));
    return *this;
  }
};

class MetadataStore {
 public:
  using KeyValue = std::pair<std::string, std::string>;

  virtual ~MetadataStore() = default;
  /// nullopt where the key does not exist.
  virtual Result<std::optional<std::string>> Get(std::string_view key) = 0;
  /// All entries whose key starts with `prefix`, sorted by key.
  virtual Result<std::vector<KeyValue>> Scan(std::string_view prefix) = 0;
  /// All of it or nothing; durable when it returns OK. Puts in their order, then deletes.
  virtual Status Commit(const Transaction& transaction) = 0;
};

/// The store of one machine: RocksDB in `dir`, every commit synced. kFailedPrecondition where another process has it
/// open.
Result<std::unique_ptr<MetadataStore>> OpenRocksdbMetadataStore(const std::string& dir);

/// The twin for tests: in memory, nothing survives the object.
std::unique_ptr<MetadataStore> NewMemoryMetadataStore();

}  // namespace sluice::storage
