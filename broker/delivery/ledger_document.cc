// Writing and reading of the ledger document.
#include "broker/delivery/ledger_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "broker/delivery/config_document.h"
#include "broker/delivery/state_reader.h"

namespace sluice::delivery {

namespace {

constexpr std::size_t kPageBytes = 512u << 10;  // of entries and objects; an answer may have 1 MiB
constexpr std::size_t kObjectBytes = 128;       // besides its key
constexpr std::size_t kIntentKeysMax = 100;

/// Where a page begins: with this object of this entry.
struct Place {
  std::size_t entry = 0;
  std::size_t object = 0;
};

std::string PlaceText(const LedgerDocument& document, const Place& place) {
  return fmt::format("{}:{}", document.entries[place.entry].seq, place.object);
}

std::optional<Place> FindPlace(const LedgerDocument& document, std::string_view text) {
  if (text.empty()) return Place();
  std::uint64_t seq = 0;
  Place place;
  const char* const end = text.data() + text.size();
  const auto [colon, bad_seq] = std::from_chars(text.data(), end, seq);
  if (bad_seq != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [last, bad_object] = std::from_chars(colon + 1, end, place.object);
  if (bad_object != std::errc() || last != end) return std::nullopt;
  const auto found = std::ranges::find(document.entries, seq, &LedgerEntry::seq);
  if (found == document.entries.end() || place.object > found->objects.size()) return std::nullopt;
  place.entry = static_cast<std::size_t>(found - document.entries.begin());
  return place;
}

/// The objects of `entry` from `first` on that fit into `room` bytes, at least one.
std::size_t EndOfObjects(const LedgerEntry& entry, std::size_t first, std::size_t room) {
  std::size_t bytes = 0;
  std::size_t end = first;
  while (end < entry.objects.size()) {
    bytes += entry.objects[end].key.size() + kObjectBytes;
    if (bytes > room && end > first) break;
    ++end;
  }
  return end;
}

/// Writes entries from `place` on, and moves it behind what was written.
void WriteEntries(const LedgerDocument& document, Place& place, protocol::JsonWriter& json) {
  std::size_t bytes = 0;
  json.Key("entries").BeginList();
  while (place.entry < document.entries.size() && bytes < kPageBytes) {
    const LedgerEntry& entry = document.entries[place.entry];
    const std::size_t end = EndOfObjects(entry, place.object, kPageBytes - bytes);
    LedgerEntry part = entry;
    part.objects.assign(entry.objects.begin() + static_cast<std::ptrdiff_t>(place.object),
                        entry.objects.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string text = LedgerEntryToJson(part);
    json.Raw(text);
    bytes += text.size();
    place.object = end;
    if (end < entry.objects.size()) break;
    place = {place.entry + 1, 0};
  }
  json.EndList();
}

/// Without the keys where there are very many: what has been written says itself whose it is.
Intent Told(Intent intent) {
  if (intent.other_keys.size() > kIntentKeysMax) intent.other_keys.clear();
  intent.refused.reset();
  if (intent.backup_keys.size() > kIntentKeysMax) intent.backup_keys.clear();
  return intent;
}

}  // namespace

Result<std::string> LedgerPageToJson(const LedgerDocument& document, std::string_view from) {
  std::optional<Place> place = FindPlace(document, from);
  if (!place) return Error(Code::kInvalidArgument, fmt::format("'{}' is no place in a ledger", from));
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(document.name).Key("uid").String(document.uid);
  json.Key("stream").String(document.stream);
  json.Key("stream_exists").Bool(document.stream_exists);
  json.Key("bucket").String(document.bucket);
  if (!document.backup_bucket.empty()) json.Key("backup_bucket").String(document.backup_bucket);
  json.Key("directories").BeginObject();
  for (const auto& [bucket, directory] : document.directories) json.Key(bucket).String(directory);
  json.EndObject();
  if (!document.endpoint.empty()) json.Key("endpoint").String(document.endpoint);
  WriteShards(document.shards, json);
  json.Key("intent").Raw(document.intent ? IntentToJson(Told(*document.intent)) : "null");
  WriteEntries(document, *place, json);
  json.Key("next").String(place->entry < document.entries.size() ? PlaceText(document, *place) : "").EndObject();
  return json.text();
}

void AddLedgerPage(LedgerDocument& document, LedgerDocument page) {
  const auto is_covered = [&](const SourceRange& range) {
    const auto shard = std::ranges::find(document.shards, range.shard, &ShardPosition::shard);
    return shard != document.shards.end() && range.last < shard->next;
  };
  // A replay has no ranges that tell whether it came later: it belongs to what it follows.
  const auto follows = [&](const LedgerEntry& entry) {
    return document.entries.empty() || document.entries.back().seq + 1 == entry.seq;
  };
  document.next = page.next;
  for (LedgerEntry& entry : page.entries) {
    if (!document.entries.empty() && document.entries.back().seq == entry.seq) {
      std::ranges::move(entry.objects, std::back_inserter(document.entries.back().objects));
    } else if (std::ranges::all_of(entry.ranges, is_covered) && std::ranges::all_of(entry.lost, is_covered) &&
               (entry.replays.empty() || follows(entry))) {
      document.entries.push_back(std::move(entry));
    }
  }
}

Result<LedgerDocument> LedgerDocumentFromJson(std::string_view json) {
  const Result<ConfigNode> tree = ParseJsonTree(json, "the ledger");
  if (!tree) return Error(Code::kCorruption, tree.error().message());
  StateReader reader(*tree, "the ledger");
  LedgerDocument document;
  document.name = reader.String("name");
  document.stream = reader.String("stream");
  if (reader.Has("uid")) document.uid = reader.String("uid");                             // nor this
  document.stream_exists = !reader.Has("stream_exists") || reader.Bool("stream_exists");  // brokers before did not say
  document.bucket = reader.String("bucket");
  if (reader.Has("backup_bucket")) document.backup_bucket = reader.String("backup_bucket");
  for (const ConfigField& field : reader.Map("directories").fields) document.directories[field.key] = field.value.text;
  if (reader.Has("endpoint")) document.endpoint = reader.String("endpoint");
  if (reader.Has("next")) document.next = reader.String("next");  // brokers before told all at once
  document.shards = ReadShards(reader);
  for (const ConfigNode& item : reader.List("entries")) {
    Result<LedgerEntry> entry = LedgerEntryFromTree(item);
    if (!entry) return Error(entry.error());
    document.entries.push_back(std::move(*entry));
  }
  if (const ConfigField* intent = tree->Find("intent");
      intent != nullptr && intent->value.kind == ConfigNode::Kind::kMap) {
    Result<Intent> read = IntentFromTree(intent->value);
    if (!read) return Error(read.error());
    document.intent = std::move(*read);
  }
  if (!reader.ok()) return Error(reader.status());
  return document;
}

}  // namespace sluice::delivery
