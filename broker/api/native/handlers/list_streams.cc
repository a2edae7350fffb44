// ListStreams: all streams that are not hidden, sorted by name, with their shards.
#include "broker/api/native/handlers/messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleListStreams(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::ListStreamsRequest>(control);
  if (!request) return Error(request.error());
  ::sluice::native::ListStreamsResponse answer;
  for (const StreamPtr& stream : context.catalog.List()) {
    ::sluice::native::StreamInfo& info = *answer.add_streams();
    ToMessage(context, *stream, info);
    if (request->closed_shards()) AddClosedShards(context, *stream, info);
  }
  if (answer.ByteSizeLong() <= protocol::wire::kControlBytesMax) return answer.SerializeAsString();
  // Some ten thousand shards: their hash ranges are most of the answer, and can be had from DescribeStream.
  for (auto& stream : *answer.mutable_streams()) {
    for (auto* const shards : {stream.mutable_shards(), stream.mutable_closed_shards()}) {
      for (auto& shard : *shards) {
        shard.clear_hash_first_high();
        shard.clear_hash_first_low();
        shard.clear_hash_last_high();
        shard.clear_hash_last_low();
      }
    }
  }
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
