// Streams and retention as messages.
#include "broker/api/native/handlers/messages.h"

#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

RetentionSettings FromMessage(const ::sluice::native::Retention& message) {
  RetentionSettings retention;
  if (message.age_ms() != 0) retention.age_ms = message.age_ms();
  if (message.bytes() != 0) retention.bytes = message.bytes();
  return retention;
}

void ToMessage(const HandlerContext& context, const broker::StreamInfo& stream, ::sluice::native::StreamInfo& out) {
  out.set_stream_id(stream.id.value);
  out.set_name(stream.name);
  out.set_created_ms(stream.created_ms);
  out.mutable_retention()->set_age_ms(stream.retention.age_ms.value_or(0));
  out.mutable_retention()->set_bytes(stream.retention.bytes.value_or(0));
  for (const protocol::ShardRange& range : stream.shards.ranges()) {
    const auto log = context.store.OpenShard({stream.id, range.shard});
    ::sluice::native::ShardInfo& shard = *out.add_shards();
    shard.set_shard(range.shard.value);
    shard.set_hash_first_high(range.first.high);
    shard.set_hash_first_low(range.first.low);
    shard.set_hash_last_high(range.last.high);
    shard.set_hash_last_low(range.last.low);
    shard.set_oldest_offset(log->oldest().value);
    shard.set_end_offset(log->durable_end().value);
    shard.set_bytes(log->retained_bytes());
    shard.set_last_append_time_ms(log->last_append_time_ms());
    const storage::ShardDamage damage = log->damage();
    shard.set_quarantine(damage.quarantine);
    for (const storage::Hole& hole : damage.holes) ToMessage(hole, *shard.add_lost());
  }
}

void ToMessage(const storage::Hole& hole, ::sluice::native::LostRange& out) {
  out.set_first(hole.first.value);
  out.set_last(hole.next.value - 1);
  out.set_accepted(hole.accepted);
}

}  // namespace sluice::broker::native
