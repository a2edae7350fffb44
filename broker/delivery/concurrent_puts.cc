// A thread for each place, started when it is used first.
#include "broker/delivery/concurrent_puts.h"

#include <algorithm>

namespace sluice::delivery {
namespace {

constexpr std::size_t kSlots = 16;

}  // namespace

ConcurrentPuts::ConcurrentPuts(ObjectStore& objects, std::string bucket)
    : objects_(objects), bucket_(std::move(bucket)) {}

ConcurrentPuts::~ConcurrentPuts() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (const std::unique_ptr<Slot>& slot : slots_) slot->thread.join();
}

Result<std::size_t> ConcurrentPuts::Reserve() {
  std::unique_lock lock(mutex_);
  const auto is_free = [](const std::unique_ptr<Slot>& slot) { return !slot->busy; };
  changed_.wait(lock, [&] { return !failed_.ok() || slots_.size() < kSlots || std::ranges::any_of(slots_, is_free); });
  if (!failed_.ok()) return Error(failed_);
  auto found = std::ranges::find_if(slots_, is_free);
  if (found == slots_.end()) {
    slots_.push_back(std::make_unique<Slot>());
    found = std::prev(slots_.end());
    Slot& added = **found;
    added.thread = std::thread([this, &added] { Run(added); });
  }
  (*found)->busy = true;
  return static_cast<std::size_t>(found - slots_.begin());
}

void ConcurrentPuts::Put(std::size_t slot, std::string key, std::unique_ptr<ObjectSpool> spool) {
  {
    const std::lock_guard lock(mutex_);
    slots_[slot]->busy = spool != nullptr;
    slots_[slot]->key = std::move(key);
    slots_[slot]->spool = std::move(spool);
  }
  changed_.notify_all();
}

Status ConcurrentPuts::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return std::ranges::none_of(slots_, [](const std::unique_ptr<Slot>& slot) { return slot->busy; });
  });
  return failed_;
}

void ConcurrentPuts::Run(Slot& slot) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || slot.spool != nullptr; });
    if (slot.spool == nullptr) return;
    std::unique_ptr<ObjectSpool> spool = std::move(slot.spool);
    const std::string key = std::move(slot.key);
    lock.unlock();
    Status status = objects_.Put(bucket_, key, std::move(spool));
    lock.lock();
    if (failed_.ok()) failed_ = std::move(status);
    slot.busy = false;
    changed_.notify_all();
  }
}

}  // namespace sluice::delivery
