// The window of idempotent producers.
#include "storage/producer_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {

std::int32_t NextSequence(std::int32_t sequence, std::int64_t count) {
  constexpr std::int64_t kWrap = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  return static_cast<std::int32_t>((std::int64_t{sequence} + count) % kWrap);
}

Result<std::optional<ProducerBatch>> ProducerTable::Check(const protocol::BatchHeader& header) const {
  SLUICE_CHECK(header.idempotent());
  const auto found = producers_.find(ProducerId(header.producer_id));
  if (found == producers_.end()) {
    // New to this shard, or its window has expired. It may not begin anywhere: several of its batches can be on their
    // way, and where the first is refused the second must not be stored in front of it.
    if (header.base_sequence == 0) return std::nullopt;
    return Error(Code::kFailedPrecondition,
                 fmt::format("producer {} is not known (any more) and has to begin with sequence 0, {} came",
                             header.producer_id, header.base_sequence));
  }
  const ProducerState& producer = *found->second;
  SLUICE_CHECK(!producer.batches.empty());
  if (header.producer_epoch < producer.epoch) {
    return Error(Code::kFenced, fmt::format("producer {} has epoch {}, this batch has {}: a newer instance is at work",
                                            header.producer_id, producer.epoch, header.producer_epoch));
  }
  if (header.producer_epoch > producer.epoch) {
    if (header.base_sequence == 0) return std::nullopt;
    return Error(Code::kFailedPrecondition,
                 fmt::format("producer {} began epoch {} with sequence {} instead of 0", header.producer_id,
                             header.producer_epoch, header.base_sequence));
  }
  const std::int32_t last = NextSequence(header.base_sequence, header.record_count - 1);
  for (const ProducerBatch& batch : producer.batches) {
    if (batch.base_sequence == header.base_sequence && batch.last_sequence == last) return batch;
  }
  const std::int32_t expected = NextSequence(producer.batches.back().last_sequence, 1);
  if (header.base_sequence == expected) return std::nullopt;
  return Error(Code::kFailedPrecondition, fmt::format("producer {}: sequence {} was expected, {} came",
                                                      header.producer_id, expected, header.base_sequence));
}

void ProducerTable::Add(const protocol::BatchHeader& header, Offset base_offset, std::int64_t append_time_ms) {
  SLUICE_CHECK(header.idempotent());
  const ProducerId id(header.producer_id);
  const auto [found, is_new] = producers_.try_emplace(id);
  if (is_new) {
    found->second = order_.insert(order_.end(), ProducerState{id, header.producer_epoch, {}});
  } else {
    order_.splice(order_.end(), order_, found->second);
  }
  ProducerState& producer = *found->second;
  if (producer.epoch != header.producer_epoch) {
    producer.epoch = header.producer_epoch;
    producer.batches.clear();
  }
  if (producer.batches.size() == kProducerWindow) producer.batches.erase(producer.batches.begin());
  producer.batches.push_back({.base_sequence = header.base_sequence,
                              .last_sequence = NextSequence(header.base_sequence, header.record_count - 1),
                              .base_offset = base_offset,
                              .record_count = static_cast<std::uint32_t>(header.record_count),
                              .append_time_ms = append_time_ms});
  Forget(append_time_ms);
  SLUICE_CHECK(producers_.size() == order_.size());
}

void ProducerTable::Forget(std::int64_t now_ms) {
  const auto expired = [&](const ProducerState& producer) {
    return !producer.batches.empty() && producer.batches.back().append_time_ms < now_ms - kExpireMs;
  };
  while (producers_.size() > kProducersMax || (producers_.size() > 1 && expired(order_.front()))) {
    producers_.erase(order_.front().id);
    order_.pop_front();
  }
}

std::vector<ProducerState> ProducerTable::Snapshot(Offset end) const {
  std::vector<ProducerState> producers;
  for (ProducerState producer : order_) {
    std::erase_if(producer.batches, [&](const ProducerBatch& b) { return b.base_offset + b.record_count > end; });
    if (!producer.batches.empty()) producers.push_back(std::move(producer));
  }
  return producers;
}

void ProducerTable::Restore(const std::vector<ProducerState>& producers) {
  SLUICE_CHECK(order_.empty());
  for (const ProducerState& producer : producers) {
    producers_[producer.id] = order_.insert(order_.end(), producer);
  }
}

}  // namespace sluice::storage
