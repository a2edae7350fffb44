// Append: what every door calls to store a batch. Admission (limits, back-pressure), then the shard's own loop, where
// batches of encrypted streams are sealed, then the log.
//
// Threads: call Append on any event loop; `done` runs on that same loop, exactly once, possibly before Append returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "broker/loop/event_loops.h"
#include "protocol/frame.h"
#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/log_writer.h"

namespace sluice::storage {
class Clock;
class LogStore;
}  // namespace sluice::storage

namespace sluice::broker {

class Metrics;
class Shards;

struct AppendRequest {
  StreamId stream;
  ShardIndex shard;
  storage::AckMode ack = storage::AckMode::kDurable;
  protocol::FrameBuffer batch;  // one record batch, not yet verified
};

struct AppendOptions {
  std::uint64_t batch_bytes_max = protocol::kBatchBytesMax;    // one batch, header included
  std::uint64_t record_bytes_max = protocol::kRecordBytesMax;  // key, value and headers of one record
  std::uint64_t inflight_bytes_max = 64u << 20;  // of all batches that wait for their answer; doors pause above it
};

class AppendService {
 public:
  using Done = storage::LogWriter::Done;
  virtual ~AppendService() = default;
  /// All references outlive the service.
  static std::unique_ptr<AppendService> New(Shards& shards, storage::LogStore& store, Metrics& metrics,
                                            storage::Clock& clock, AppendOptions options);

  /// kNotFound: no such stream or shard; kInvalidArgument: over a limit, or sealed; kCorruption: not a batch, wrong
  /// checksum, or records that no reader could take apart; kFailedPrecondition: the stream is encrypted and its key
  /// cannot be used; kShardClosed: nothing was stored, the stream has other shards for these
  /// keys now; and what storage::LogWriter::Append says. While a shard is being split or merged, its appends wait.
  virtual void Append(EventLoop& caller, AppendRequest request, Done done) = 0;

  /// True while doors must stop reading from their sockets; they go on when WhenReady calls back on `caller`.
  virtual bool overloaded() const = 0;
  virtual void WhenReady(EventLoop& caller, std::move_only_function<void()> resume) = 0;
};

}  // namespace sluice::broker
