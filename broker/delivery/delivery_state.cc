// The JSON of intents, checkpoints and ledger entries. Every document has a "format"; a newer one is refused.
#include "broker/delivery/delivery_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "protocol/base64.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kDeadLetterFormat = 2;  // of intents and ledger entries that replay dead letters

std::uint64_t FormatOf(const std::vector<ReplayedLines>& replays) {
  return HasDeadLetters(replays) ? kDeadLetterFormat : kFormat;
}

void WriteRange(const SourceRange& range, protocol::JsonWriter& json) {
  json.BeginObject().Key("shard").Number(range.shard.value).Key("first").Number(range.first.value);
  json.Key("last").Number(range.last.value);
}

void WriteRanges(const std::vector<SourceRange>& ranges, protocol::JsonWriter& json) {
  json.Key("ranges").BeginList();
  for (const SourceRange& range : ranges) {
    WriteRange(range, json);
    json.EndObject();
  }
  json.EndList();
}

void WriteLost(const std::vector<LostRange>& lost, protocol::JsonWriter& json) {
  json.Key("lost").BeginList();
  for (const LostRange& range : lost) {
    WriteRange(range, json);
    if (range.accepted) json.Key("accepted").Bool(true);
    json.EndObject();
  }
  json.EndList();
}

SourceRange ReadRange(StateReader& reader) {
  const SourceRange range{ShardIndex(reader.U32("shard")), Offset(reader.U64("first")), Offset(reader.U64("last"))};
  if (range.last < range.first) reader.Fail("it ends before it begins");
  return range;
}

std::vector<SourceRange> ReadRanges(StateReader& reader) {
  std::vector<SourceRange> ranges;
  for (const ConfigNode& item : reader.List("ranges")) {
    StateReader range(item, "a range");
    ranges.push_back(ReadRange(range));
    reader.Keep(range.status());
  }
  return ranges;
}

std::vector<LostRange> ReadLost(StateReader& reader) {
  std::vector<LostRange> lost;
  for (const ConfigNode& item : reader.List("lost")) {
    StateReader range(item, "a lost range");
    lost.push_back({ReadRange(range), range.Has("accepted") && range.Bool("accepted")});
    reader.Keep(range.status());
  }
  return lost;
}

/// Parses and checks the format; then `read` fills the value.
template <typename T, typename Read>
Result<T> FromTree(const ConfigNode& tree, std::string_view what, Read read) {
  StateReader reader(tree, what);
  if (reader.U64("format") > kDeadLetterFormat) {
    return Error(Code::kUnimplemented,
                 fmt::format("{} was written by a newer version of Sluice; start that version", what));
  }
  T value;
  read(reader, value);
  if (!reader.ok()) return Error(reader.status());
  return value;
}

template <typename T, typename Read>
Result<T> FromJson(std::string_view json, std::string_view what, Read read) {
  const Result<ConfigNode> tree = ParseJsonTree(json, what);
  if (!tree) return Error(Code::kCorruption, tree.error().message());
  return FromTree<T>(*tree, what, read);
}

template <typename Range>
std::uint64_t CountRecords(const std::vector<Range>& ranges) {
  std::uint64_t records = 0;
  for (const SourceRange& range : ranges) records += range.last - range.first + 1;
  return records;
}

DeliveryTotals ReadTotals(StateReader& reader) {
  StateReader totals(reader.Map("totals"), "the totals");
  DeliveryTotals read;
  read.records = totals.U64("records");
  read.user_records = totals.Has("user_records") ? totals.U64("user_records") : read.records;
  read.rows = totals.U64("rows");
  read.errors = totals.U64("errors");
  read.filtered = totals.Has("filtered") ? totals.U64("filtered") : 0;
  read.lost = totals.U64("lost");
  read.overflow_fields = totals.U64("overflow_fields");
  read.objects = totals.U64("objects");
  read.bytes_in = totals.U64("bytes_in");
  read.bytes_out = totals.U64("bytes_out");
  read.sent = totals.Has("sent") ? totals.U64("sent") : 0;
  if (totals.Has("loaded_rows")) read.loaded_rows = totals.U64("loaded_rows");
  if (totals.Has("skipped_rows")) read.skipped_rows = totals.U64("skipped_rows");
  if (totals.Has("dead_letters")) read.dead_letters = totals.U64("dead_letters");
  if (totals.Has("replayed")) read.replayed = totals.U64("replayed");
  if (totals.Has("backup_records")) read.backup_records = totals.U64("backup_records");
  if (totals.Has("backup_objects")) read.backup_objects = totals.U64("backup_objects");
  if (totals.Has("backup_bytes")) read.backup_bytes = totals.U64("backup_bytes");
  reader.Keep(totals.status());
  return read;
}

void ReadObjects(StateReader& reader, std::vector<DeliveredObject>& objects) {
  for (const ConfigNode& item : reader.List("objects")) {
    StateReader object(item, "an object");
    objects.push_back({object.String("key"), object.Bool("error"), object.U64("rows"), object.U64("bytes"),
                       object.Checksum("checksum"), object.Has("backup") && object.Bool("backup"),
                       object.Has("manifest") && object.Bool("manifest")});
    reader.Keep(object.status());
  }
}

std::vector<std::string> ReadTexts(StateReader& reader, std::string_view key) {
  std::vector<std::string> texts;
  for (const ConfigNode& item : reader.List(key)) {
    if (item.kind != ConfigNode::Kind::kString) reader.Fail(fmt::format("'{}' holds something else than texts", key));
    texts.push_back(item.text);
  }
  return texts;
}

SpillSeal ReadSeal(StateReader& reader) {
  SpillSeal seal{reader.U64("index_offset"), reader.U64("index_bytes"), reader.U64("index_checksum")};
  if (!reader.Has("master_key")) return seal;
  const Result<std::string> bytes = protocol::DecodeBase64(reader.String("key"));
  if (!bytes) reader.Fail("'key' is not base64");
  seal.key = {.master_key = reader.String("master_key"), .bytes = bytes.value_or("")};
  return seal;
}

void WriteSeal(const SpillSeal& seal, protocol::JsonWriter& json) {
  json.BeginObject().Key("index_offset").Number(seal.index_offset).Key("index_bytes").Number(seal.index_bytes);
  json.Key("index_checksum").Number(seal.index_checksum);
  if (seal.key)
    json.Key("master_key").String(seal.key->master_key).Key("key").String(protocol::EncodeBase64(seal.key->bytes));
  json.EndObject();
}

std::vector<RefusedRequest> ReadRefused(StateReader& reader) {
  std::vector<RefusedRequest> refused;
  for (const ConfigNode& item : reader.List("refused")) {
    StateReader request(item, "a refused request");
    refused.push_back({.request = request.U64("request"),
                       .code = request.String("code"),
                       .message = request.String("message"),
                       .attempts = request.U32("attempts"),
                       .ended_ms = request.I64("ended_ms")});
    for (const ConfigNode& place : request.Has("records") ? request.List("records") : std::vector<ConfigNode>()) {
      std::uint32_t number = 0;
      const std::string& text = place.text;
      if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) request.Fail("no place");
      refused.back().records.push_back(number);
    }
    reader.Keep(request.status());
  }
  return refused;
}

void WriteRefused(const std::vector<RefusedRequest>& refused, protocol::JsonWriter& json) {
  json.Key("refused").BeginList();
  for (const RefusedRequest& request : refused) {
    json.BeginObject().Key("request").Number(request.request).Key("code").String(request.code);
    json.Key("message").String(request.message).Key("attempts").Number(request.attempts);
    json.Key("ended_ms").Number(request.ended_ms);
    if (!request.records.empty()) {
      json.Key("records").BeginList();
      for (const std::uint32_t place : request.records) json.Number(place);
      json.EndList();
    }
    json.EndObject();
  }
  json.EndList();
}

DeliveredLoad ReadLoad(StateReader& reader) {
  StateReader load(reader.Map("load"), "a load");
  DeliveredLoad read{.loaded = load.Bool("loaded"), .attempts = load.U32("attempts")};
  if (load.Has("code")) read.code = load.String("code");
  if (load.Has("message")) read.message = load.String("message");
  reader.Keep(load.status());
  return read;
}

void WriteLoad(const DeliveredLoad& load, protocol::JsonWriter& json) {
  json.Key("load").BeginObject().Key("loaded").Bool(load.loaded).Key("attempts").Number(load.attempts);
  if (!load.code.empty()) json.Key("code").String(load.code).Key("message").String(load.message);
  json.EndObject();
}

void ReadIntent(StateReader& reader, Intent& intent) {
  intent.seq = reader.U64("seq");
  intent.decided_ms = reader.I64("decided_ms");
  intent.time_ms = reader.I64("time_ms");
  intent.config_version = reader.U32("config_version");
  intent.schema_version = reader.U32("schema_version");
  if (reader.Has("uid")) intent.uid = reader.String("uid");
  intent.ranges = ReadRanges(reader);
  intent.lost = ReadLost(reader);
  intent.data_key = reader.String("data_key");
  intent.error_key = reader.String("error_key");
  if (reader.Has("other_keys")) intent.other_keys = ReadTexts(reader, "other_keys");
  if (reader.Has("backup_keys")) intent.backup_keys = ReadTexts(reader, "backup_keys");
  intent.replays = ReadReplays(reader);
  if (reader.Has("processed")) {
    StateReader seal(reader.Map("processed"), "where processed records are");
    intent.processed = ReadSeal(seal);
    reader.Keep(seal.status());
  }
  if (reader.Has("refused")) intent.refused = ReadRefused(reader);
  if (reader.Has("dead_letter_bytes_max")) intent.dead_letter_bytes_max = reader.U64("dead_letter_bytes_max");
  intent.dead_letters = ReadDeadLetterMarks(reader);
}

void ReadLedgerEntry(StateReader& reader, LedgerEntry& entry) {
  entry.seq = reader.U64("seq");
  entry.decided_ms = reader.I64("decided_ms");
  entry.schema_version = reader.U32("schema_version");
  entry.ranges = ReadRanges(reader);
  entry.lost = ReadLost(reader);
  entry.replays = ReadReplays(reader);
  if (reader.Has("bucket")) entry.bucket = reader.String("bucket");
  if (reader.Has("backup_bucket")) entry.backup_bucket = reader.String("backup_bucket");
  ReadObjects(reader, entry.objects);
  if (reader.Has("load")) entry.load = ReadLoad(reader);
  entry.records = reader.U64("records");
  entry.user_records = reader.Has("user_records") ? reader.U64("user_records") : entry.records;
  entry.rows = reader.U64("rows");
  entry.errors = reader.U64("errors");
  if (reader.Has("sent")) entry.sent = reader.U64("sent");
  entry.filtered = reader.U64("filtered");
  entry.overflow_fields = reader.U64("overflow_fields");
  entry.bytes_in = reader.U64("bytes_in");
  if (entry.records != CountRecords(entry.ranges) + CountLines(entry.replays))
    reader.Fail("'records' does not agree with the ranges");
  entry.dead_letters = ReadDeadLetters(reader);
  if (entry.user_records < entry.records) reader.Fail("'user_records' is below 'records'");
}

void Count(const DeliveredObject& object, DeliveryTotals& totals) {
  if (object.backup) {
    totals.backup_records += object.rows;
    ++totals.backup_objects;
    totals.backup_bytes += object.bytes;
  } else if (!object.manifest) {
    ++totals.objects;
    totals.bytes_out += object.bytes;
  }
}

void AddBucket(const std::string& bucket, std::vector<std::string>& buckets) {
  const auto place = std::ranges::lower_bound(buckets, bucket);
  if (place == buckets.end() || *place != bucket) buckets.insert(place, bucket);
}

void WriteTexts(std::string_view key, const std::vector<std::string>& texts, protocol::JsonWriter& json) {
  if (texts.empty()) return;
  json.Key(key).BeginList();
  for (const std::string& text : texts) json.String(text);
  json.EndList();
}

}  // namespace

ShardPosition* Checkpoint::Find(ShardIndex shard) {
  const auto found = std::ranges::lower_bound(shards, shard, {}, &ShardPosition::shard);
  return found != shards.end() && found->shard == shard ? &*found : nullptr;
}

Checkpoint Advance(const Checkpoint& before, const LedgerEntry& entry, std::int64_t now_ms) {
  SLUICE_CHECK(entry.seq == before.next_seq);
  Checkpoint after = before;
  after.next_seq = entry.seq + 1;
  after.delivered_ms = now_ms;
  const auto pass = [&](const SourceRange& range) {
    ShardPosition* position = after.Find(range.shard);
    SLUICE_CHECK(position != nullptr && position->next == range.first);  // no gap, no overlap
    position->next = range.last + 1;
  };
  std::ranges::for_each(entry.lost, pass);
  std::ranges::for_each(entry.ranges, pass);
  DeliveryTotals& totals = after.totals;
  const std::uint64_t replayed = CountLines(entry.replays);  // were counted when they failed
  totals.replayed += replayed;
  totals.records += entry.records - replayed;
  totals.user_records += entry.user_records - replayed;
  totals.rows += entry.rows;
  totals.errors += entry.errors;
  totals.sent += entry.sent;
  if (entry.load) (entry.load->loaded ? totals.loaded_rows : totals.skipped_rows) += entry.rows;
  totals.dead_letters += CountDeadLetters(entry.dead_letters);
  totals.filtered += entry.filtered;
  totals.lost += CountRecords(entry.lost);
  totals.overflow_fields += entry.overflow_fields;
  totals.bytes_in += entry.bytes_in;
  for (const DeliveredObject& object : entry.objects) {
    Count(object, totals);
    AddBucket(object.backup ? entry.backup_bucket : entry.bucket, after.buckets);
  }
  return after;
}

std::string IdentityToJson(const DeliveryIdentity& identity) {
  protocol::JsonWriter json;
  json.BeginObject().Key("format").Number(kFormat).Key("uid").String(identity.uid);
  json.Key("source").Number(identity.source.value).Key("created_ms").Number(identity.created_ms);
  json.Key("version").Number(identity.version).Key("paused").Bool(identity.paused);
  json.Key("config").String(identity.config_json);
  if (identity.changed_ms > 0) json.Key("changed_ms").Number(identity.changed_ms);
  if (!identity.given.empty()) json.Key("given").String(identity.given);
  json.EndObject();
  return json.text();
}

Result<DeliveryIdentity> IdentityFromJson(std::string_view json) {
  return FromJson<DeliveryIdentity>(json, "a delivery stream", [](StateReader& reader, DeliveryIdentity& identity) {
    identity.uid = reader.String("uid");
    identity.source = StreamId(reader.U32("source"));
    identity.created_ms = reader.I64("created_ms");
    identity.version = reader.U32("version");
    identity.paused = reader.Bool("paused");
    identity.config_json = reader.String("config");
    if (reader.Has("changed_ms")) identity.changed_ms = reader.I64("changed_ms");
    if (reader.Has("given")) identity.given = reader.String("given");
  });
}

std::string IntentToJson(const Intent& intent) {
  protocol::JsonWriter json;
  json.BeginObject().Key("format").Number(FormatOf(intent.replays)).Key("seq").Number(intent.seq);
  json.Key("decided_ms").Number(intent.decided_ms).Key("time_ms").Number(intent.time_ms);
  json.Key("config_version").Number(intent.config_version).Key("schema_version").Number(intent.schema_version);
  if (!intent.uid.empty()) json.Key("uid").String(intent.uid);
  WriteRanges(intent.ranges, json);
  WriteLost(intent.lost, json);
  json.Key("data_key").String(intent.data_key).Key("error_key").String(intent.error_key);
  WriteTexts("other_keys", intent.other_keys, json);
  WriteTexts("backup_keys", intent.backup_keys, json);
  WriteReplays(intent.replays, json);
  if (intent.processed) {
    json.Key("processed");
    WriteSeal(*intent.processed, json);
  }
  if (intent.refused) WriteRefused(*intent.refused, json);
  if (intent.dead_letter_bytes_max > 0) json.Key("dead_letter_bytes_max").Number(intent.dead_letter_bytes_max);
  WriteDeadLetterMarks(intent.dead_letters, json);
  json.EndObject();
  return json.text();
}

Result<Intent> IntentFromJson(std::string_view json) { return FromJson<Intent>(json, "an intent", ReadIntent); }
Result<Intent> IntentFromTree(const ConfigNode& tree) { return FromTree<Intent>(tree, "an intent", ReadIntent); }

std::string LedgerEntryToJson(const LedgerEntry& entry) {
  protocol::JsonWriter json;
  json.BeginObject().Key("format").Number(FormatOf(entry.replays)).Key("seq").Number(entry.seq);
  json.Key("decided_ms").Number(entry.decided_ms).Key("schema_version").Number(entry.schema_version);
  WriteRanges(entry.ranges, json);
  WriteLost(entry.lost, json);
  WriteReplays(entry.replays, json);
  if (!entry.bucket.empty()) json.Key("bucket").String(entry.bucket);
  if (!entry.backup_bucket.empty()) json.Key("backup_bucket").String(entry.backup_bucket);
  json.Key("objects").BeginList();
  for (const DeliveredObject& object : entry.objects) {
    json.BeginObject().Key("key").String(object.key).Key("error").Bool(object.error).Key("rows").Number(object.rows);
    json.Key("bytes").Number(object.bytes).Key("checksum").String(fmt::format("{:016x}", object.checksum));
    if (object.backup) json.Key("backup").Bool(true);
    if (object.manifest) json.Key("manifest").Bool(true);
    json.EndObject();
  }
  json.EndList();
  if (entry.load) WriteLoad(*entry.load, json);
  json.Key("records").Number(entry.records).Key("user_records").Number(entry.user_records);
  json.Key("rows").Number(entry.rows).Key("errors").Number(entry.errors);
  if (entry.sent > 0) json.Key("sent").Number(entry.sent);
  json.Key("filtered").Number(entry.filtered).Key("overflow_fields").Number(entry.overflow_fields);
  json.Key("bytes_in").Number(entry.bytes_in);
  WriteDeadLetters(entry.dead_letters, json);
  json.EndObject();
  return json.text();
}

Result<LedgerEntry> LedgerEntryFromJson(std::string_view json) {
  return FromJson<LedgerEntry>(json, "a ledger entry", ReadLedgerEntry);
}
Result<LedgerEntry> LedgerEntryFromTree(const ConfigNode& tree) {
  return FromTree<LedgerEntry>(tree, "a ledger entry", ReadLedgerEntry);
}

void WriteShards(const std::vector<ShardPosition>& shards, protocol::JsonWriter& json) {
  json.Key("shards").BeginList();
  for (const ShardPosition& position : shards) {
    json.BeginObject().Key("shard").Number(position.shard.value).Key("start").Number(position.start.value);
    json.Key("next").Number(position.next.value).EndObject();
  }
  json.EndList();
}

void WriteTotals(const DeliveryTotals& totals, protocol::JsonWriter& json) {
  json.Key("totals").BeginObject().Key("records").Number(totals.records);
  json.Key("user_records").Number(totals.user_records).Key("rows").Number(totals.rows);
  json.Key("errors").Number(totals.errors).Key("filtered").Number(totals.filtered).Key("lost").Number(totals.lost);
  json.Key("overflow_fields").Number(totals.overflow_fields).Key("objects").Number(totals.objects);
  json.Key("bytes_in").Number(totals.bytes_in).Key("bytes_out").Number(totals.bytes_out);
  if (totals.sent > 0) json.Key("sent").Number(totals.sent);
  if (totals.loaded_rows > 0) json.Key("loaded_rows").Number(totals.loaded_rows);
  if (totals.skipped_rows > 0) json.Key("skipped_rows").Number(totals.skipped_rows);
  if (totals.dead_letters > 0) json.Key("dead_letters").Number(totals.dead_letters);
  json.Key("replayed").Number(totals.replayed);
  json.Key("backup_records").Number(totals.backup_records).Key("backup_objects").Number(totals.backup_objects);
  json.Key("backup_bytes").Number(totals.backup_bytes).EndObject();
}

std::string CheckpointToJson(const Checkpoint& checkpoint) {
  protocol::JsonWriter json;
  json.BeginObject().Key("format").Number(kFormat).Key("next_seq").Number(checkpoint.next_seq);
  json.Key("delivered_ms").Number(checkpoint.delivered_ms);
  WriteShards(checkpoint.shards, json);
  WriteTotals(checkpoint.totals, json);
  WriteTexts("buckets", checkpoint.buckets, json);
  json.EndObject();
  return json.text();
}

std::vector<ShardPosition> ReadShards(StateReader& reader) {
  std::vector<ShardPosition> shards;
  for (const ConfigNode& item : reader.List("shards")) {
    StateReader shard(item, "a shard's position");
    shards.push_back({ShardIndex(shard.U32("shard")), Offset(shard.U64("start")), Offset(shard.U64("next"))});
    reader.Keep(shard.status());
  }
  return shards;
}

Result<Checkpoint> CheckpointFromJson(std::string_view json) {
  return FromJson<Checkpoint>(json, "a checkpoint", [](StateReader& reader, Checkpoint& checkpoint) {
    checkpoint.next_seq = reader.U64("next_seq");
    checkpoint.delivered_ms = reader.I64("delivered_ms");
    checkpoint.shards = ReadShards(reader);
    checkpoint.totals = ReadTotals(reader);
    if (reader.Has("buckets")) checkpoint.buckets = ReadTexts(reader, "buckets");
  });
}

}  // namespace sluice::delivery
