// A producer whose batches outlive the process that made them: for programs that move records from somewhere they can
// read again, a file for instance, and must neither lose nor double one when they are killed.
//
//     prepare batches of what was read  ->  write them down, with how far was read  ->  send them until each is stored
//     after a crash: send what was written down, as it is  ->  go on reading from where it says
//
// A prepared batch holds its producer's number and its place in that producer's sequence, so the broker recognises it
// when it comes again, from whatever process. It remembers the last five batches of a producer in a shard, until the
// producer has been silent for seven days or 10,000 others have come: write down and send one Prepare at a time.
//
// Threads: one at a time; every call blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice {

/// Records of one shard, ready to be stored.
struct PreparedBatch {
  std::uint32_t stream_id = 0;
  std::uint32_t shard = 0;
  std::uint32_t records = 0;
  std::string bytes;
};

struct ResumableRecord {
  std::string key;  // chooses the shard; empty: those without a key go to one shard, another one with each Prepare
  std::string value;
  std::int64_t timestamp_ms = 0;
};

struct ResumableProducerOptions {
  ClientOptions client = {};
  CompressionType compression = CompressionType::kNone;
  std::uint64_t batch_bytes_max = 4u << 20;  // more records of one shard become several batches
};

class ResumableProducer {
 public:
  /// Connects, looks the stream up and takes a producer's number; kNotFound where the stream does not exist.
  static Result<std::unique_ptr<ResumableProducer>> Open(std::string_view stream, ResumableProducerOptions options);
  ~ResumableProducer();

  /// Sorts records to the shards that are open as far as is known. Sends nothing. kInvalidArgument for a record that is
  /// larger than the broker takes, or for more than five batches of one shard.
  Result<std::vector<PreparedBatch>> Prepare(std::span<const ResumableRecord> records);

  /// Tries once to store each batch, those of a shard one after another, durably; a Status for each:
  ///   OK                              it is stored, now or since an earlier try;
  ///   retriable                       it may be stored: send it again as it is, until there is another answer;
  ///   kShardClosed, kNotFound         it is not stored: the shard was split or merged, or the stream is gone;
  ///   kFailedPrecondition             it is not stored, unless it was sent before and forgotten (see above).
  /// For the last three PrepareAgain is what goes on. What follows a batch that failed in its shard is not tried and
  /// has the same Status.
  std::vector<Status> Send(std::span<const PreparedBatch> batches);

  /// Looks the stream up again, takes a new number, and prepares the records of these batches anew, in their order.
  Result<std::vector<PreparedBatch>> PrepareAgain(std::span<const PreparedBatch> batches);

  /// Largest record (key and value) that the broker takes.
  std::uint64_t record_bytes_max() const;
  /// Largest batch that is made, before compression: as the options say, or less where the broker takes less.
  std::uint64_t batch_bytes_max() const;

 private:
  struct Impl;
  explicit ResumableProducer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
