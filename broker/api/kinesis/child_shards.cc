// A child names all of its parents.
#include "broker/api/kinesis/child_shards.h"

#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

void WriteChildShards(protocol::aws::Writer& writer, const StreamInfo& stream, ShardIndex shard) {
  writer.Name("ChildShards").BeginList();
  for (const ShardInfo& child : ShardsAfter(stream, shard)) {
    if (child.parent != shard && child.adjacent_parent != shard) continue;
    writer.BeginMap();
    writer.Name("ShardId").Text(ShardName(child.shard));
    writer.Name("ParentShards").BeginList();
    writer.Text(ShardName(*child.parent));
    if (child.adjacent_parent) writer.Text(ShardName(*child.adjacent_parent));
    writer.EndList();
    WriteHashKeyRange(writer, child);
    writer.EndMap();
  }
  writer.EndList();
}

}  // namespace sluice::broker::kinesis
