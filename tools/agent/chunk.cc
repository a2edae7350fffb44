// A record's way: converted, cut to the largest size, joined with the one before it, or put behind it.
#include "tools/agent/chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/hash_key.h"

namespace sluice::tools {

namespace {

constexpr std::uint64_t kKeyBytesMax = 32;
constexpr std::uint64_t kRecordOverhead = 100;  // key, lengths and the batch's header, generously

}  // namespace

void Chunk::Limit(std::uint64_t record_bytes_max, std::uint64_t batch_bytes_max) {
  record_bytes_max_ =
      std::min(flow_.record_bytes_max(), std::min(record_bytes_max - kKeyBytesMax, batch_bytes_max - kRecordOverhead));
  batch_bytes_max_ = batch_bytes_max;
}

void Chunk::Add(std::string_view record, AgentTimes now) {
  if (read_bytes_ == 0) began_ms_ = now.monotonic_ms;
  read_bytes_ += record.size();
  auto value = flow_.processing->Convert(std::string(record));
  if (!value) {
    ++left_out_;
    return;
  }
  if (value->size() > record_bytes_max_) {
    value->resize(record_bytes_max_ - std::min(record_bytes_max_, flow_.terminator.size()));
    value->append(flow_.terminator);
    ++cut_;
  }
  if (value->empty() || Join(*value)) return;
  bytes_ += value->size();
  batch_bytes_ += value->size() + kRecordOverhead;
  std::string key = KeyOf(*value);
  records_.push_back({.key = std::move(key), .value = std::move(*value), .timestamp_ms = now.wall_ms});
}

bool Chunk::Join(std::string_view value) {
  if (records_.empty() ||
      records_.back().value.size() + value.size() > std::min(flow_.aggregated_bytes, record_bytes_max_))
    return false;
  records_.back().value.append(value);
  bytes_ += value.size();
  batch_bytes_ += value.size();
  return true;
}

/// Direct puts into a delivery stream have no key.
std::string Chunk::KeyOf(std::string_view value) {
  if (!flow_.delivery.empty()) return {};
  if (!flow_.deterministic_keys) return fmt::format("{}", random_());
  const protocol::HashKey hash = protocol::HashPartitionKey(value);
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

void Chunk::Clear() {
  records_.clear();
  bytes_ = 0;
  batch_bytes_ = 0;
  read_bytes_ = 0;
  left_out_ = 0;
  cut_ = 0;
}

}  // namespace sluice::tools
