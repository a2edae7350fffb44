// Gathers the records of one shard into batches until the sender takes them.
//
// The open batch grows until a record does not fit any more, then it is sealed and waits; it is also given away
// unsealed when it has reached the linger age. Threads: own locking; Add from any thread, Take from the client's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/batch.h"
#include "sluice/producer.h"

namespace sluice::client {

/// What a record costs in memory beside its bytes, roughly.
inline constexpr std::uint64_t kRecordMemoryBytes = 64;

/// Records on their way to one shard, and whom to tell about them.
struct Batch {
  using Clock = std::chrono::steady_clock;

  explicit Batch(protocol::Compression compression) : builder(compression) {}

  protocol::BatchBuilder builder;                                       // empty once `bytes` is there
  std::shared_ptr<std::string> bytes;                                   // as it is sent; null before the first try
  std::vector<std::pair<std::uint32_t, Producer::Callback>> callbacks;  // by place in the batch; few records have one
  std::uint32_t records = 0;
  std::uint64_t memory_bytes = 0;  // of the producer's buffer
  Clock::time_point opened_at;

  std::uint64_t identity_generation = 0;  // the producer identity that is written in `bytes`
  bool maybe_stored = false;              // a try under that identity ended without an answer
  bool renewed = false;                   // a new identity was asked for on behalf of this batch
  Status last_error;                      // of the last try
};

/// One record as Send takes it.
struct NewRecord {
  std::string_view key;  // empty: none
  std::string_view value;
  const Headers* headers = nullptr;
  std::int64_t timestamp_ms = 0;
  std::uint64_t memory_bytes = 0;
};

/// The records of a batch that was not stored, in batches for other shards, each in the order of the old one.
/// `shard_of` gets the key of each record, empty where it has none; these stay together.
std::map<std::uint32_t, std::unique_ptr<Batch>> Regroup(Batch& batch, protocol::Compression compression,
                                                        const std::function<std::uint32_t(std::string_view)>& shard_of);

class BatchGatherer {
 public:
  BatchGatherer(protocol::Compression compression, std::uint64_t batch_bytes_max)
      : compression_(compression), batch_bytes_max_(batch_bytes_max) {}

  enum class Added : std::uint8_t {
    kToOpenBatch,
    kNews,    // the sender has something new to look at: a batch was opened or sealed
    kClosed,  // not taken: the shard was closed
  };
  /// `callback` is taken where the record is.
  Added Add(const NewRecord& record, Producer::Callback& callback);
  /// Takes no records any more; those that are here can be taken.
  void Close();

  /// The oldest sealed batch, or the open one where it was opened at or before `open_before`; null where there is
  /// neither.
  std::unique_ptr<Batch> Take(Batch::Clock::time_point open_before);
  /// When the batch that Take would give next was opened.
  std::optional<Batch::Clock::time_point> oldest() const;

 private:
  const protocol::Compression compression_;
  const std::uint64_t batch_bytes_max_;

  mutable std::mutex mutex_;
  std::unique_ptr<Batch> open_;                     // guarded by mutex_
  bool closed_ = false;                             // guarded by mutex_
  std::deque<std::unique_ptr<Batch>> sealed_;       // guarded by mutex_, older than open_
  std::vector<protocol::HeaderView> header_views_;  // guarded by mutex_; kept for its memory
};

}  // namespace sluice::client
