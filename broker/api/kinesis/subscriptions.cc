// The registry; who is ended is called when the lock is free.
#include "broker/api/kinesis/subscriptions.h"

#include <utility>
#include <vector>

namespace sluice::broker::kinesis {

std::optional<Subscriptions::Ticket> Subscriptions::Begin(const Key& key, std::int64_t now_ms, EndWith end,
                                                          const protocol::aws::ApiError& taken_over) {
  EndWith old;
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = entries_.try_emplace(key);
    if (!is_new && now_ms - entry->second.begun_ms < options_.young_ms) return std::nullopt;
    old = std::move(entry->second.end);
    ticket = ++last_ticket_;
    entry->second = {ticket, now_ms, std::move(end)};
  }
  if (old) old(taken_over);
  return ticket;
}

void Subscriptions::Ended(const Key& key, Ticket ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.ticket == ticket) entries_.erase(found);
}

void Subscriptions::EndConsumer(StreamId stream, const std::string& consumer, const protocol::aws::ApiError& why) {
  std::vector<EndWith> ended;
  {
    const std::lock_guard lock(mutex_);
    auto entry = entries_.lower_bound(Key{stream, consumer, ShardIndex(0)});
    while (entry != entries_.end() && entry->first.stream == stream && entry->first.consumer == consumer) {
      ended.push_back(std::move(entry->second.end));
      entry = entries_.erase(entry);
    }
  }
  for (const EndWith& end : ended) end(why);
}

}  // namespace sluice::broker::kinesis
