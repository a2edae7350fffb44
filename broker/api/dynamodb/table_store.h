// All tables, durable in the metadata store: `dynamodb/table/NAME` is a table (table_info.h), `dynamodb/item/NAME/KEY`
// an item (item_json.h) by its key (item_key.h). It is for the leases of consumers, not a database: everything is in
// memory too, and there are limits.
//
// Threads: any; calls that change something block on the disk. A crash leaves what had been answered.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/dynamodb/errors.h"
#include "broker/api/dynamodb/table.h"
#include "storage/env/env.h"
#include "storage/metadata_store.h"

namespace sluice::broker::dynamodb {

struct TableLimits {
  std::size_t tables_max = 256;
  std::size_t bytes_max = 64u << 20;  // of all items, with kItemOverheadBytes for each
};
inline constexpr std::size_t kItemOverheadBytes = 100;

/// What is to become of one item.
struct ItemChange {
  TablePtr table;
  std::string key;
  /// The item as it is to be (nullopt: gone), or why not. `old` is nullptr where there is none.
  std::function<ApiResult<std::optional<Item>>(const Item* old)> decide;
};
struct ItemOutcome {
  std::optional<ApiError> error{};
  StoredItemPtr old{};  // nullptr where there was none
  StoredItemPtr now{};  // nullptr where there is none
};

class TableStore {
 public:
  /// Reads all tables. `metadata`, `clock` and `random` outlive it. kCorruption, with the key, for what cannot be read.
  static Result<std::unique_ptr<TableStore>> Open(storage::MetadataStore& metadata, storage::Clock& clock,
                                                  storage::Random& random, const TableLimits& limits = {});

  /// Gives it an id and a time of creation.
  ApiResult<TablePtr> Create(TableInfo info);
  ApiResult<TablePtr> Drop(std::string_view name);
  /// `change` is called with a copy, which takes the table's place where it gives no error.
  ApiResult<TablePtr> Change(std::string_view name, const std::function<ApiResult<void>(TableInfo&)>& change);
  /// nullptr where there is none.
  TablePtr Find(std::string_view name) const;
  std::vector<TablePtr> List() const;

  /// All of it or nothing: where an outcome has an error, nothing has changed. The items are different ones.
  std::vector<ItemOutcome> Write(std::span<const ItemChange> changes);

 private:
  TableStore(storage::MetadataStore& metadata, storage::Clock& clock, storage::Random& random,
             const TableLimits& limits)
      : metadata_(metadata), clock_(clock), random_(random), limits_(limits) {}
  Status Load();
  Status LoadItems(Table& table);
  std::vector<ItemOutcome> Decide(std::span<const ItemChange> changes);
  std::optional<ApiError> Commit(std::span<const ItemChange> changes, const std::vector<ItemOutcome>& outcomes);
  ApiResult<TablePtr> FindOrFail(std::string_view name) const;

  storage::MetadataStore& metadata_;
  storage::Clock& clock_;
  storage::Random& random_;
  const TableLimits limits_;
  std::mutex catalog_mutex_;           // held while tables are made, changed and dropped; before all others
  std::atomic<std::size_t> bytes_{0};  // of all items, with their overhead
  mutable std::mutex mutex_;
  std::map<std::string, TablePtr, std::less<>> tables_;  // guarded by mutex_
};

}  // namespace sluice::broker::dynamodb
