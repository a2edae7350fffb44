// Changes: decided under the locks of their tables, made durable in one transaction, then shown to readers.
#include "broker/api/dynamodb/table_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "broker/api/dynamodb/item_json.h"
#include "broker/api/dynamodb/item_key.h"
#include "protocol/check.h"
#include "storage/metadata_key.h"

namespace sluice::broker::dynamodb {
namespace {

constexpr std::string_view kTablePrefix = "dynamodb/table/";

std::string TableKey(std::string_view table) { return fmt::format("{}{}", kTablePrefix, table); }
std::string ItemPrefix(std::string_view table) { return fmt::format("dynamodb/item/{}/", table); }

StoredItemPtr Stored(std::string key, Item item) {
  const std::size_t bytes = SizeOf(item);
  return std::make_shared<const StoredItem>(std::move(key), std::move(item), bytes);
}

std::size_t Overall(const StoredItemPtr& item) { return item == nullptr ? 0 : item->bytes + kItemOverheadBytes; }

std::string NewUuid(storage::Random& random) {
  const std::uint64_t high = random.Next();
  const std::uint64_t low = (random.Next() >> 2) | std::uint64_t{2} << 62;  // with the 4 below: random (RFC 9562)
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff, low >> 48,
                     low & 0xffff'ffff'ffff);
}

Status Unreadable(std::string_view key, const Status& why) {
  return why.WithContext(fmt::format("metadata key {} cannot be read", storage::PrintableKey(key)));
}

}  // namespace

Result<std::unique_ptr<TableStore>> TableStore::Open(storage::MetadataStore& metadata, storage::Clock& clock,
                                                     storage::Random& random, const TableLimits& limits) {
  std::unique_ptr<TableStore> store(new TableStore(metadata, clock, random, limits));
  if (Status status = store->Load(); !status.ok()) return Error(status);
  return store;
}

Status TableStore::Load() {
  const auto tables = metadata_.Scan(kTablePrefix);
  if (!tables) return tables.error();
  for (const auto& [key, text] : *tables) {
    auto info = DecodeTable(text);
    if (!info) return Unreadable(key, info.error());
    std::string name = info->name;
    const TablePtr table = std::make_shared<Table>(std::move(*info));
    if (Status status = LoadItems(*table); !status.ok()) return status;
    tables_.emplace(std::move(name), table);
  }
  return {};
}

Status TableStore::LoadItems(Table& table) {
  const std::string prefix = ItemPrefix(table.info()->name);
  const auto items = metadata_.Scan(prefix);
  if (!items) return items.error();
  for (const auto& [key, text] : *items) {
    auto item = DecodeItem(text);
    if (!item) return Unreadable(key, item.error());
    StoredItemPtr stored = Stored(key.substr(prefix.size()), std::move(*item));
    bytes_ += Overall(stored);
    table.Put(std::move(stored));
  }
  return {};
}

ApiResult<TablePtr> TableStore::Create(TableInfo info) {
  const std::lock_guard catalog(catalog_mutex_);
  if (Find(info.name) != nullptr) {
    return std::unexpected(TableInUse(fmt::format("Table already exists: {}", info.name)));
  }
  if (List().size() >= limits_.tables_max) {
    return std::unexpected(
        LimitExceeded(fmt::format("There are {} tables already, which is the limit; delete some", limits_.tables_max)));
  }
  info.id = NewUuid(random_);
  info.created_ms = clock_.WallMs();
  const std::string key = TableKey(info.name);
  const Status status = metadata_.Commit(storage::Transaction().If(key, std::nullopt).Put(key, EncodeTable(info)));
  if (!status.ok()) return std::unexpected(InternalError(status));
  std::string name = info.name;
  const TablePtr table = std::make_shared<Table>(std::move(info));
  const std::lock_guard lock(mutex_);
  tables_.emplace(std::move(name), table);
  return table;
}

ApiResult<TablePtr> TableStore::FindOrFail(std::string_view name) const {
  if (TablePtr table = Find(name)) return table;
  return std::unexpected(TableNotFound(name));
}

ApiResult<TablePtr> TableStore::Drop(std::string_view name) {
  const std::lock_guard catalog(catalog_mutex_);
  const auto found = FindOrFail(name);
  if (!found) return found;
  Table& table = **found;
  const std::lock_guard write(table.write_mutex_);
  const auto info = table.info();
  if (info->deletion_protection) {
    return std::unexpected(
        Validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
                   "protection first."));
  }
  storage::Transaction transaction;
  transaction.If(TableKey(name), EncodeTable(*info)).Delete(TableKey(name));
  const std::vector<StoredItemPtr> items = table.Read({}, {}, SIZE_MAX);
  std::size_t bytes = 0;
  for (const StoredItemPtr& item : items) {
    transaction.Delete(ItemPrefix(name) + item->key);
    bytes += Overall(item);
  }
  if (Status status = metadata_.Commit(transaction); !status.ok()) return std::unexpected(InternalError(status));
  table.dropped_ = true;
  bytes_ -= bytes;
  const std::lock_guard lock(mutex_);
  tables_.erase(tables_.find(name));
  return *found;
}

ApiResult<TablePtr> TableStore::Change(std::string_view name,
                                       const std::function<ApiResult<void>(TableInfo&)>& change) {
  const std::lock_guard catalog(catalog_mutex_);
  const auto found = FindOrFail(name);
  if (!found) return found;
  Table& table = **found;
  const std::lock_guard write(table.write_mutex_);
  const auto old = table.info();
  TableInfo now = *old;
  if (auto changed = change(now); !changed) return std::unexpected(std::move(changed.error()));
  const std::string key = TableKey(name);
  const Status status = metadata_.Commit(storage::Transaction().If(key, EncodeTable(*old)).Put(key, EncodeTable(now)));
  if (!status.ok()) return std::unexpected(InternalError(status));
  const std::lock_guard lock(table.mutex_);
  table.info_ = std::make_shared<const TableInfo>(std::move(now));
  return *found;
}

TablePtr TableStore::Find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : found->second;
}

std::vector<TablePtr> TableStore::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<TablePtr> tables;
  for (const auto& [name, table] : tables_) tables.push_back(table);
  return tables;
}

std::vector<ItemOutcome> TableStore::Write(std::span<const ItemChange> changes) {
  std::set<std::pair<std::string, Table*>> tables;  // in the order of their names; a dropped one may share its name
  for (const ItemChange& change : changes) tables.emplace(change.table->info()->name, change.table.get());
  std::vector<std::unique_lock<std::mutex>> locks;
  for (const auto& [name, table] : tables) locks.emplace_back(table->write_mutex_);
  std::vector<ItemOutcome> outcomes = Decide(changes);
  const auto failed = [](const ItemOutcome& outcome) { return outcome.error.has_value(); };
  if (std::ranges::any_of(outcomes, failed)) return outcomes;
  if (auto error = Commit(changes, outcomes)) {
    for (ItemOutcome& outcome : outcomes) outcome.error = error;
    return outcomes;
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    bytes_ += Overall(outcomes[i].now) - Overall(outcomes[i].old);
    if (outcomes[i].now != nullptr) {
      changes[i].table->Put(outcomes[i].now);
    } else {
      changes[i].table->Erase(changes[i].key);
    }
  }
  return outcomes;
}

std::vector<ItemOutcome> TableStore::Decide(std::span<const ItemChange> changes) {
  std::vector<ItemOutcome> outcomes;
  for (const ItemChange& change : changes) {
    ItemOutcome& outcome = outcomes.emplace_back();
    if (change.table->dropped_) {
      outcome.error = TableNotFound();
      continue;
    }
    outcome.old = change.table->Get(change.key);
    auto item = change.decide(outcome.old != nullptr ? &outcome.old->item : nullptr);
    if (!item) {
      outcome.error = std::move(item.error());
    } else if (*item) {
      auto good = CheckItemSize(**item);
      if (good) good = CheckIndexKeys(*change.table->info(), **item);
      if (!good) outcome.error = std::move(good.error());
      outcome.now = Stored(change.key, std::move(**item));
    }
  }
  return outcomes;
}

std::optional<ApiError> TableStore::Commit(std::span<const ItemChange> changes,
                                           const std::vector<ItemOutcome>& outcomes) {
  storage::Transaction transaction;
  std::size_t before = 0;
  std::size_t after = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& [error, old, now] = outcomes[i];
    if (old != nullptr && now != nullptr && old->item == now->item) continue;
    if (old == nullptr && now == nullptr) continue;
    before += Overall(old);
    after += Overall(now);
    const std::string key = ItemPrefix(changes[i].table->info()->name) + changes[i].key;
    transaction.If(key, old != nullptr ? std::optional(EncodeItem(old->item)) : std::nullopt);
    now != nullptr ? transaction.Put(key, EncodeItem(now->item)) : transaction.Delete(key);
  }
  if (after > before && bytes_ + after - before > limits_.bytes_max) {
    return ApiError(ErrorType("ItemCollectionSizeLimitExceededException"),
                    fmt::format("All tables together have {} bytes at most here: they are for the leases of consumers, "
                                "not a database",
                                limits_.bytes_max));
  }
  if (transaction.conditions.empty()) return std::nullopt;
  const Status status = metadata_.Commit(transaction);
  if (status.ok()) return std::nullopt;
  return InternalError(status);
}

}  // namespace sluice::broker::dynamodb
