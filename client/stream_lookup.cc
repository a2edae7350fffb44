// Asks the broker about a stream and reads what it says.
#include "client/stream_lookup.h"

#include <fmt/format.h>

#include "protocol/native/native.pb.h"

namespace sluice::client {
namespace {

using protocol::wire::Operation;

Call DescribeCall(std::string_view name, const ClientOptions& options) {
  native::DescribeStreamRequest request;
  request.set_name(std::string(name));
  return {.operation = Operation::kDescribeStream,
          .control = request.SerializeAsString(),
          .body = nullptr,
          .timeout = options.request_timeout};
}

Result<StreamDescription> ReadDescription(Result<Answer> answer) {
  if (!answer) return std::unexpected(answer.error());
  native::StreamInfo info;
  if (!info.ParseFromString(answer->control)) {
    return Error(Code::kCorruption, "the broker's description of the stream does not parse");
  }
  return DescriptionOf(info);
}

}  // namespace

LostRange LostRangeOf(const native::LostRange& range) { return {range.first(), range.last(), range.accepted()}; }

StreamDescription DescriptionOf(const native::StreamInfo& info) {
  StreamDescription description;
  description.stream_id = info.stream_id();
  description.name = info.name();
  description.created_ms = info.created_ms();
  if (info.retention().age_ms() != 0) description.retention.age = std::chrono::milliseconds(info.retention().age_ms());
  if (info.retention().bytes() != 0) description.retention.bytes = info.retention().bytes();
  for (const native::ShardInfo& shard : info.shards()) {
    description.shards.push_back({.shard = shard.shard(),
                                  .hash_first = protocol::ToDecimal({shard.hash_first_high(), shard.hash_first_low()}),
                                  .hash_last = protocol::ToDecimal({shard.hash_last_high(), shard.hash_last_low()}),
                                  .oldest_offset = shard.oldest_offset(),
                                  .end_offset = shard.end_offset(),
                                  .bytes = shard.bytes(),
                                  .last_append_time_ms = shard.last_append_time_ms(),
                                  .quarantine = shard.quarantine(),
                                  .lost = {}});
    for (const native::LostRange& range : shard.lost()) description.shards.back().lost.push_back(LostRangeOf(range));
  }
  return description;
}

void SetRetention(const Retention& from, native::Retention& to) {
  if (from.age) to.set_age_ms(from.age->count());
  if (from.bytes) to.set_bytes(*from.bytes);
}

Result<protocol::ShardMap> ShardMapOf(const StreamDescription& description) {
  std::vector<protocol::ShardRange> ranges;
  for (const ShardDescription& shard : description.shards) {
    const auto first = protocol::ParseHashKey(shard.hash_first);
    const auto last = protocol::ParseHashKey(shard.hash_last);
    if (!first) return std::unexpected(first.error());
    if (!last) return std::unexpected(last.error());
    ranges.push_back({ShardIndex(shard.shard), *first, *last});
  }
  auto map = protocol::ShardMap::FromRanges(std::move(ranges));
  if (!map) return std::unexpected(map.error().WithContext("stream '" + description.name + "'"));
  return map;
}

Result<StreamDescription> LookUp(Connection& connection, std::string_view name) {
  return ReadDescription(connection.CallAndWait(DescribeCall(name, connection.options())));
}

void FindOutWhatBecame(Connection& connection, const std::string& name, std::uint32_t id,
                       std::move_only_function<void(Status)> done) {
  auto read = [name, id, done = std::move(done)](Result<Answer> answer) mutable {
    const auto now = ReadDescription(std::move(answer));
    std::string text = fmt::format("stream '{}' (id {}) was deleted", name, id);
    if (now && now->stream_id != id) {
      text += fmt::format(" and created anew (id {}); open a new client to use the new stream", now->stream_id);
    } else if (now) {
      text = fmt::format("a shard of stream '{}' does not exist; open a new client to learn its shards", name);
    }
    done(Status(Code::kNotFound, std::move(text)));
  };
  connection.Make(DescribeCall(name, connection.options()), std::move(read));
}

}  // namespace sluice::client
