// Reading and writing of what is replayed.
#include "broker/delivery/replay_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/dead_letter_state.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kKey = "replays";

void WriteLines(const LineRanges& lines, protocol::JsonWriter& json) {
  json.Key("lines").BeginList();
  for (const LineRange& range : lines)
    json.BeginObject().Key("first").Number(range.first).Key("last").Number(range.last).EndObject();
  json.EndList();
}

LineRanges ReadLines(StateReader& reader) {
  LineRanges lines;
  for (const ConfigNode& item : reader.List("lines")) {
    StateReader range(item, "lines");
    const LineRange read{range.U64("first"), range.U64("last")};
    if (read.last < read.first || (!lines.empty() && read.first <= lines.back().last))
      range.Fail("they are not in their order");
    lines.push_back(read);
    reader.Keep(range.status());
  }
  return lines;
}

}  // namespace

std::uint64_t CountLines(const std::vector<ReplayedLines>& replays) {
  std::uint64_t lines = 0;
  for (const ReplayedLines& replay : replays) lines += CountLines(replay.lines);
  return lines;
}

bool HasDeadLetters(const std::vector<ReplayedLines>& replays) {
  return std::ranges::any_of(replays, [](const ReplayedLines& replay) { return replay.shard.has_value(); });
}

void WriteReplays(const std::vector<ReplayedLines>& replays, protocol::JsonWriter& json) {
  if (replays.empty()) return;
  json.Key(kKey).BeginList();
  for (const ReplayedLines& replay : replays) {
    json.BeginObject();
    if (replay.shard) {
      json.Key("stream").String(replay.key);
      WriteShardId(*replay.shard, json);
    } else {
      if (!replay.bucket.empty()) json.Key("bucket").String(replay.bucket);
      json.Key("key").String(replay.key).Key("bytes").Number(replay.bytes);
      json.Key("checksum").String(fmt::format("{:016x}", replay.checksum));
    }
    WriteLines(replay.lines, json);
    json.EndObject();
  }
  json.EndList();
}

std::vector<ReplayedLines> ReadReplays(StateReader& reader) {
  std::vector<ReplayedLines> replays;
  if (!reader.Has(kKey)) return replays;
  for (const ConfigNode& item : reader.List(kKey)) {
    StateReader replay(item, "a replay");
    if (replay.Has("stream")) {
      replays.push_back({.key = replay.String("stream"), .lines = ReadLines(replay), .shard = ReadShardId(replay)});
    } else {
      replays.push_back({.key = replay.String("key"),
                         .bytes = replay.U64("bytes"),
                         .checksum = replay.Checksum("checksum"),
                         .lines = ReadLines(replay),
                         .bucket = replay.Has("bucket") ? replay.String("bucket") : ""});
    }
    reader.Keep(replay.status());
  }
  return replays;
}

}  // namespace sluice::delivery
