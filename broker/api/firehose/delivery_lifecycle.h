// The states that AWS's delivery streams pass: CREATING and DELETING for configured times, so that applications can be
// tried against them, and while one is being made or deleted. Otherwise each is ACTIVE.
//
// Nothing of this is kept: a delivery stream works from the moment that it was made, by whatever door, and a deleted
// one is gone; only its name answers for a while. A restart ends DELETING.
//
// Threads: any; one short lock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/firehose/firehose_options.h"
#include "broker/delivery_registry.h"
#include "storage/env/env.h"

namespace sluice::broker::firehose {

enum class DeliveryState : std::uint8_t { kActive, kCreating, kDeleting };
/// "ACTIVE", "CREATING", "DELETING".
std::string_view NameOf(DeliveryState state);

class DeliveryLifecycle {
 public:
  /// `clock` outlives it.
  DeliveryLifecycle(const FirehoseOptions& options, storage::Clock& clock);

  DeliveryState StateOf(const DeliveryInfo& info) const;
  /// One that is DELETING; nullptr where there is none of this name.
  DeliveryInfoPtr FindDeleting(std::string_view name) const;
  std::vector<DeliveryInfoPtr> Deleting() const;

  /// One of this name is being made, and CREATING, until EndCreate.
  void BeginCreate(std::string_view name);
  void EndCreate(std::string_view name);
  /// It is being deleted, until one of the two others is called.
  void BeginDelete(const DeliveryInfoPtr& info);
  void Deleted(const std::string& name);
  void NotDeleted(const std::string& name);

 private:
  struct Passing {
    DeliveryInfoPtr info;
    std::int64_t until_ms;
  };
  bool IsOver(const Passing& passing) const { return passing.until_ms <= clock_.WallMs(); }

  const FirehoseOptions options_;
  storage::Clock& clock_;
  bool IsBeingMade(std::string_view name) const;

  mutable std::mutex mutex_;
  std::multiset<std::string, std::less<>> making_;        // guarded by mutex_
  std::map<std::string, Passing, std::less<>> deleting_;  // guarded by mutex_; those of the past go with the next one
};

}  // namespace sluice::broker::firehose
