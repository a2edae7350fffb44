// Adds records to the open batch and seals it when it is full.
#include "client/batch_gatherer.h"

#include "protocol/check.h"

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

std::uint64_t MemoryBytes(const protocol::RecordView& record) {
  std::uint64_t bytes = kRecordMemoryBytes + record.key.value_or("").size() + record.value.value_or("").size();
  for (const protocol::HeaderView& header : record.headers) {
    bytes += header.key.size() + header.value.value_or("").size();
  }
  return bytes;
}

}  // namespace

std::map<std::uint32_t, std::unique_ptr<Batch>> Regroup(
    Batch& batch, protocol::Compression compression, const std::function<std::uint32_t(std::string_view)>& shard_of) {
  if (!batch.bytes) {
    batch.bytes = std::make_shared<std::string>();
    batch.builder.Finish(*batch.bytes);
  }
  std::map<std::uint32_t, std::unique_ptr<Batch>> groups;
  std::string scratch;
  auto reader = protocol::BatchReader::Open(*batch.bytes, scratch);
  SLUICE_CHECK(reader.has_value());
  auto callback = batch.callbacks.begin();
  std::optional<std::uint32_t> shard_without_key;
  for (std::uint32_t place = 0; place < batch.records; ++place) {
    const auto record = reader->Next();
    SLUICE_CHECK(record.has_value() && *record != nullptr);
    const bool has_key = (*record)->key.has_value();
    if (!has_key && !shard_without_key) shard_without_key = shard_of({});
    std::unique_ptr<Batch>& group = groups[has_key ? shard_of(*(*record)->key) : *shard_without_key];
    if (!group) {
      group = std::make_unique<Batch>(compression);
      group->opened_at = batch.opened_at;
      group->last_error = batch.last_error;
    }
    group->builder.Add((*record)->timestamp_ms, (*record)->key, (*record)->value, (*record)->headers);
    if (callback != batch.callbacks.end() && callback->first == place) {
      group->callbacks.emplace_back(group->records, std::move(callback->second));
      ++callback;
    }
    ++group->records;
    group->memory_bytes += MemoryBytes(**record);
  }
  return groups;
}

BatchGatherer::Added BatchGatherer::Add(const NewRecord& record, Producer::Callback& callback) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Added::kClosed;
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
  return news ? Added::kNews : Added::kToOpenBatch;
}

void BatchGatherer::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
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
