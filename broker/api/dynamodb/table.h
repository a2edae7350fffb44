// One table: its items in memory, in the order of their keys. Changes go through TableStore, which makes them durable
// first.
//
// Threads: any. Readers see what is durable; they do not wait for a write that is on its way to the disk.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/dynamodb/table_info.h"

namespace sluice::broker::dynamodb {

struct StoredItem {
  std::string key;  // item_key.h
  Item item;
  std::size_t bytes = 0;  // as DynamoDB counts
};
using StoredItemPtr = std::shared_ptr<const StoredItem>;

class Table {
 public:
  explicit Table(TableInfo info) : info_(std::make_shared<const TableInfo>(std::move(info))) {}

  std::shared_ptr<const TableInfo> info() const;
  /// nullptr where there is none.
  StoredItemPtr Get(std::string_view key) const;
  /// The items whose keys begin with `prefix` and are greater than `after`, in order: about `bytes_max` of them.
  std::vector<StoredItemPtr> Read(std::string_view prefix, std::string_view after, std::size_t bytes_max) const;

  struct Size {
    std::size_t items = 0;
    std::size_t bytes = 0;
  };
  Size size() const;

 private:
  friend class TableStore;
  void Put(StoredItemPtr item);
  void Erase(const std::string& key);

  std::mutex write_mutex_;  // held from reading an item to its new value's being durable; before mutex_, of several
                            // tables in the order of their names
  bool dropped_ = false;  // guarded by write_mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<const TableInfo> info_;                    // guarded by mutex_
  std::map<std::string, StoredItemPtr, std::less<>> items_;  // guarded by mutex_
  std::size_t bytes_ = 0;                                    // guarded by mutex_
};
using TablePtr = std::shared_ptr<Table>;

}  // namespace sluice::broker::dynamodb
