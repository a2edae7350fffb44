// Where a delivery stream's records come from: the shards of one stream, read by offset. LogRecordSource reads the
// broker's own log; tests bring their own.
//
// Threads: calls of one delivery stream come from one thread at a time and may block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/object_writer.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct SourceShard {
  ShardIndex shard;
  std::int64_t created_ms = 0;
  std::vector<ShardIndex> parents = {};  // of a split or merge; those that are gone too
  std::optional<Offset> end = {};        // set: closed, nothing comes behind it
};

struct SourceStream {
  StreamId id;
  std::string name;
  std::vector<SourceShard> shards;  // ascending; closed ones are among them until their records are gone

  /// nullptr where there is none.
  const SourceShard* Find(ShardIndex shard) const;
};

struct ReadProgress {
  Offset next;                // where to read on
  Offset oldest;              // of the shard, now
  Offset end;                 // durable end, now
  std::uint64_t records = 0;  // given to the visitor
  std::uint64_t bytes = 0;    // of their values
  bool given_up = false;      // the log has lost everything up to `next`, and that was accepted: no record is given
};

class RecordSource {
 public:
  /// Gets records in order, some at a time; the views live until it returns. What it returns ends the read.
  using Visitor = std::function<Status(std::span<const RecordRef>)>;

  virtual ~RecordSource() = default;
  /// kNotFound: the stream does not exist or was deleted.
  virtual Result<SourceStream> Describe() = 0;
  /// The offset that a start position means now.
  virtual Result<Offset> Resolve(ShardIndex shard, const StartPosition& start) = 0;
  /// Reads records of [from, to) that exist now, until about `bytes_max` bytes are read; at least one where there is
  /// any. The same range gives the same records, but for what the log loses and somebody gives up. kOutOfRange: `from`
  /// is below the oldest or above the end.
  virtual Result<ReadProgress> Read(ShardIndex shard, Offset from, Offset to, std::uint64_t bytes_max,
                                    const Visitor& visitor) = 0;
  /// The oldest offset and the end; for finding out what kOutOfRange meant.
  virtual Result<ReadProgress> Bounds(ShardIndex shard) = 0;
};

}  // namespace sluice::delivery
