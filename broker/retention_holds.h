// Which records retention must not remove because they have not been delivered yet: the lowest such offset per shard
// and holder.
//
// Whoever holds a shard of a stream holds all of its other shards from their start until he says more: those that a
// split or a merge makes are held before he has seen them.
//
// The delivery stage sets a hold when it starts to read a shard and raises it as it checkpoints; the retention task
// reads it. Holds live in memory only: the delivery stage sets them anew from its checkpoints before the retention task
// starts.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/ids.h"

namespace sluice::broker {

/// What a holder needs the records for.
enum class HoldReason : std::uint8_t {
  kSource,       // it has to deliver them
  kDeadLetters,  // among them are dead letters that a delivery, which is not done, has appended or delivers again
};

struct Holder {
  std::string name;  // a delivery stream's
  HoldReason reason = HoldReason::kSource;
};

class RetentionHolds {
 public:
  /// Nothing at or above `keep_from` is removed from `shard` while this holder (a delivery stream's name) says so.
  void Set(ShardId shard, std::string_view holder, Offset keep_from, HoldReason reason = HoldReason::kSource);
  void Remove(ShardId shard, std::string_view holder);
  /// Removes all holds of one holder, such as a deleted delivery stream.
  void RemoveAll(std::string_view holder);
  /// The lowest offset of each shard of a stream that a holder still needs; kMaxOffset where there is no holder.
  class OfStream {
   public:
    Offset KeepFrom(ShardIndex shard) const;

   private:
    friend class RetentionHolds;
    struct Held {
      Offset lowest = kMaxOffset;
      std::size_t holders = 0;
    };
    std::map<ShardIndex, Held> shards_;
    std::set<std::string, std::less<>> holders_;
  };
  OfStream Of(StreamId stream) const;
  Offset KeepFrom(ShardId shard) const { return Of(shard.stream).KeepFrom(shard.index); }
  /// One that holds records of this stream, of several one that has to deliver them; nullopt where nobody does.
  std::optional<Holder> HolderOf(StreamId stream) const;

 private:
  struct Hold {
    Offset keep_from;
    HoldReason reason = HoldReason::kSource;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<ShardId, std::string>, Hold, std::less<>> holds_;  // guarded by mutex_
};

}  // namespace sluice::broker
