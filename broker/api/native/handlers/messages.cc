// Streams and retention as messages.
#include "broker/api/native/handlers/messages.h"

#include "protocol/check.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

RetentionSettings FromMessage(const ::sluice::native::Retention& message) {
  RetentionSettings retention;
  if (message.age_ms() != 0) retention.age_ms = message.age_ms();
  if (message.bytes() != 0) retention.bytes = message.bytes();
  return retention;
}

namespace {

void ToMessage(const HandlerContext& context, StreamId stream, const broker::ShardInfo& info,
               ::sluice::native::ShardInfo& out) {
  const auto log = context.store.OpenShard({stream, info.shard});
  out.set_shard(info.shard.value);
  out.set_hash_first_high(info.first.high);
  out.set_hash_first_low(info.first.low);
  out.set_hash_last_high(info.last.high);
  out.set_hash_last_low(info.last.low);
  out.set_oldest_offset(log->oldest().value);
  out.set_end_offset(log->durable_end().value);
  out.set_bytes(log->retained_bytes());
  out.set_last_append_time_ms(log->last_append_time_ms());
  const storage::ShardDamage damage = log->damage();
  out.set_quarantine(damage.quarantine);
  for (const storage::Hole& hole : damage.holes) native::ToMessage(hole, *out.add_lost());
  if (info.parent) out.set_parent(info.parent->value);
  if (info.adjacent_parent) out.set_adjacent_parent(info.adjacent_parent->value);
  out.set_created_ms(info.created_ms);
  if (info.closed()) out.set_closed_ms(info.closed_ms);
}

}  // namespace

void ToMessage(const HandlerContext& context, const broker::StreamInfo& stream, ::sluice::native::StreamInfo& out) {
  out.set_stream_id(stream.id.value);
  out.set_name(stream.name);
  out.set_created_ms(stream.created_ms);
  out.mutable_retention()->set_age_ms(stream.retention.age_ms.value_or(0));
  out.mutable_retention()->set_bytes(stream.retention.bytes.value_or(0));
  out.set_encrypted(stream.encryption.on);
  for (const protocol::ShardRange& range : stream.shards.ranges()) {
    const broker::ShardInfo* const info = stream.FindShard(range.shard);
    SLUICE_CHECK(info != nullptr);
    ToMessage(context, stream.id, *info, *out.add_shards());
  }
}

void AddClosedShards(const HandlerContext& context, const broker::StreamInfo& stream,
                     ::sluice::native::StreamInfo& out) {
  for (const broker::ShardInfo& info : stream.all_shards) {
    if (info.closed()) ToMessage(context, stream.id, info, *out.add_closed_shards());
  }
}

void ToMessage(const storage::Hole& hole, ::sluice::native::LostRange& out) {
  out.set_first(hole.first.value);
  out.set_last(hole.next.value - 1);
  out.set_accepted(hole.accepted);
}

}  // namespace sluice::broker::native
