// The delivery loop.
#include "broker/delivery/delivery_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/delivery/endpoints/endpoint.h"
#include "broker/delivery/endpoints/retry_pause.h"
#include "broker/delivery/error_record.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kPollMs = 200;  // how often the end of the source is looked at
constexpr std::int64_t kShardsPerPollMs = 10;
constexpr std::int64_t kRetryFirstMs = 1000;
constexpr std::int64_t kRetryMaxMs = 60'000;
constexpr std::int64_t kStoppedMs = 5'000;  // paused or fenced: nothing to do but to see how much waits

/// Into which cluster and table objects are loaded is what counts now. How they are read stays where they are written
/// otherwise now.
void UseClusterOf(const DeliveryConfig& now, DeliveryConfig& decided) {
  if (!decided.redshift || !now.redshift) return;
  const std::string options = decided.redshift->copy_options;
  decided.redshift = now.redshift;
  if (now.compression != decided.compression) decided.redshift->copy_options = options;
}

/// A prefix of a configuration that was parsed before.
Prefix MustParse(std::string_view text, PrefixKind kind) {
  Result<Prefix> prefix = Prefix::Parse(text, kind);
  SLUICE_CHECK(prefix.has_value());
  return std::move(*prefix);
}

}  // namespace

DeliveryStream::DeliveryStream(std::string name, std::unique_ptr<RecordSource> source, DeliveryParts parts)
    : name_(std::move(name)),
      source_(std::move(source)),
      parts_(std::move(parts)),
      store_(parts_.metadata, name_),
      host_{.settings = parts_.processors,
            .source = *source_,
            .run_id = fmt::format("{}|{}", name_, parts_.env.clock().WallMs()),
            .clock = &parts_.env.clock()},
      planner_(host_, parts_.env.clock()),
      replay_(static_cast<std::uint64_t>(parts_.env.clock().WallMs())),
      first_flush_(static_cast<std::uint64_t>(parts_.env.clock().WallMs())),
      flushes_asked_(first_flush_),
      flushes_done_(first_flush_) {
  SLUICE_CHECK(source_ != nullptr && parts_.hold != nullptr && parts_.load_zone != nullptr);
}

Status DeliveryStream::Open() {
  if (Status status = store_.Open(); !status.ok()) return status;
  if (Status status = Reload(); !status.ok()) return status;
  if (!state_.intent || !state_.intent->processed) RemoveSpill();  // of a delivery that a crash ended
  (void)parts_.env.Remove(Staging().dead_letter_path());
  return Status();
}

Status DeliveryStream::Remove() {
  Status status = store_.Remove();
  if (status.ok()) RemoveSpill();
  return status;
}

/// Where that fails, the next delivery writes over it.
void DeliveryStream::RemoveSpill() { (void)parts_.env.Remove(Staging().path); }

Status DeliveryStream::Reload() {
  Result<DeliveryState> state = store_.Load();
  if (!state) return state.error();
  if (terms_ == nullptr || state->identity.config_json != state_.identity.config_json) {
    Result<std::shared_ptr<const DeliveryTerms>> terms = ReadTerms(state->identity.config_json);
    if (!terms) return terms.error();
    terms_ = std::move(*terms);
  }
  state_ = std::move(*state);
  state_known_ = true;
  stream_ = {};
  if (!FollowShards().ok()) ResetPlanner();
  SetHolds();
  FindLastObject();
  for (const ProcessorConfig& processor : terms_->config.processors) host_.counts.by_type.try_emplace(processor.type);
  (void)planner_.Observe();
  PublishStatus();
  return Status();
}

/// Of the delivery before the broker started. That it cannot be read is nobody's trouble.
void DeliveryStream::FindLastObject() {
  if (last_object_) return;
  last_object_.emplace();
  if (state_.checkpoint.next_seq < 2) return;
  if (const Result<LedgerEntry> entry = store_.LoadLedgerEntry(state_.checkpoint.next_seq - 1)) Count(*entry, {});
}

void DeliveryStream::Count(const LedgerEntry& entry, const BuildCounts& counts) {
  for (const DeliveredObject& object : entry.objects) {
    if (!object.error && !object.backup && !object.manifest) last_object_ = object.key;
  }
  for (const auto& [type, records] : counts.errors) builds_.errors[type] += records;
  builds_.partitions = counts.partitions;
  builds_.over_partitions_max += counts.over_partitions_max;
  builds_.partition_bytes_per_s = counts.partition_bytes_per_s;
}

Result<std::shared_ptr<const DeliveryTerms>> DeliveryStream::ReadTerms(std::string_view config_json) const {
  Result<ParsedDeliveryConfig> parsed = ParseStoredDeliveryConfig(config_json);
  if (!parsed) return Error(parsed.error());
  DeliveryConfig& config = parsed->config;
  SLUICE_CHECK(config.name == name_);
  Result<TimeZone> zone = parts_.load_zone(config.time_zone);
  if (!zone) return Error(zone.error());
  Prefix prefix = MustParse(config.prefix, PrefixKind::kObjects);
  Prefix error_prefix = MustParse(config.error_prefix, PrefixKind::kErrors);
  std::optional<Prefix> backup_prefix;
  if (config.backup) backup_prefix = MustParse(config.backup->prefix, PrefixKind::kObjects);
  std::optional<Prefix> manifest_prefix;
  if (config.redshift) manifest_prefix = MustParse(ManifestPrefix(config.prefix), PrefixKind::kObjects);
  return std::make_shared<const DeliveryTerms>(std::move(config), std::move(*zone), std::move(prefix),
                                               std::move(error_prefix), std::move(backup_prefix),
                                               std::move(manifest_prefix));
}

std::int64_t DeliveryStream::Step() {
  Result<std::int64_t> next = TryStep();
  const std::int64_t wait_ms = next ? *next : Failed(next.error());
  if (next && !state_.identity.paused && !asked_) failures_in_a_row_ = 0;
  if (!next || wait_ms == kStoppedMs) (void)planner_.Observe();  // what cannot be read is told where it is to be read
  PublishStatus();
  return wait_ms;
}

Result<std::int64_t> DeliveryStream::TryStep() {
  asked_ = false;
  if (status().mode == DeliveryMode::kFenced) return kStoppedMs;
  if (!state_known_) {
    if (Status status = Reload(); !status.ok()) return Error(std::move(status));
  }
  if (state_.identity.paused) {
    host_.load.attempt.reset();  // nobody goes on with it
    return kStoppedMs;
  }
  if (!state_.intent) return DecideStep();
  const Status delivered = Deliver();
  const std::int64_t wait_ms = std::exchange(host_.ask_again_ms, 0);
  asked_ = wait_ms > 0;
  if (asked_) return wait_ms;
  return delivered.ok() ? Result<std::int64_t>(0) : Error(delivered);
}

Result<std::int64_t> DeliveryStream::PlanStep() {
  const std::uint64_t asked = flushes_asked_.load();
  const bool flush = asked > flushes_done_.load();
  if (Status status = FollowShards(); !status.ok()) return Error(std::move(status));
  const Result<bool> more = planner_.ReadAhead();
  if (!more) return Error(more.error());
  if (*more) return 0;
  if (planner_.Due() || ((flush || children_wait_) && !planner_.empty())) {
    if (Status status = Decide(); !status.ok()) return Error(std::move(status));
    const bool all = !planner_.full() && !planner_.gap_ahead() && !children_wait_;
    if (all) flushes_decided_ = asked;  // what was there when the flush was asked is in this delivery
    return 0;
  }
  flushes_done_ = asked;  // there is nothing left to flush, or nobody asked
  const std::int64_t poll_ms = kPollMs + static_cast<std::int64_t>(state_.checkpoint.shards.size()) / kShardsPerPollMs;
  return planner_.empty() ? poll_ms : std::min(poll_ms, std::max<std::int64_t>(1, planner_.UntilDueMs()));
}

/// Takes over which shards there are. What a split or merge has made is new, all of it; its turn comes when its parents
/// are delivered, so that records of a key reach the lake in their order. What the stream has forgotten had nothing
/// left, and stays in the checkpoint: the proof needs it.
Status DeliveryStream::FollowShards() {
  Result<SourceStream> stream = source_->Describe();
  if (!stream) return stream.error();
  bool changed = !std::ranges::equal(stream_.shards, stream->shards, {}, &SourceShard::shard, &SourceShard::shard);
  stream_ = std::move(*stream);
  children_wait_ = false;
  for (const SourceShard& shard : stream_.shards) {
    if (state_.checkpoint.Find(shard.shard) != nullptr) continue;
    if (!ParentsDelivered(shard)) {
      children_wait_ = true;
      continue;
    }
    std::vector<ShardPosition>& positions = state_.checkpoint.shards;
    positions.insert(std::ranges::upper_bound(positions, shard.shard, {}, &ShardPosition::shard),
                     {shard.shard, Offset(0), Offset(0)});
    parts_.hold(state_.identity.source, shard.shard, Offset(0));
    changed = true;
  }
  if (changed) ResetPlanner();
  return Status();
}

bool DeliveryStream::ParentsDelivered(const SourceShard& shard) {
  return std::ranges::all_of(shard.parents, [this](ShardIndex index) {
    const SourceShard* const parent = stream_.Find(index);
    if (parent == nullptr) return true;  // forgotten: it was empty
    const ShardPosition* const position = state_.checkpoint.Find(index);
    return position != nullptr && parent->end && position->next >= *parent->end;
  });
}

/// From the checkpoint of the shards that there are.
void DeliveryStream::ResetPlanner() {
  std::vector<ShardPosition> positions = state_.checkpoint.shards;
  if (!stream_.shards.empty()) {
    std::erase_if(positions, [this](const ShardPosition& position) { return stream_.Find(position.shard) == nullptr; });
  }
  planner_.Reset(terms_->config, positions, UsedSchema());
}

Status DeliveryStream::Decide() {
  const DeliveryPlan plan = planner_.Plan();
  SLUICE_CHECK(!plan.empty());
  Intent intent = NewIntent();
  intent.time_ms = plan.oldest_ms;
  intent.schema_version = plan.schema_version;
  intent.ranges = plan.ranges;
  intent.lost = plan.lost;
  AddKeys(intent);
  intent.backup_keys = BackupKeys(*terms_, intent, plan.bytes);
  return StoreDecision(std::move(intent), plan.new_schema);
}

Status DeliveryStream::StoreDecision(Intent intent, const std::optional<Schema>& new_schema) {
  state_known_ = false;  // until the transaction is known to be durable
  if (Status status = store_.PutIntent(intent, new_schema); !status.ok())
    return status.WithContext("storing the intent");
  state_.intent = std::move(intent);
  if (new_schema) state_.schema = new_schema;
  state_known_ = true;
  HoldDeadLetters(state_.intent);
  return Status();
}

Intent DeliveryStream::NewIntent() const {
  Intent intent;
  intent.seq = state_.checkpoint.next_seq;
  intent.decided_ms = parts_.env.clock().WallMs();
  intent.config_version = state_.identity.version;
  intent.uid = state_.identity.uid;
  if (!terms_->config.dead_letter_stream.empty()) intent.dead_letter_bytes_max = parts_.appender->record_bytes_max();
  return intent;
}

/// Those that are known beforehand; they follow from the rest of it.
void DeliveryStream::AddKeys(Intent& intent) const {
  const DeliveryConfig& config = terms_->config;
  if (!config.dynamic_partitioning && !config.endpoint.exists()) intent.data_key = DataKey(*terms_, intent);
  intent.error_key = ErrorKey(*terms_, intent, kFormatConversionFailed);
  for (const std::string_view type : ErrorTypesOf(config)) {
    const bool possible = !config.processors.empty() || config.endpoint.exists();
    if (possible && type != kFormatConversionFailed) intent.other_keys.push_back(ErrorKey(*terms_, intent, type));
  }
  if (!config.redshift) return;
  intent.other_keys.push_back(ManifestKey(*terms_, intent));
  intent.other_keys.push_back(ErrorKey(*terms_, intent, kSkippedManifests));
}

Status DeliveryStream::Deliver() {
  SLUICE_CHECK(state_.intent.has_value());
  Intent intent = *state_.intent;
  Schema schema;
  if (intent.schema_version > 0) {
    Result<Schema> pinned = store_.LoadSchema(intent.schema_version);
    if (!pinned) return pinned.error();
    schema = std::move(*pinned);
  }
  const Result<std::shared_ptr<const DeliveryTerms>> terms = TermsOf(intent);
  if (!terms) return terms.error();
  ObjectBuilder builder(**terms, schema, host_, parts_.objects, Staging());
  const Result<LedgerEntry> entry = builder.Build(intent);
  intent = *state_.intent;  // as it was stored last
  if (!entry && builder.records_gone()) return TakeBack(intent, **terms, entry.error());
  if (!entry) return entry.error();
  Checkpoint checkpoint = Advance(state_.checkpoint, *entry, parts_.env.clock().WallMs());
  state_known_ = false;
  if (Status status = store_.PutCheckpoint(intent, checkpoint, *entry); !status.ok())
    return status.WithContext("storing the checkpoint");
  state_.checkpoint = std::move(checkpoint);
  state_.intent.reset();
  state_known_ = true;
  Count(*entry, builder.counts());
  if (intent.processed) RemoveSpill();
  ResetPlanner();
  if (builder.wanted() && state_.schema && state_.schema->version == intent.schema_version)
    planner_.Want(*builder.wanted());
  SetHolds();
  flushes_done_ = std::max(flushes_done_.load(), flushes_decided_);
  if (!intent.replays.empty()) replay_.Delivered(entry->records, entry->errors);
  return Status();
}

StagingParts DeliveryStream::Staging() {
  return {.env = parts_.env,
          .keys = parts_.keys,
          .path = fmt::format("{}/{}.spill", parts_.work_dir, name_),
          .change_intent = [this](const std::function<void(Intent&)>& change) { return ChangeIntent(change); },
          .appender = parts_.appender.get()};
}

Result<std::shared_ptr<const DeliveryTerms>> DeliveryStream::TermsOf(const Intent& intent) {
  if (intent.config_version == state_.identity.version) return terms_;
  const Result<std::string> json = store_.LoadConfig(intent.config_version);
  if (!json) return Error(json.error());
  Result<std::shared_ptr<const DeliveryTerms>> terms = ReadTerms(*json);
  if (!terms || (*terms)->config.endpoint.type != terms_->config.endpoint.type) return terms;
  if (!(*terms)->config.endpoint.exists() && !(*terms)->config.redshift) return terms;
  // Which records are in which request stays; where it goes, with which key and how long, is what counts now.
  auto changed = std::make_shared<DeliveryTerms>(**terms);
  changed->config.endpoint.UseConnectionOf(terms_->config.endpoint);
  UseClusterOf(terms_->config, changed->config);
  return changed;
}

std::int64_t DeliveryStream::Failed(const Status& status) {
  state_known_ = false;  // read the stored state again, and plan anew
  const int doublings = std::min(failures_in_a_row_++, 10);
  const std::int64_t wished_ms = std::exchange(host_.retry_in_ms, 0);
  const std::int64_t wait_ms =
      wished_ms > 0 ? wished_ms
                    : Jittered(std::min(kRetryMaxMs, kRetryFirstMs << doublings), parts_.env.random().Next());
  const std::lock_guard lock(status_mutex_);
  ++status_.failures;
  status_.last_error = status.ToString();
  status_.mode = status.code() == Code::kFenced ? DeliveryMode::kFenced : DeliveryMode::kFailing;
  status_.retry_ms = parts_.env.clock().WallMs() + wait_ms;
  return status_.mode == DeliveryMode::kFenced ? kStoppedMs : wait_ms;
}

Status DeliveryStream::SetPaused(bool paused) {
  if (!state_known_) {
    if (Status status = Reload(); !status.ok()) return status;
  }
  DeliveryIdentity identity = state_.identity;
  identity.paused = paused;
  if (Status status = store_.PutIdentity(identity); !status.ok()) return status;
  state_.identity = std::move(identity);
  failures_in_a_row_ = 0;
  PublishStatus();
  return Status();
}

Status DeliveryStream::CheckRemove() {
  if (!terms_->config.direct_put || state_.identity.paused) return Status();
  (void)planner_.Observe();
  const std::uint64_t lag = planner_.lag_records();
  if (lag == 0) return Status();
  return Status(Code::kFailedPrecondition,
                fmt::format("delivery stream '{}' has not delivered {} record{} yet, which would be lost with it; "
                            "flush it first, or pause it to delete it nevertheless",
                            name_, lag, lag == 1 ? "" : "s"));
}

Result<ConfigChange> DeliveryStream::Compare(const DeliveryConfig& wanted) {
  if (!state_known_) {
    if (Status status = Reload(); !status.ok()) return Error(std::move(status));
  }
  return CompareConfigs(terms_->config, wanted, state_.schema);
}

Result<ConfigChange> DeliveryStream::Reconfigure(const DeliveryConfig& wanted,
                                                 const std::optional<std::string>& given) {
  Result<ConfigChange> change = Compare(wanted);
  if (!change || (change->keys.empty() && given.value_or(state_.identity.given) == state_.identity.given))
    return change;
  if (!change->refused.empty()) return Error(RefusedChange(name_, *change));
  DeliveryIdentity identity = state_.identity;
  ++identity.version;
  identity.config_json = DeliveryConfigToJson(wanted);
  identity.changed_ms = parts_.env.clock().WallMs();
  identity.given = given.value_or("");
  state_known_ = false;  // until the transaction is known to be durable
  if (Status status = store_.PutConfig(state_.identity, identity, change->schema); !status.ok())
    return Error(status.WithContext("storing the configuration"));
  if (Status status = Reload(); !status.ok()) return Error(std::move(status));
  return change;
}

Status DeliveryStream::SetTags(const broker::DeliveryTags& tags) {
  if (!state_known_) {
    if (Status status = Reload(); !status.ok()) return status;
  }
  DeliveryConfig config = terms_->config;
  config.tags.assign(tags.begin(), tags.end());
  DeliveryIdentity identity = state_.identity;
  identity.config_json = DeliveryConfigToJson(config);
  state_known_ = false;  // until the write is known to be durable
  if (Status status = store_.PutIdentity(identity); !status.ok()) return status.WithContext("storing the tags");
  return Reload();
}

}  // namespace sluice::delivery
