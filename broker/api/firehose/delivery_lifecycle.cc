// One table of the delivery streams that are being deleted, or were a moment ago.
#include "broker/api/firehose/delivery_lifecycle.h"

namespace sluice::broker::firehose {

std::string_view NameOf(DeliveryState state) {
  switch (state) {
    case DeliveryState::kActive:
      return "ACTIVE";
    case DeliveryState::kCreating:
      return "CREATING";
    case DeliveryState::kDeleting:
      break;
  }
  return "DELETING";
}

DeliveryLifecycle::DeliveryLifecycle(const FirehoseOptions& options, storage::Clock& clock)
    : options_(options), clock_(clock) {}

DeliveryState DeliveryLifecycle::StateOf(const DeliveryInfo& info) const {
  const DeliveryInfoPtr deleting = FindDeleting(info.name);
  if (deleting != nullptr && deleting->source == info.source && deleting->created_ms == info.created_ms) {
    return DeliveryState::kDeleting;
  }
  if (IsBeingMade(info.name)) return DeliveryState::kCreating;
  if (options_.create_delay_ms == 0) return DeliveryState::kActive;
  return clock_.WallMs() < info.created_ms + options_.create_delay_ms ? DeliveryState::kCreating
                                                                      : DeliveryState::kActive;
}

DeliveryInfoPtr DeliveryLifecycle::FindDeleting(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = deleting_.find(name);
  return found == deleting_.end() || IsOver(found->second) ? nullptr : found->second.info;
}

std::vector<DeliveryInfoPtr> DeliveryLifecycle::Deleting() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeliveryInfoPtr> all;
  for (const auto& [name, passing] : deleting_) {
    if (!IsOver(passing)) all.push_back(passing.info);
  }
  return all;
}

bool DeliveryLifecycle::IsBeingMade(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return making_.contains(name);
}

void DeliveryLifecycle::BeginCreate(std::string_view name) {
  const std::lock_guard lock(mutex_);
  making_.emplace(name);
}

void DeliveryLifecycle::EndCreate(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = making_.find(name); found != making_.end()) making_.erase(found);
}

void DeliveryLifecycle::BeginDelete(const DeliveryInfoPtr& info) {
  const std::lock_guard lock(mutex_);
  std::erase_if(deleting_, [this](const auto& one) { return IsOver(one.second); });
  deleting_.insert_or_assign(info->name, Passing{info, INT64_MAX});
}

void DeliveryLifecycle::Deleted(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = deleting_.find(name);
  if (found == deleting_.end()) return;
  found->second.until_ms = clock_.WallMs() + options_.delete_delay_ms;
  if (options_.delete_delay_ms == 0) deleting_.erase(found);
}

void DeliveryLifecycle::NotDeleted(const std::string& name) {
  const std::lock_guard lock(mutex_);
  deleting_.erase(name);
}

}  // namespace sluice::broker::firehose
