// Keys and transactions of one delivery stream.
#include "broker/delivery/delivery_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "broker/delivery/delivery_config.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kRoot = "delivery/";

}  // namespace

DeliveryStore::DeliveryStore(storage::MetadataStore& store, std::string_view name) : store_(store), name_(name) {
  SLUICE_CHECK(!name.empty() && name.find('/') == name.npos);
}

std::string DeliveryStore::Key(std::string_view part) const { return fmt::format("{}{}/{}", kRoot, name_, part); }
std::string DeliveryStore::SchemaKey(std::uint32_t version) const { return Key(fmt::format("schema/{:08}", version)); }
std::string DeliveryStore::ConfigKey(std::uint32_t version) const { return Key(fmt::format("config/{:08}", version)); }
std::string DeliveryStore::LedgerKey(std::uint64_t seq) const { return Key(fmt::format("ledger/{:020}", seq)); }

Result<std::vector<std::string>> DeliveryStore::Names(storage::MetadataStore& store) {
  const auto entries = store.Scan(kRoot);
  if (!entries) return Error(entries.error());
  std::vector<std::string> names;
  for (const auto& [key, value] : *entries) {
    std::string_view rest = std::string_view(key).substr(kRoot.size());
    const std::size_t slash = rest.find('/');
    if (slash != rest.npos && rest.substr(slash) == "/stream") names.emplace_back(rest.substr(0, slash));
  }
  return names;
}

Result<DeliveryIdentity> DeliveryStore::LoadIdentity(storage::MetadataStore& store, std::string_view name) {
  const auto value = store.Get(DeliveryStore(store, name).Key("stream"));
  if (!value) return Error(value.error());
  if (!*value) return Error(Code::kNotFound, fmt::format("delivery stream '{}' does not exist", name));
  return IdentityFromJson(**value);
}

Status DeliveryStore::Create(const DeliveryIdentity& identity, const Checkpoint& checkpoint,
                             const std::optional<Schema>& schema) {
  storage::Transaction transaction;
  transaction.If(Key("stream"), std::nullopt).Put(Key("stream"), IdentityToJson(identity));
  transaction.Put(Key("owner"), "0").Put(Key("checkpoint"), CheckpointToJson(checkpoint));
  if (schema) transaction.Put(SchemaKey(schema->version), SchemaToJson(*schema));
  const Status status = store_.Commit(transaction);
  if (status.code() != Code::kFenced) return status;
  return Status(Code::kAlreadyExists, fmt::format("delivery stream '{}' exists already", name_));
}

Status DeliveryStore::Open() {
  const auto owner = store_.Get(Key("owner"));
  if (!owner) return owner.error();
  if (!*owner) return Status(Code::kNotFound, fmt::format("delivery stream '{}' does not exist", name_));
  std::uint64_t epoch = 0;
  const auto [end, error] = std::from_chars((*owner)->data(), (*owner)->data() + (*owner)->size(), epoch);
  if (error != std::errc()) {
    return Status(Code::kCorruption,
                  fmt::format("the owner of delivery stream '{}' is not a number: '{}'", name_, **owner));
  }
  std::string next = std::to_string(epoch + 1);
  storage::Transaction transaction;
  transaction.If(Key("owner"), **owner).Put(Key("owner"), next);
  if (Status status = store_.Commit(transaction); !status.ok()) return status;
  epoch_ = std::move(next);
  return Status();
}

Result<DeliveryState> DeliveryStore::Load() {
  SLUICE_CHECK(!epoch_.empty());
  DeliveryState state;
  Status status;
  // Reads one key; false where it is absent or something went wrong.
  const auto read = [&](std::string_view part, auto parse, auto& into) {
    const auto value = store_.Get(Key(part));
    if (!value && status.ok()) status = value.error();
    if (!value || !*value) return false;
    auto parsed = parse(**value);
    if (!parsed && status.ok()) status = parsed.error().WithContext(fmt::format("metadata key '{}'", Key(part)));
    if (parsed) into = std::move(*parsed);
    return parsed.has_value();
  };
  std::string owner;
  const bool owned =
      read("owner", [](const std::string& text) { return Result<std::string>(text); }, owner) && owner == epoch_;
  const bool complete =
      read("stream", IdentityFromJson, state.identity) && read("checkpoint", CheckpointFromJson, state.checkpoint);
  Intent intent;
  if (read("intent", IntentFromJson, intent)) state.intent = std::move(intent);
  if (!status.ok()) return Error(std::move(status));
  if (!owned || !complete) {
    return Error(
        Code::kFenced,
        fmt::format("another broker delivers '{}' now, or it was deleted; this one has stopped doing so", name_));
  }
  const auto schemas = store_.Scan(Key("schema/"));
  if (!schemas) return Error(schemas.error());
  if (!schemas->empty()) {  // sorted: the newest comes last
    Result<Schema> schema = SchemaFromJson(schemas->back().second);
    if (!schema) return Error(schema.error().WithContext(fmt::format("metadata key '{}'", schemas->back().first)));
    state.schema = std::move(*schema);
  }
  if (Status named = NameBuckets(state.checkpoint); !named.ok()) return Error(std::move(named));
  return state;
}

Result<Schema> DeliveryStore::LoadSchema(std::uint32_t version) {
  const auto value = store_.Get(SchemaKey(version));
  if (!value) return Error(value.error());
  if (!*value)
    return Error(Code::kCorruption, fmt::format("version {} of the schema of '{}' is missing", version, name_));
  return SchemaFromJson(**value);
}

Result<std::string> DeliveryStore::LoadConfig(std::uint32_t version) {
  const auto value = store_.Get(ConfigKey(version));
  if (!value) return Error(value.error());
  if (!*value)
    return Error(Code::kCorruption, fmt::format("version {} of the configuration of '{}' is missing", version, name_));
  return **value;
}

Result<std::vector<LedgerEntry>> DeliveryStore::LoadLedger() {
  const auto entries = store_.Scan(Key("ledger/"));
  if (!entries) return Error(entries.error());
  std::vector<LedgerEntry> ledger;
  for (const auto& [key, value] : *entries) {
    Result<LedgerEntry> entry = LedgerEntryFromJson(value);
    if (!entry) return Error(entry.error().WithContext(fmt::format("metadata key '{}'", key)));
    ledger.push_back(std::move(*entry));
  }
  if (Status status = NameBuckets(ledger); !status.ok()) return Error(std::move(status));
  return ledger;
}

Result<LedgerEntry> DeliveryStore::LoadLedgerEntry(std::uint64_t seq) {
  const auto value = store_.Get(LedgerKey(seq));
  if (!value) return Error(value.error());
  if (!*value) return Error(Code::kNotFound, fmt::format("the ledger of '{}' has no delivery {}", name_, seq));
  Result<LedgerEntry> entry = LedgerEntryFromJson(**value);
  if (!entry) return entry;
  if (Status status = NameBuckets({&*entry, 1}); !status.ok()) return Error(std::move(status));
  return entry;
}

/// Versions that did not say the buckets of an entry did not let them change either: the first configuration has the
/// lake's, and the first one with a backup has that of all backups.
Result<DeliveryStore::FirstBuckets> DeliveryStore::LoadFirstBuckets() {
  const Result<DeliveryIdentity> identity = LoadIdentity(store_, name_);
  if (!identity) return Error(identity.error());
  FirstBuckets first;
  for (std::uint32_t version = 1; version <= identity->version && first.backup.empty(); ++version) {
    const Result<std::string> json = version < identity->version ? LoadConfig(version) : identity->config_json;
    if (!json) return Error(json.error());
    const Result<ParsedDeliveryConfig> parsed = ParseStoredDeliveryConfig(*json);
    if (!parsed) return Error(parsed.error());
    if (version == 1) first.lake = parsed->config.bucket;
    if (parsed->config.backup) first.backup = parsed->config.backup->bucket;
  }
  return first;
}

Status DeliveryStore::NameBuckets(std::span<LedgerEntry> entries) {
  if (std::ranges::none_of(entries, [](const LedgerEntry& entry) { return entry.bucket.empty(); })) return Status();
  const Result<FirstBuckets> first = LoadFirstBuckets();
  if (!first) return first.error();
  for (LedgerEntry& entry : entries) {
    if (!entry.bucket.empty()) continue;
    entry.bucket = first->lake;
    if (std::ranges::any_of(entry.objects, &DeliveredObject::backup)) entry.backup_bucket = first->backup;
  }
  return Status();
}

Status DeliveryStore::NameBuckets(Checkpoint& checkpoint) {
  const DeliveryTotals& totals = checkpoint.totals;
  if (!checkpoint.buckets.empty() || totals.objects + totals.backup_objects == 0) return Status();
  const Result<FirstBuckets> first = LoadFirstBuckets();
  if (!first) return first.error();
  std::set<std::string> buckets;
  if (totals.objects > 0) buckets.insert(first->lake);
  if (totals.backup_objects > 0) buckets.insert(first->backup);
  checkpoint.buckets.assign(buckets.begin(), buckets.end());
  return Status();
}

Status DeliveryStore::Commit(storage::Transaction transaction) {
  SLUICE_CHECK(!epoch_.empty());
  transaction.If(Key("owner"), epoch_);
  return store_.Commit(transaction);
}

Status DeliveryStore::PutIdentity(const DeliveryIdentity& identity) {
  storage::Transaction transaction;
  transaction.Put(Key("stream"), IdentityToJson(identity));
  return Commit(std::move(transaction));
}

Status DeliveryStore::PutConfig(const DeliveryIdentity& before, const DeliveryIdentity& after,
                                const std::optional<Schema>& new_schema) {
  SLUICE_CHECK(after.version == before.version + 1 && after.uid == before.uid && after.source == before.source);
  storage::Transaction transaction;
  transaction.If(Key("stream"), IdentityToJson(before)).Put(Key("stream"), IdentityToJson(after));
  transaction.Put(ConfigKey(before.version), before.config_json);
  if (new_schema) PinSchema(*new_schema, transaction);
  return Commit(std::move(transaction));
}

void DeliveryStore::PinSchema(const Schema& schema, storage::Transaction& transaction) const {
  transaction.If(SchemaKey(schema.version), std::nullopt).Put(SchemaKey(schema.version), SchemaToJson(schema));
}

Status DeliveryStore::PutIntent(const Intent& intent, const std::optional<Schema>& new_schema) {
  storage::Transaction transaction;
  transaction.If(Key("intent"), std::nullopt).Put(Key("intent"), IntentToJson(intent));
  if (new_schema) {
    SLUICE_CHECK(new_schema->version == intent.schema_version);
    PinSchema(*new_schema, transaction);
  }
  return Commit(std::move(transaction));
}

Status DeliveryStore::ReplaceIntent(const Intent& before, const Intent& after) {
  SLUICE_CHECK(after.seq == before.seq && after.ranges == before.ranges && after.replays == before.replays);
  storage::Transaction transaction;
  transaction.If(Key("intent"), IntentToJson(before)).Put(Key("intent"), IntentToJson(after));
  return Commit(std::move(transaction));
}

Status DeliveryStore::DropIntent(const Intent& intent) {
  storage::Transaction transaction;
  transaction.If(Key("intent"), IntentToJson(intent)).Delete(Key("intent"));
  return Commit(std::move(transaction));
}

Status DeliveryStore::PutCheckpoint(const Intent& intent, const Checkpoint& checkpoint, const LedgerEntry& entry) {
  SLUICE_CHECK(entry.seq == intent.seq && checkpoint.next_seq == intent.seq + 1);
  SLUICE_CHECK(entry.ranges == intent.ranges && entry.lost == intent.lost && entry.replays == intent.replays);
  const std::string ledger_key = LedgerKey(entry.seq);
  storage::Transaction transaction;
  transaction.If(Key("intent"), IntentToJson(intent)).If(ledger_key, std::nullopt).Delete(Key("intent"));
  transaction.Put(ledger_key, LedgerEntryToJson(entry)).Put(Key("checkpoint"), CheckpointToJson(checkpoint));
  return Commit(std::move(transaction));
}

Status DeliveryStore::Remove() {
  const auto entries = store_.Scan(Key(""));
  if (!entries) return entries.error();
  storage::Transaction transaction;
  for (const auto& [key, value] : *entries) transaction.Delete(key);
  return Commit(std::move(transaction));
}

}  // namespace sluice::delivery
