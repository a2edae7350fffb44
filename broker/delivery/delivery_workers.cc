// The pool's scheduler: one lock, one condition variable.
#include "broker/delivery/delivery_workers.h"

#include <algorithm>
#include <chrono>

#include "protocol/check.h"
#include "storage/env/thread.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kWaitMaxMs = 60'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace

DeliveryWorkers::DeliveryWorkers(storage::Clock& clock, std::size_t threads) : clock_(clock) {
  SLUICE_CHECK(threads > 0);
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] {
      storage::NameThread("delivery");
      storage::RunBesideOthers();
      Run();
    });
}

DeliveryWorkers::~DeliveryWorkers() { Stop(); }

void DeliveryWorkers::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void DeliveryWorkers::Add(std::string_view name, Task task) {
  const std::lock_guard lock(mutex_);
  const auto [it, added] = entries_.emplace(std::string(name), std::make_shared<Entry>());
  SLUICE_CHECK(added);
  it->second->task = std::move(task);
  it->second->due_ns = clock_.MonotonicNs();
  changed_.notify_all();
}

void DeliveryWorkers::Remove(std::string_view name) {
  std::unique_lock lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end()) return;
  const std::shared_ptr<Entry> entry = it->second;
  entries_.erase(it);
  changed_.wait(lock, [&] { return !entry->running; });
}

void DeliveryWorkers::Wake(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end()) return;
  it->second->woken = true;
  it->second->due_ns = std::min(it->second->due_ns, clock_.MonotonicNs());
  changed_.notify_all();
}

void DeliveryWorkers::RunBetween(std::string_view name, const std::function<void()>& work) {
  std::unique_lock lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end()) {
    lock.unlock();
    work();
    return;
  }
  const std::shared_ptr<Entry> entry = it->second;
  changed_.wait(lock, [&] { return !entry->running; });
  entry->running = true;
  lock.unlock();
  work();
  lock.lock();
  entry->running = false;
  entry->due_ns = clock_.MonotonicNs();
  changed_.notify_all();
}

bool DeliveryWorkers::WaitUntil(const std::function<bool()>& done, std::int64_t timeout_ms) {
  const std::int64_t end_ns = clock_.MonotonicNs() + timeout_ms * kNsPerMs;
  std::unique_lock lock(mutex_);
  while (!done() && !stopping_) {
    const std::int64_t left_ms = (end_ns - clock_.MonotonicNs()) / kNsPerMs;
    if (left_ms <= 0) break;
    changed_.wait_for(lock, std::chrono::milliseconds(left_ms));
  }
  return done();
}

DeliveryWorkers::Entry* DeliveryWorkers::NextDue(std::int64_t& wait_ms) {
  Entry* next = nullptr;
  for (const auto& [name, entry] : entries_) {
    if (!entry->running && (next == nullptr || entry->due_ns < next->due_ns)) next = entry.get();
  }
  wait_ms = kWaitMaxMs;
  if (next == nullptr) return nullptr;
  const std::int64_t left_ns = next->due_ns - clock_.MonotonicNs();
  if (left_ns <= 0) return next;
  wait_ms = std::min(kWaitMaxMs, left_ns / kNsPerMs + 1);
  return nullptr;
}

void DeliveryWorkers::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::int64_t wait_ms = 0;
    Entry* next = NextDue(wait_ms);
    if (next == nullptr) {
      changed_.wait_for(lock, std::chrono::milliseconds(wait_ms));
      continue;
    }
    next->running = true;  // keeps the entry alive: Remove waits for it
    next->woken = false;
    lock.unlock();
    const std::int64_t again_ms = next->task();
    lock.lock();
    next->running = false;
    next->due_ns = clock_.MonotonicNs() + (next->woken ? 0 : again_ms * kNsPerMs);
    changed_.notify_all();
  }
}

}  // namespace sluice::delivery
