// Records on their way from files to the stream: converted, cut, joined where that is wanted, with their keys.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sluice/resumable_producer.h"
#include "tools/agent/agent_config.h"

namespace sluice::tools {

struct AgentTimes {
  std::int64_t wall_ms = 0;       // since 1970
  std::int64_t monotonic_ms = 0;  // for ages: somebody may set the other clock
};

class Chunk {
 public:
  /// `flow` outlives the chunk.
  explicit Chunk(const FlowConfig& flow)
      : flow_(flow), random_(std::random_device()()), record_bytes_max_(flow.record_bytes_max()) {}

  /// What the broker takes, where that is less than what the flow has: a chunk makes five batches of a shard at most.
  void Limit(std::uint64_t record_bytes_max, std::uint64_t batch_bytes_max);

  /// One record as it stands in the file, with its newline.
  void Add(std::string_view record, AgentTimes now);
  /// Bytes of files that are in no record (headers, the rest of what was cut).
  void Pass(std::size_t bytes) { read_bytes_ += bytes; }
  bool full() const {
    return bytes_ >= flow_.buffer_bytes || records_.size() >= flow_.buffer_records || batch_bytes_ >= batch_bytes_max_;
  }
  /// Nothing was read from any file.
  bool empty() const { return read_bytes_ == 0; }
  /// It is to be sent: full, or its first record old enough.
  bool due(AgentTimes now) const {
    return !empty() && (full() || now.monotonic_ms - began_ms_ >= static_cast<std::int64_t>(flow_.buffer_age_ms));
  }

  const std::vector<ResumableRecord>& records() const { return records_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t left_out() const { return left_out_; }  // not in the format of the processing options
  std::uint64_t cut() const { return cut_; }
  void Clear();

 private:
  std::string KeyOf(std::string_view value);
  bool Join(std::string_view value);

  const FlowConfig& flow_;
  std::mt19937_64 random_;
  std::uint64_t record_bytes_max_;
  std::uint64_t batch_bytes_max_ = ~std::uint64_t{0};
  std::vector<ResumableRecord> records_;
  std::uint64_t bytes_ = 0;
  std::uint64_t batch_bytes_ = 0;  // with what records cost besides
  std::uint64_t read_bytes_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t cut_ = 0;
  std::int64_t began_ms_ = 0;  // monotonic; its first record
};

}  // namespace sluice::tools
