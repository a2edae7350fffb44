// The consumer: reads one shard or all shards of a stream in order per shard, from any position, waiting for new
// records.
//
// A consumer of all shards goes on with the children of shards that are split and merged, once it has read all of their
// parents. One of chosen shards is told kShardClosed at the end of a closed one.
//
// It keeps a bounded number of bytes read ahead. Damaged data, a position that retention has passed and a deleted
// stream are errors of Poll, told once per shard; nothing is skipped in silence.
//
// Threads: one thread uses a Consumer at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice {

struct ConsumerOptions {
  ClientOptions client;
  Position start = Position::Oldest();
  std::vector<std::uint32_t> shards;            // empty: all shards of the stream
  std::uint64_t fetch_bytes_max = 4u << 20;     // per request
  std::chrono::milliseconds fetch_wait{5'000};  // how long one request may wait at the broker
  std::uint64_t buffer_bytes_max = 64u << 20;   // read ahead, of all shards together (64 KiB per shard at least)
  std::uint32_t poll_records_max = 10'000;
};

/// One record; owns its bytes.
struct ConsumedRecord {
  std::uint32_t shard = 0;
  std::uint64_t offset = 0;
  std::int64_t timestamp_ms = 0;    // the producer's
  std::int64_t append_time_ms = 0;  // the broker's
  std::optional<std::string> key;
  std::string value;
  Headers headers;
};

/// How far a shard has been read.
struct ShardProgress {
  std::uint32_t shard = 0;
  std::uint64_t next_offset = 0;  // what Poll gives next
  std::uint64_t end_offset = 0;   // the durable end when last heard
};

class Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> Open(std::string_view stream, ConsumerOptions options);
  ~Consumer();

  /// Records that are there, or that come within `timeout`; empty where none came. In offset order per shard. While the
  /// broker cannot be reached it is tried again and no records come. An error ends the reading of its shard until Seek;
  /// when all shards have ended, Poll says so (kFailedPrecondition).
  Result<std::vector<ConsumedRecord>> Poll(std::chrono::milliseconds timeout);

  /// The next Poll reads this shard from here; one that waits for its parents begins here when they are finished.
  Status Seek(std::uint32_t shard, Position position);
  Status Pause(std::uint32_t shard);
  Status Resume(std::uint32_t shard);
  std::vector<ShardProgress> progress() const;

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
