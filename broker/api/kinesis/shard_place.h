// A place in a shard, as GetShardIterator and SubscribeToShard are asked for it: one of the five types, with the number
// or the time that belongs to it. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"
#include "protocol/ids.h"
#include "storage/shard_log.h"

namespace sluice::broker::kinesis {

/// The shard that is meant, and its log.
struct NamedShard {
  StreamPtr stream;
  ShardIndex shard;
  std::shared_ptr<storage::ShardLog> log;
};

/// `named` as the client sent it.
ApiResult<NamedShard> FindShard(const Context& context, const aws::Caller& caller, StreamPtr stream,
                                std::string_view named);

struct WantedPlace {
  std::string_view operation;  // as errors name it
  std::string_view type;       // "AT_SEQUENCE_NUMBER", ..
  std::string_view number{};   // empty: none
  std::optional<protocol::aws::Value> time{};
};

/// Which of number and time belong to which type, and that the time is not to come.
std::optional<protocol::aws::ApiError> CheckPlace(const Context& context, const WantedPlace& wanted);
/// The first record that is meant. Of any type but AT_TIMESTAMP, whose place the disk may have to tell.
ApiResult<Offset> FindPlace(const WantedPlace& wanted, const NamedShard& shard, const aws::Caller& caller);

}  // namespace sluice::broker::kinesis
