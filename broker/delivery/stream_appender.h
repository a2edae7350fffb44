// Where a delivery stream appends records of its own, and reads them again: the shards of another stream.
// LogStreamAppender appends to the broker's own log; tests bring their own. Of reading, record_source.h is the same.
//
// Threads: calls of one delivery stream come from one thread at a time and may block.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "protocol/batch.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct AppendPlace {
  ShardId shard;
  Offset end;  // durable, now: what is appended from now on stands there or behind it
};

class StreamAppender {
 public:
  /// Gets records in order; the view lives until it returns. What it returns ends the read.
  using Visitor = std::function<Status(Offset, const protocol::RecordView&)>;

  virtual ~StreamAppender() = default;
  /// The open shard that this partition key belongs to now. kNotFound: there is no such stream.
  virtual Result<AppendPlace> Find(std::string_view stream, std::string_view key) = 0;
  /// Appends one record batch and returns when it is durable, with the offset of its first record. kShardClosed:
  /// nothing was stored, other shards have its keys now. After every error Read tells what is there: nothing that was
  /// refused comes later, but for what the start of a broker finds durable.
  virtual Result<Offset> Append(ShardId shard, std::string_view batch) = 0;
  /// All records of [from, to) up to the durable end; what retention has removed, and what the log has lost and
  /// somebody has given up, is passed over. kNotFound: the stream was deleted, or the shard is forgotten; kOutOfRange:
  /// `from` is above the end.
  virtual Status Read(ShardId shard, Offset from, Offset to, const Visitor& visitor) = 0;
  /// What key, value and headers of one record may have together.
  virtual std::uint64_t record_bytes_max() const = 0;
};

}  // namespace sluice::delivery
