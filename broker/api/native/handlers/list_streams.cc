// ListStreams: all streams that are not hidden, sorted by name, with their shards.
#include "broker/api/native/handlers/messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleListStreams(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::ListStreamsRequest>(control);
  if (!request) return Error(request.error());
  ::sluice::native::ListStreamsResponse answer;
  for (const StreamPtr& stream : context.catalog.List()) ToMessage(context, *stream, *answer.add_streams());
  if (answer.ByteSizeLong() <= protocol::wire::kControlBytesMax) return answer.SerializeAsString();
  // Some ten thousand shards: their hash ranges are most of the answer, and can be had from DescribeStream.
  for (auto& stream : *answer.mutable_streams()) {
    for (auto& shard : *stream.mutable_shards()) {
      shard.clear_hash_first_high();
      shard.clear_hash_first_low();
      shard.clear_hash_last_high();
      shard.clear_hash_last_low();
    }
  }
  if (answer.ByteSizeLong() <= protocol::wire::kControlBytesMax) return answer.SerializeAsString();
  return Error(Code::kResourceExhausted, "the list of all streams and shards is over 1 MiB; describe streams by name");
}

}  // namespace sluice::broker::native
