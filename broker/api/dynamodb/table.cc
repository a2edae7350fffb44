// Reading under the lock, and putting what TableStore has made durable.
#include "broker/api/dynamodb/table.h"

#include <utility>

namespace sluice::broker::dynamodb {

std::shared_ptr<const TableInfo> Table::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

StoredItemPtr Table::Get(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  return found == items_.end() ? nullptr : found->second;
}

std::vector<StoredItemPtr> Table::Read(std::string_view prefix, std::string_view after, std::size_t bytes_max) const {
  std::vector<StoredItemPtr> items;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  auto at = after < prefix ? items_.lower_bound(prefix) : items_.upper_bound(after);
  if (after.empty() && prefix.empty()) at = items_.begin();
  for (; at != items_.end() && at->first.starts_with(prefix) && bytes < bytes_max; ++at) {
    items.push_back(at->second);
    bytes += at->second->bytes;
  }
  return items;
}

Table::Size Table::size() const {
  const std::lock_guard lock(mutex_);
  return {items_.size(), bytes_};
}

void Table::Put(StoredItemPtr item) {
  const std::lock_guard lock(mutex_);
  StoredItemPtr& place = items_[item->key];
  bytes_ += item->bytes - (place != nullptr ? place->bytes : 0);
  place = std::move(item);
}

void Table::Erase(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found == items_.end()) return;
  bytes_ -= found->second->bytes;
  items_.erase(found);
}

}  // namespace sluice::broker::dynamodb
