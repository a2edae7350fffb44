// ChildShards: what readers of a closed shard are told at its end, so that they go on. Thread-safe.
#pragma once

#include "broker/stream_catalog.h"
#include "protocol/aws/writer.h"
#include "protocol/ids.h"

namespace sluice::broker::kinesis {

/// Writes the member ChildShards: the children of a shard that `stream` knows to be closed.
void WriteChildShards(protocol::aws::Writer& writer, const StreamInfo& stream, ShardIndex shard);

}  // namespace sluice::broker::kinesis
