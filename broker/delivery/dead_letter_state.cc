// Reading and writing of where dead letters are.
#include "broker/delivery/dead_letter_state.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kKey = "dead_letters";

}  // namespace

void WriteShardId(ShardId shard, protocol::JsonWriter& json) {
  json.Key("stream_id").Number(shard.stream.value).Key("shard").Number(shard.index.value);
}

ShardId ReadShardId(StateReader& reader) {
  return {StreamId(reader.U32("stream_id")), ShardIndex(reader.U32("shard"))};
}

std::uint64_t CountDeadLetters(const std::vector<DeadLetters>& letters) {
  std::uint64_t records = 0;
  for (const DeadLetters& range : letters) records += range.records();
  return records;
}

void WriteDeadLetterMarks(const std::vector<DeadLetterMark>& marks, protocol::JsonWriter& json) {
  if (marks.empty()) return;
  json.Key(kKey).BeginList();
  for (const DeadLetterMark& mark : marks) {
    json.BeginObject();
    WriteShardId(mark.shard, json);
    json.Key("from").Number(mark.from.value).EndObject();
  }
  json.EndList();
}

void WriteDeadLetters(const std::vector<DeadLetters>& letters, protocol::JsonWriter& json) {
  if (letters.empty()) return;
  json.Key(kKey).BeginList();
  for (const DeadLetters& range : letters) {
    json.BeginObject().Key("stream").String(range.stream);
    WriteShardId(range.shard, json);
    json.Key("first").Number(range.first.value).Key("last").Number(range.last.value).EndObject();
  }
  json.EndList();
}

std::vector<DeadLetterMark> ReadDeadLetterMarks(StateReader& reader) {
  std::vector<DeadLetterMark> marks;
  if (!reader.Has(kKey)) return marks;
  for (const ConfigNode& item : reader.List(kKey)) {
    StateReader mark(item, "a mark of dead letters");
    marks.push_back({ReadShardId(mark), Offset(mark.U64("from"))});
    reader.Keep(mark.status());
  }
  return marks;
}

std::vector<DeadLetters> ReadDeadLetters(StateReader& reader) {
  std::vector<DeadLetters> letters;
  if (!reader.Has(kKey)) return letters;
  for (const ConfigNode& item : reader.List(kKey)) {
    StateReader range(item, "dead letters");
    letters.push_back(
        {range.String("stream"), ReadShardId(range), Offset(range.U64("first")), Offset(range.U64("last"))});
    if (letters.back().last < letters.back().first) range.Fail("they end before they begin");
    reader.Keep(range.status());
  }
  return letters;
}

}  // namespace sluice::delivery
