// Asks the broker about a stream and reads what it says.
#include "client/stream_lookup.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/native/native.pb.h"

namespace sluice::client {
namespace {

using protocol::wire::Operation;

Call DescribeCall(std::string_view name, const ClientOptions& options) {
  native::DescribeStreamRequest request;
  request.set_name(std::string(name));
  request.set_closed_shards(true);
  return {.operation = Operation::kDescribeStream,
          .control = request.SerializeAsString(),
          .body = nullptr,
          .timeout = options.request_timeout};
}

ShardDescription ShardOf(const native::ShardInfo& info) {
  ShardDescription shard;
  shard.shard = info.shard();
  shard.hash_first = protocol::ToDecimal({info.hash_first_high(), info.hash_first_low()});
  shard.hash_last = protocol::ToDecimal({info.hash_last_high(), info.hash_last_low()});
  shard.oldest_offset = info.oldest_offset();
  shard.end_offset = info.end_offset();
  shard.bytes = info.bytes();
  shard.last_append_time_ms = info.last_append_time_ms();
  shard.quarantine = info.quarantine();
  for (const native::LostRange& range : info.lost()) shard.lost.push_back(LostRangeOf(range));
  if (info.has_parent()) shard.parent = info.parent();
  if (info.has_adjacent_parent()) shard.adjacent_parent = info.adjacent_parent();
  shard.created_ms = info.created_ms();
  shard.closed_ms = info.closed_ms();
  return shard;
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
  description.encrypted = info.encrypted();
  if (info.retention().age_ms() != 0) description.retention.age = std::chrono::milliseconds(info.retention().age_ms());
  if (info.retention().bytes() != 0) description.retention.bytes = info.retention().bytes();
  for (const native::ShardInfo& shard : info.shards()) description.shards.push_back(ShardOf(shard));
  for (const native::ShardInfo& shard : info.closed_shards()) description.closed_shards.push_back(ShardOf(shard));
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

// What to say where the stream that was opened is not the one of that name any more.
static Status Gone(const std::string& name, std::uint32_t id, const Result<StreamDescription>& now) {
  std::string text = fmt::format("stream '{}' (id {}) was deleted", name, id);
  if (now) text += fmt::format(" and created anew (id {}); open a new client to use the new stream", now->stream_id);
  return {Code::kNotFound, std::move(text)};
}

void FindOutWhatBecame(Connection& connection, const std::string& name, std::uint32_t id,
                       std::move_only_function<void(Status)> done) {
  auto read = [name, id, done = std::move(done)](Result<Answer> answer) mutable {
    const auto now = ReadDescription(std::move(answer));
    if (!now || now->stream_id != id) return done(Gone(name, id, now));
    done(Status(Code::kNotFound,
                fmt::format("a shard of stream '{}' does not exist; open a new client to learn its shards", name)));
  };
  connection.Make(DescribeCall(name, connection.options()), std::move(read));
}

StreamRefresher::StreamRefresher(Connection& connection, Done done)
    : connection_(connection),
      done_(std::move(done)),
      backoff_(connection.options()),
      timer_(connection.io().context()) {}

void StreamRefresher::Refresh() {
  if (std::exchange(under_way_, true)) return;
  Ask();
}

void StreamRefresher::RefreshLater() {
  if (std::exchange(under_way_, true)) return;
  AskLater();
}

void StreamRefresher::Ask() {
  connection_.Make(DescribeCall(name_, connection_.options()),
                   [this](Result<Answer> answer) { Answered(ReadDescription(std::move(answer))); });
}

void StreamRefresher::AskLater() {
  timer_.expires_after(backoff_.Next());
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Ask();
  });
}

void StreamRefresher::Answered(Result<StreamDescription> description) {
  if (stopped_) return;
  if (!description && description.error().retriable()) return AskLater();
  under_way_ = false;
  const bool gone = description ? description->stream_id != id_ : description.error().code() == Code::kNotFound;
  if (gone) description = Error(Gone(name_, id_, description));
  done_(std::move(description));
}

void StreamRefresher::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace sluice::client
