// What a shard remembers about idempotent producers, so that a retried batch is stored once.
//
// Per producer: its epoch and its last five batches. A batch that is there already is a duplicate and gets the first
// answer; one that follows on is new; anything else is a gap. Who is not known begins with sequence 0. Bounded: beyond
// kProducersMax the producer that has been silent the longest is forgotten, and any that has been silent for kExpireMs.
// Rebuilt on recovery: checkpoint, then journal.
//
// Threads: none of its own; ShardLogImpl's lock guards it.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "protocol/batch.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::storage {

/// One batch of a producer, as the window keeps it and the checkpoint stores it.
struct ProducerBatch {
  std::int32_t base_sequence = 0;
  std::int32_t last_sequence = 0;
  Offset base_offset;
  std::uint32_t record_count = 0;
  std::int64_t append_time_ms = 0;
  friend bool operator==(const ProducerBatch&, const ProducerBatch&) = default;
};

struct ProducerState {
  ProducerId id;
  std::int16_t epoch = 0;
  std::vector<ProducerBatch> batches;  // oldest first, at most kProducerWindow
  friend bool operator==(const ProducerState&, const ProducerState&) = default;
};

inline constexpr std::size_t kProducerWindow = 5;

class ProducerTable {
 public:
  static constexpr std::size_t kProducersMax = 10'000;
  static constexpr std::int64_t kExpireMs = 7ll * 24 * 3600 * 1000;

  /// nullopt: a new batch that follows on. A value: a duplicate of this one. kFailedPrecondition: a gap (names what was
  /// expected), also in front of the first batch; kFenced: the epoch is older than the newest seen.
  Result<std::optional<ProducerBatch>> Check(const protocol::BatchHeader& header) const;
  /// Remembers a batch that Check called new.
  void Add(const protocol::BatchHeader& header, Offset base_offset, std::int64_t append_time_ms);

  /// All producers, longest silent first, without batches that end above `end`.
  std::vector<ProducerState> Snapshot(Offset end) const;
  void Restore(const std::vector<ProducerState>& producers);
  std::size_t size() const { return producers_.size(); }

 private:
  using Order = std::list<ProducerState>;  // longest silent first

  void Forget(std::int64_t now_ms);

  Order order_;
  std::unordered_map<ProducerId, Order::iterator> producers_;
};

/// The sequence that follows `sequence` by `count`: 31 bits, 0 after 2^31-1 (as Kafka does).
std::int32_t NextSequence(std::int32_t sequence, std::int64_t count);

}  // namespace sluice::storage
