// What the client SDK's calls share: where a broker is, what a stream looks like, where a read starts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/status.h"

namespace sluice {

/// How to reach a broker, and how patiently.
struct ClientOptions {
  std::string address = "127.0.0.1:7420";  // host:port of the native door
  std::string client_name = "sluice-cpp";
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds request_timeout{30'000};
  std::chrono::milliseconds retry_backoff_min{10};  // doubled after each try, with jitter
  std::chrono::milliseconds retry_backoff_max{1'000};
};

/// When the broker acknowledges.
enum class Ack : std::uint8_t {
  kDurable = 0,  // on disk, flushed
  kWritten = 1,  // in the operating system's hands; flushed within milliseconds
  kNone = 2,     // nothing is promised
};

enum class CompressionType : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

/// How long records are kept; both empty: for ever.
struct Retention {
  std::optional<std::chrono::milliseconds> age;
  std::optional<std::uint64_t> bytes;  // of the whole stream
};

/// Offsets whose records were acknowledged and are lost.
struct LostRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool accepted = false;  // by AdminClient::AcceptLoss: reads pass over them
};

struct ShardDescription {
  std::uint32_t shard = 0;
  std::string hash_first;  // decimal, 128 bit
  std::string hash_last;
  std::uint64_t oldest_offset = 0;
  std::uint64_t end_offset = 0;  // one past the newest durable record
  std::uint64_t bytes = 0;
  std::int64_t last_append_time_ms = 0;
  std::string quarantine;                        // why the shard takes no records; empty: it does
  std::vector<LostRange> lost;                   // ascending
  std::optional<std::uint32_t> parent;           // what it was split from, or the lower one of two that were merged
  std::optional<std::uint32_t> adjacent_parent;  // the upper one; parents may be forgotten already
  std::int64_t created_ms = 0;
  std::int64_t closed_ms = 0;  // when it was split or merged: end_offset stays; 0: open
};

struct StreamDescription {
  std::uint32_t stream_id = 0;
  std::string name;
  std::int64_t created_ms = 0;
  Retention retention;
  std::vector<ShardDescription> shards;         // the open ones: where records go
  std::vector<ShardDescription> closed_shards;  // with records that can be read; from DescribeStream and ListStreams
  bool encrypted = false;                       // new records are encrypted where the broker stores them
};

/// Where a consumer starts in a shard.
struct Position {
  enum class Kind : std::uint8_t { kOldest, kLatest, kOffset, kTime };  // kLatest: after the newest record of now
  Kind kind = Kind::kOldest;
  std::uint64_t offset = 0;  // kOffset: the first record wanted
  std::int64_t time_ms = 0;  // kTime: the first record appended at or after this time

  static Position Oldest() { return {}; }
  static Position Latest() { return {Kind::kLatest, 0, 0}; }
  static Position AtOffset(std::uint64_t offset) { return {Kind::kOffset, offset, 0}; }
  static Position AtTime(std::int64_t time_ms) { return {Kind::kTime, 0, time_ms}; }
};

/// A member of a consumer group.
struct GroupMember {
  std::uint64_t member_id = 0;
  std::string name;
  std::int64_t joined_ms = 0;
  std::int64_t heard_ms_ago = 0;
  std::uint32_t shards = 0;  // that it reads
  std::chrono::milliseconds session_timeout{0};
};

/// How far a consumer group is in a shard.
struct GroupShard {
  enum class State : std::uint8_t {
    kFree,             // can be read, but there is no member
    kLeased,           // a member reads it
    kAskedBack,        // and is to give it to another
    kWaitsForParents,  // they are not finished
    kFinished,         // closed, and processed to its end
  };
  std::uint32_t shard = 0;
  State state = State::kFree;
  std::uint64_t next_offset = 0;  // the checkpoint: the first record that is not processed
  std::string sequence_number;    // its; empty where there are too many shards for one answer
  std::uint64_t end_offset = 0;
  std::uint64_t lag_records = 0;
  std::int64_t lag_ms = 0;           // age of the oldest record that is not processed
  std::uint64_t missed_records = 0;  // removed by retention before they were processed
  std::uint64_t member_id = 0;       // 0: nobody's
  std::uint64_t epoch = 0;           // of its newest lease
};

struct GroupDescription {
  std::string stream;
  std::string group;
  std::int64_t created_ms = 0;
  Position start;  // where it began
  std::uint32_t member_count = 0;
  std::uint64_t lag_records = 0;  // of all shards
  std::uint64_t missed_records = 0;
  std::vector<GroupMember> members;  // not in lists, and neither are the shards
  std::vector<GroupShard> shards;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

}  // namespace sluice
