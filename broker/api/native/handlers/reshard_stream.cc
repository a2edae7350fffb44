// ReshardStream: splits or merges shards of a stream, or gives it another number of them.
#include "broker/api/native/handlers/messages.h"
#include "protocol/native/native.pb.h"
#include "protocol/uint128.h"

namespace sluice::broker::native {
namespace {

using protocol::HashKey;
using protocol::Uint128;
using Request = ::sluice::native::ReshardStreamRequest;

Uint128 ToNumber(HashKey key) { return Uint128{key.high} << 64 | key.low; }

// Where the upper half of the shard begins, or just what was asked for. A shard with one hash key has no upper half:
// the plan of the split refuses what comes out.
Result<HashKey> StartOf(const HandlerContext& context, const Request& request) {
  const HashKey start{request.split().start_high(), request.split().start_low()};
  if (start != protocol::kMinHashKey) return start;
  const auto stream = context.catalog.Find(request.name());
  if (!stream) return Error(stream.error());
  const ShardIndex shard(request.split().shard());
  if (Status status = CheckShard(**stream, shard); !status.ok()) return Error(std::move(status));
  const ShardInfo& info = *(*stream)->FindShard(shard);  // its range never changes
  const Uint128 first = ToNumber(info.first);
  const Uint128 upper = first + (ToNumber(info.last) - first) / 2 + 1;
  return HashKey{static_cast<std::uint64_t>(upper >> 64), static_cast<std::uint64_t>(upper)};
}

Result<StreamPtr> Reshard(const HandlerContext& context, const Request& request) {
  switch (request.change_case()) {
    case Request::kSplit: {
      const auto start = StartOf(context, request);
      if (!start) return Error(start.error());
      return context.resharder.Split(request.name(), ShardIndex(request.split().shard()), *start);
    }
    case Request::kMerge:
      return context.resharder.Merge(request.name(), ShardIndex(request.merge().shard()),
                                     ShardIndex(request.merge().adjacent()));
    case Request::kShards:
      return context.resharder.Resize(request.name(), request.shards());
    case Request::CHANGE_NOT_SET:
      break;
  }
  return Error(Code::kInvalidArgument, "the request asks for no change of the shards that this broker knows");
}

}  // namespace

Result<std::string> HandleReshardStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<Request>(control);
  if (!request) return Error(request.error());
  const auto stream = Reshard(context, *request);
  if (!stream) return Error(stream.error());
  ::sluice::native::StreamInfo answer;
  ToMessage(context, **stream, answer);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
