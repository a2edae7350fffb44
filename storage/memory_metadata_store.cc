// The metadata store of tests: a map under a lock.
#include <map>
#include <mutex>

#include "storage/metadata_key.h"
#include "storage/metadata_store.h"

namespace sluice::storage {
namespace {

class MemoryMetadataStore final : public MetadataStore {
 public:
  Result<std::optional<std::string>> Get(std::string_view key) override {
    const std::scoped_lock lock(mutex_);
    return Find(key);
  }

  Result<std::vector<KeyValue>> Scan(std::string_view prefix) override {
    const std::scoped_lock lock(mutex_);
    std::vector<KeyValue> entries;
    for (auto it = entries_.lower_bound(prefix); it != entries_.end() && it->first.starts_with(prefix); ++it) {
      entries.emplace_back(*it);
    }
    return entries;
  }

  Status Commit(const Transaction& transaction) override {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, value] : transaction.conditions) {
      if (Find(key) != value) return ConditionRefused(key);
    }
    for (const auto& [key, value] : transaction.puts) entries_[key] = value;
    for (const std::string& key : transaction.deletes) entries_.erase(key);
    return {};
  }

 private:
  std::optional<std::string> Find(std::string_view key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? std::nullopt : std::optional(found->second);
  }

  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> entries_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<MetadataStore> NewMemoryMetadataStore() { return std::make_unique<MemoryMetadataStore>(); }

}  // namespace sluice::storage
