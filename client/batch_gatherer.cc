// Adds records to the open batch and seals it when it is full.
#include "client/batch_gatherer.h"

namespace sluice::client {
namespace {

// What a record adds to a batch at most beside its own bytes: length, attributes, timestamp and offset deltas, lengths
// of key and value, number of headers; and per header two lengths.
constexpr std::size_t kRecordOverheadMax = 36;
constexpr std::size_t kHeaderOverheadMax = 10;

std::size_t EncodedSizeMax(const NewRecord& record) {
  std::size_t size = kRecordOverheadMax + record.key.size() + record.value.size();
  for (const auto& [name, value] : *record.headers) size += kHeaderOverheadMax + name.size() + value.size();
  return size;
}

}  // namespace

bool BatchGatherer::Add(const NewRecord& record, Producer::Callback callback) {
  const std::lock_guard lock(mutex_);
  bool news = false;
  if (open_ && open_->builder.size_bytes() + EncodedSizeMax(record) > batch_bytes_max_) {
    sealed_.push_back(std::move(open_));
    news = true;
  }
  if (!open_) {
    open_ = std::make_unique<Batch>(compression_);
    open_->opened_at = Batch::Clock::now();
    news = true;
  }
  header_views_.clear();
  for (const auto& [name, value] : *record.headers) header_views_.push_back({name, value});
  std::optional<std::string_view> key;
  if (!record.key.empty()) key = record.key;
  open_->builder.Add(record.timestamp_ms, key, record.value, header_views_);
  if (callback) open_->callbacks.emplace_back(open_->records, std::move(callback));
  ++open_->records;
  open_->memory_bytes += record.memory_bytes;
  return news;
}

std::unique_ptr<Batch> BatchGatherer::Take(Batch::Clock::time_point open_before) {
  const std::lock_guard lock(mutex_);
  if (!sealed_.empty()) {
    auto batch = std::move(sealed_.front());
    sealed_.pop_front();
    return batch;
  }
  if (open_ && open_->opened_at <= open_before) return std::move(open_);
  return nullptr;
}

std::optional<Batch::Clock::time_point> BatchGatherer::oldest() const {
  const std::lock_guard lock(mutex_);
  if (!sealed_.empty()) return sealed_.front()->opened_at;
  if (open_) return open_->opened_at;
  return std::nullopt;
}

}  // namespace sluice::client
