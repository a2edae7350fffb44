// The producer: takes records, gathers them per shard, sends them, retries, and reports each record's fate exactly
// once.
//
// Records of one partition key stay in order, also where shards are split and merged meanwhile. With `idempotent` (the
// default) a retried batch is stored once, also when the broker or the connection died in between. Memory is bounded:
// Send blocks, and TrySend refuses, while `buffer_bytes_max` is in use.
//
// Threads: a Producer may be shared; callbacks run on its own thread and must not block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice {

struct ProducerOptions {
  ClientOptions client;
  Ack ack = Ack::kDurable;
  CompressionType compression = CompressionType::kNone;
  bool idempotent = true;
  std::string producer_name;                            // optional: a newer producer of the same name fences this one
  std::uint64_t batch_bytes_max = 256u << 10;           // a batch is sent at this size ...
  std::chrono::microseconds linger{1'000};              // ... or at this age
  std::uint32_t batches_in_flight_max = 5;              // per shard (1 to 5 when idempotent)
  std::uint64_t buffer_bytes_max = 64u << 20;           // of all records not yet reported
  std::chrono::milliseconds delivery_timeout{120'000};  // from Send to the report, retries included
};

/// What became of a record.
struct DeliveryReport {
  Status status;
  std::uint32_t shard = 0;
  std::uint64_t offset = 0;  // with status OK and ack other than none
  std::int64_t append_time_ms = 0;
};

struct ProducerStats {
  std::uint64_t records_sent = 0;
  std::uint64_t records_acknowledged = 0;
  std::uint64_t records_failed = 0;
  std::uint64_t batches_sent = 0;
  std::uint64_t retries = 0;
  std::uint64_t bytes_buffered = 0;
  Status last_retry;  // why a batch is being sent again; OK: none is, or one has been acknowledged since
};

class Producer {
 public:
  using Callback = std::function<void(const DeliveryReport&)>;

  /// Connects and looks the stream up; kNotFound where it does not exist.
  static Result<std::unique_ptr<Producer>> Open(std::string_view stream, ProducerOptions options);
  /// Waits until every record has been reported, those that callbacks send meanwhile too; then closes.
  ~Producer();

  /// Queues a record; `key` chooses the shard (an empty key: shards in turn). Blocks while the buffer is full.
  /// `callback` is called exactly once. The Status is for records that were not taken (too large, closed): no callback
  /// then.
  Status Send(std::string_view key, std::string_view value, Callback callback = {}, const Headers& headers = {});
  /// The same with a future.
  std::future<DeliveryReport> SendFuture(std::string_view key, std::string_view value, const Headers& headers = {});
  /// kResourceExhausted instead of blocking.
  Status TrySend(std::string_view key, std::string_view value, Callback callback = {}, const Headers& headers = {});
  /// As Send, to a shard chosen by the caller; kShardClosed where it was split or merged. What it took before goes by
  /// its key then.
  Status SendToShard(std::uint32_t shard, std::string_view key, std::string_view value, Callback callback = {},
                     const Headers& headers = {});

  /// Sends what is gathered and waits until every record that was sent before the call has been reported; what other
  /// threads and callbacks send meanwhile is not waited for. The first failure since the last Flush, or OK.
  Status Flush();
  ProducerStats stats() const;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
