// Which offsets a shard still has, and reading them.
#include "tools/sluice/commands/dead_letter_reader.h"

#include <algorithm>
#include <chrono>

#include "sluice/consumer.h"

namespace sluice::tools {
namespace {

constexpr std::chrono::milliseconds kPollMs{1000};
constexpr int kEmptyPollsMax = 30;  // what is asked for is there

}  // namespace

Result<const ShardDescription*> StoredDeadLetters::ShardOf(const delivery::DeadLetters& letters) {
  auto known = streams_.find(letters.stream);
  if (known == streams_.end()) {
    Result<StreamDescription> stream = client_.DescribeStream(letters.stream);
    if (!stream && stream.error().code() != Code::kNotFound) return Error(stream.error());
    known = streams_.emplace(letters.stream, stream ? std::move(*stream) : StreamDescription()).first;
  }
  const StreamDescription& stream = known->second;
  if (stream.name.empty() || stream.stream_id != letters.shard.stream.value) return nullptr;
  for (const std::vector<ShardDescription>* shards : {&stream.shards, &stream.closed_shards}) {
    const auto found = std::ranges::find(*shards, letters.shard.index.value, &ShardDescription::shard);
    if (found != shards->end()) return &*found;
  }
  return nullptr;
}

Result<std::uint64_t> StoredDeadLetters::Read(const delivery::DeadLetters& letters, const DeadLetterVisitor& visitor) {
  const Result<const ShardDescription*> shard = ShardOf(letters);
  if (!shard) return Error(shard.error());
  if (*shard == nullptr || (*shard)->oldest_offset > letters.last.value) return letters.records();
  const std::uint64_t first = std::max(letters.first.value, (*shard)->oldest_offset);
  const std::uint64_t end = std::min(letters.last.value + 1, (*shard)->end_offset);
  ConsumerOptions options;
  options.client = options_;
  options.start = Position::AtOffset(first);
  options.shards = {letters.shard.index.value};
  Result<std::unique_ptr<Consumer>> consumer = Consumer::Open(letters.stream, options);
  if (!consumer) return Error(consumer.error());
  int empty_polls = 0;
  for (std::uint64_t next = first; next < end;) {
    const auto records = (*consumer)->Poll(kPollMs);
    if (!records) return Error(records.error());
    if (records->empty() && ++empty_polls >= kEmptyPollsMax)
      return Error(Code::kTimedOut, "the broker gives no records");
    for (const ConsumedRecord& record : *records) {
      if (record.offset >= end) break;
      visitor(Offset(record.offset), record.value);
      next = record.offset + 1;
    }
    if (!records->empty() && records->back().offset + 1 >= end) break;
  }
  return first - letters.first.value;
}

}  // namespace sluice::tools
