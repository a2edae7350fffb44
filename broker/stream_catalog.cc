// Streams in memory as immutable snapshots, and in the metadata store under stream/NAME.
#include "broker/stream_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "broker/stream_codec.h"
#include "protocol/ascii.h"
#include "protocol/check.h"
#include "protocol/suggest.h"

namespace sluice::broker {
namespace {

constexpr std::string_view kStreamPrefix = "stream/";
constexpr std::string_view kProducerPrefix = "producer/";
constexpr std::string_view kNextStreamId = "next/stream-id";
constexpr std::string_view kNextProducerId = "next/producer-id";
constexpr std::int64_t kProducerIdsPerBlock = 1'000;
constexpr std::size_t kNameBytesMax = 128;

std::string Key(std::string_view prefix, std::string_view name) { return std::string(prefix).append(name); }

// The number under `key`, or `missing` where there is none yet.
Result<std::int64_t> ParseCounter(std::string_view key, const std::optional<std::string>& text, std::int64_t missing) {
  if (!text) return missing;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0) {
    return Error(Code::kCorruption, fmt::format("metadata key '{}' holds '{}', which is no number", key, *text));
  }
  return value;
}

Result<StreamId> ParseStreamId(const std::optional<std::string>& counter) {
  const auto id = ParseCounter(kNextStreamId, counter, 1);
  if (!id) return Error(id.error());
  if (*id < 1 || *id > UINT32_MAX)
    return Error(Code::kResourceExhausted, "all stream ids of this data directory are used");
  return StreamId(static_cast<std::uint32_t>(*id));
}

Status ValidateRetention(const RetentionSettings& retention) {
  if (retention.age_ms && *retention.age_ms <= 0) {
    return Status(Code::kInvalidArgument,
                  "retention by age must be at least 1 ms; leave it out to keep records for ever");
  }
  if (retention.bytes && *retention.bytes == 0) {
    return Status(Code::kInvalidArgument, "retention by bytes must be at least 1 byte; leave it out for no limit");
  }
  return {};
}

bool IsNameByte(char c) { return protocol::IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; }

}  // namespace

const ShardInfo* StreamInfo::FindShard(ShardIndex shard) const {
  const auto found = std::ranges::lower_bound(all_shards, shard, {}, &ShardInfo::shard);
  return found != all_shards.end() && found->shard == shard ? &*found : nullptr;
}

ShardInfo NewShard(const protocol::ShardRange& range, std::int64_t created_ms) {
  ShardInfo shard;
  shard.shard = range.shard;
  shard.first = range.first;
  shard.last = range.last;
  shard.created_ms = created_ms;
  return shard;
}

std::vector<ShardInfo> NewShards(const protocol::ShardMap& shards, std::int64_t created_ms) {
  std::vector<ShardInfo> all;
  all.reserve(shards.ranges().size());
  for (const protocol::ShardRange& range : shards.ranges()) {
    all.push_back(NewShard(range, created_ms));
  }
  std::ranges::sort(all, {}, &ShardInfo::shard);
  return all;
}

Status CheckShard(const StreamInfo& stream, ShardIndex shard) {
  if (stream.FindShard(shard) != nullptr) return {};
  if (shard < stream.next_shard) {
    return Status(Code::kNotFound, fmt::format("stream '{}' has no shard {} any more: it was split or merged, and its "
                                               "records are no longer kept",
                                               stream.name, shard.value));
  }
  return Status(Code::kNotFound, protocol::NoSuchShard(stream.name, shard.value, stream.next_shard.value));
}

Status ValidateStreamName(std::string_view name, bool hidden) {
  if (hidden) name.remove_prefix(name.find(':') + 1);  // the kind
  if (name.empty()) return Status(Code::kInvalidArgument, "the stream name is empty");
  if (name.size() > kNameBytesMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the stream name has {} bytes; at most {} are allowed", name.size(), kNameBytesMax));
  }
  if (!std::ranges::all_of(name, IsNameByte)) {
    return Status(Code::kInvalidArgument, "the stream name has other characters than a-z, A-Z, 0-9, '_', '.' and '-'");
  }
  if (name == "." || name == "..") return Status(Code::kInvalidArgument, "a stream cannot be named '.' or '..'");
  return {};
}

struct StreamCatalog::Snapshot {
  std::map<std::string, StreamPtr, std::less<>> by_name;
  std::unordered_map<StreamId, StreamPtr> by_id;
};

StreamCatalog::StreamCatalog(storage::MetadataStore& store, storage::Clock& clock) : store_(store), clock_(clock) {}
StreamCatalog::~StreamCatalog() = default;

Result<std::unique_ptr<StreamCatalog>> StreamCatalog::Open(storage::MetadataStore& store, storage::Clock& clock) {
  std::unique_ptr<StreamCatalog> catalog(new StreamCatalog(store, clock));
  if (Status status = catalog->Load(); !status.ok()) return Error(status.WithContext("reading the streams"));
  return catalog;
}

Status StreamCatalog::Load() {
  auto stored = store_.Scan(kStreamPrefix);
  if (!stored) return stored.error();
  auto loaded = std::make_shared<Snapshot>();
  for (const auto& [key, bytes] : *stored) {
    auto stream = DecodeStream(bytes);
    if (!stream) return stream.error().WithContext("metadata key '" + key + "'");
    if (Key(kStreamPrefix, stream->name) != key) {
      return Status(Code::kCorruption, "metadata key '" + key + "' holds a stream of another name");
    }
    auto shared = std::make_shared<const StreamInfo>(std::move(*stream));
    loaded->by_name[shared->name] = shared;
    if (!loaded->by_id.emplace(shared->id, shared).second) {
      return Status(Code::kCorruption, fmt::format("two streams have the id {}", shared->id.value));
    }
  }
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(loaded);
  return {};
}

std::shared_ptr<const StreamCatalog::Snapshot> StreamCatalog::snapshot() const {
  const std::lock_guard lock(snapshot_mutex_);
  return snapshot_;
}

Result<StreamPtr> StreamCatalog::Find(std::string_view name) const {
  const auto now = snapshot();
  if (const auto it = now->by_name.find(name); it != now->by_name.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [known, stream] : now->by_name) {
    if (!stream->hidden) names.push_back(known);
  }
  const std::string_view shown = name.substr(0, kNameBytesMax);
  return Error(Code::kNotFound, fmt::format("stream '{}' does not exist{}", shown, protocol::DidYouMean(shown, names)));
}

Result<StreamId> StreamCatalog::NextId() const {
  const auto counter = store_.Get(kNextStreamId);
  if (!counter) return Error(counter.error());
  return ParseStreamId(*counter);
}

Result<StreamPtr> StreamCatalog::Find(StreamId id) const {
  const auto now = snapshot();
  if (const auto it = now->by_id.find(id); it != now->by_id.end()) return it->second;
  return Error(Code::kNotFound, fmt::format("stream {} does not exist or was deleted", id.value));
}

std::vector<StreamPtr> StreamCatalog::List() const {
  std::vector<StreamPtr> all = ListAll();
  std::erase_if(all, [](const StreamPtr& stream) { return stream->hidden; });
  return all;
}

std::vector<StreamPtr> StreamCatalog::ListAll() const {
  const auto now = snapshot();
  std::vector<StreamPtr> all;
  all.reserve(now->by_name.size());
  for (const auto& [name, stream] : now->by_name) all.push_back(stream);
  return all;
}

void StreamCatalog::Publish(StreamPtr added, StreamPtr removed) {
  auto changed = std::make_shared<Snapshot>(*snapshot());
  if (removed) {
    SLUICE_CHECK(changed->by_name.erase(removed->name) == 1);
    SLUICE_CHECK(changed->by_id.erase(removed->id) == 1);
  }
  if (added) {
    changed->by_id[added->id] = added;
    changed->by_name[added->name] = std::move(added);
  }
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(changed);
}

Result<StreamPtr> StreamCatalog::Create(std::string_view name, std::uint32_t shards, RetentionSettings retention,
                                        bool hidden, KinesisSettings kinesis) {
  if (Status status = ValidateStreamName(name, hidden); !status.ok()) return Error(status);
  if (Status status = ValidateRetention(retention); !status.ok()) return Error(status);
  if (shards < 1 || shards > kShardsMax) {
    return Error(Code::kInvalidArgument, fmt::format("a stream has 1 to {} shards, not {}", kShardsMax, shards));
  }
  const std::lock_guard lock(change_mutex_);
  if (snapshot()->by_name.contains(name)) {
    return Error(Code::kAlreadyExists,
                 fmt::format("stream '{}' exists already; delete it or choose another name", name));
  }
  const auto counter = store_.Get(kNextStreamId);
  if (!counter) return Error(counter.error());
  const auto id = ParseStreamId(*counter);
  if (!id) return Error(id.error());
  StreamInfo made{.id = *id,
                  .name = std::string(name),
                  .created_ms = clock_.WallMs(),
                  .hidden = hidden,
                  .retention = retention,
                  .kinesis = std::move(kinesis),
                  .shards = protocol::ShardMap::Uniform(shards),
                  .all_shards = {},
                  .next_shard = ShardIndex(shards)};
  made.all_shards = NewShards(made.shards, made.created_ms);
  const auto stream = std::make_shared<const StreamInfo>(std::move(made));
  storage::Transaction transaction;
  transaction.If(std::string(kNextStreamId), *counter).If(Key(kStreamPrefix, name), std::nullopt);
  transaction.Put(std::string(kNextStreamId), std::to_string(std::int64_t{id->value} + 1));
  transaction.Put(Key(kStreamPrefix, name), EncodeStream(*stream));
  if (Status status = store_.Commit(transaction); !status.ok()) return Error(status.WithContext("creating the stream"));
  Publish(stream, nullptr);
  return stream;
}

Result<StreamPtr> StreamCatalog::SetRetention(std::string_view name, RetentionSettings retention) {
  return Change(name, [&](StreamInfo& stream) {
    stream.retention = retention;
    return Status();
  });
}

Result<StreamPtr> StreamCatalog::Change(std::string_view name, const std::function<Status(StreamInfo&)>& change) {
  const std::lock_guard lock(change_mutex_);
  const auto found = Find(name);
  if (!found) return found;
  StreamInfo changed = **found;
  if (Status status = change(changed); !status.ok()) return Error(std::move(status));
  if (Status status = ValidateRetention(changed.retention); !status.ok()) return Error(status);
  SLUICE_CHECK(changed.id == (*found)->id && changed.name == (*found)->name);
  storage::Transaction transaction;
  transaction.If(Key(kStreamPrefix, name), EncodeStream(**found)).Put(Key(kStreamPrefix, name), EncodeStream(changed));
  if (Status status = store_.Commit(transaction); !status.ok()) return Error(status.WithContext("changing the stream"));
  auto stream = std::make_shared<const StreamInfo>(std::move(changed));
  Publish(stream, *found);
  return stream;
}

Result<StreamPtr> StreamCatalog::Delete(std::string_view name) {
  const std::lock_guard lock(change_mutex_);
  const auto found = Find(name);
  if (!found) return found;
  storage::Transaction transaction;
  transaction.If(Key(kStreamPrefix, name), EncodeStream(**found)).Delete(Key(kStreamPrefix, name));
  if (Status status = store_.Commit(transaction); !status.ok()) return Error(status.WithContext("deleting the stream"));
  Publish(nullptr, *found);
  return found;
}

Result<StreamCatalog::ProducerGrant> StreamCatalog::InitProducer(std::string_view name) {
  if (name.size() > kProducerNameBytesMax) {
    return Error(Code::kInvalidArgument, fmt::format("the producer name has {} bytes; at most {} are allowed",
                                                     name.size(), kProducerNameBytesMax));
  }
  const std::lock_guard lock(change_mutex_);
  if (name.empty()) {
    const auto id = ReserveProducerId();
    if (!id) return Error(id.error());
    return ProducerGrant{*id, 0};
  }
  const std::string key = Key(kProducerPrefix, name);
  const auto stored = store_.Get(key);
  if (!stored) return Error(stored.error());
  ProducerGrant grant;
  if (*stored) {
    const auto known = DecodeProducer(**stored);
    if (!known) return Error(known.error().WithContext("metadata key '" + key + "'"));
    grant = *known;
  }
  if (*stored && grant.epoch < INT16_MAX) {
    ++grant.epoch;
  } else {
    const auto id = ReserveProducerId();
    if (!id) return Error(id.error());
    grant = {*id, 0};
  }
  storage::Transaction transaction;
  transaction.If(key, *stored).Put(key, EncodeProducer(grant));
  if (Status status = store_.Commit(transaction); !status.ok())
    return Error(status.WithContext("granting a producer id"));
  return grant;
}

// Takes the next id of the reserved block; reserves another block, durably, where it is used up.
Result<ProducerId> StreamCatalog::ReserveProducerId() {
  if (producer_id_next_ == producer_id_reserved_) {
    const auto counter = store_.Get(kNextProducerId);
    if (!counter) return Error(counter.error());
    const auto first = ParseCounter(kNextProducerId, *counter, 1);
    if (!first) return Error(first.error());
    storage::Transaction transaction;
    transaction.If(std::string(kNextProducerId), *counter);
    transaction.Put(std::string(kNextProducerId), std::to_string(*first + kProducerIdsPerBlock));
    if (Status status = store_.Commit(transaction); !status.ok()) {
      return Error(status.WithContext("reserving producer ids"));
    }
    producer_id_next_ = *first;
    producer_id_reserved_ = *first + kProducerIdsPerBlock;
  }
  return ProducerId(producer_id_next_++);
}

}  // namespace sluice::broker
