// Reading ahead over all shards in turns.
#include "broker/delivery/range_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kReadBytes = 4u << 20;   // of one shard at a time
constexpr std::uint64_t kSampleFirst = 1000;     // records of a delivery that are looked at for new fields, then
constexpr std::uint64_t kSampleEvery = 64;       // one of so many: looking costs more than all the rest of planning
constexpr std::uint64_t kStepBytes = 16u << 20;  // of all shards before other delivery streams get their turn

}  // namespace

RangePlanner::RangePlanner(ProcessorHost& host, storage::Clock& clock)
    : host_(host), source_(host.source), clock_(clock) {}

void RangePlanner::Reset(const DeliveryConfig& config, const std::vector<ShardPosition>& positions,
                         const std::optional<Schema>& pinned) {
  SLUICE_CHECK(config.size_mb > 0);
  config_ = &config;
  pipeline_.reset();
  if (config.convert && config.infer_schema) {
    pipeline_.emplace(config, host_, static_cast<RecordPipeline::Sink&>(*this));
    repeatable_ = IsRepeatable(config.processors);
  }
  bytes_max_ = (config.dynamic_partitioning ? config.delivery_size_mb : config.size_mb) << 20;
  std::map<ShardIndex, Shard> shards;
  for (const ShardPosition& position : positions) {
    const auto before = shards_.find(position.shard);
    const Offset end = before == shards_.end() ? position.next : std::max(before->second.end, position.next);
    shards.emplace(position.shard, Shard{position.next, position.next, end});
  }
  shards_ = std::move(shards);
  ++turn_;
  records_ = looked_at_ = bytes_ = 0;
  oldest_ms_ = observed_ms_ = first_seen_ns_ = 0;
  lost_.clear();
  gap_ahead_ = false;
  pinned_ = pinned;
  wanted_ = pinned;
}

Status RangePlanner::Observe() {
  observed_ms_ = 0;
  for (auto& [index, shard] : shards_) {
    const Result<ReadProgress> bounds = source_.Bounds(index);
    if (!bounds) return bounds.error();
    shard.end = std::max(shard.end, bounds->end);
    const Offset first = std::max(shard.first, bounds->oldest);
    if (first >= shard.end) continue;
    const auto look = [this](std::span<const RecordRef> records) {
      const std::int64_t time_ms = records.front().append_time_ms;
      observed_ms_ = observed_ms_ == 0 ? time_ms : std::min(observed_ms_, time_ms);
      return Status();
    };
    if (const Result<ReadProgress> read = source_.Read(index, first, first + 1, 1, look); !read) return read.error();
  }
  return Status();
}

Result<bool> RangePlanner::ReadAhead() {
  if (shards_.empty()) return false;
  const std::uint64_t before = bytes_;
  bool more = false;
  auto it = std::next(shards_.begin(), static_cast<std::ptrdiff_t>(turn_ % shards_.size()));
  for (std::size_t i = 0; i < shards_.size() && !full(); ++i) {
    const Result<bool> shard_has_more = ReadShard(it->first, it->second, std::min(kReadBytes, bytes_max_ - bytes_));
    if (!shard_has_more) return shard_has_more;
    more = more || *shard_has_more;
    if (++it == shards_.end()) it = shards_.begin();
    if (bytes_ - before >= kStepBytes) {
      turn_ += static_cast<std::uint32_t>(i + 1);  // the next call goes on with the next shard
      return !full();
    }
  }
  return more && !full();
}

/// True where the shard has more to read right now.
Result<bool> RangePlanner::ReadShard(ShardIndex index, Shard& shard, std::uint64_t bytes_max) {
  const Result<ReadProgress> progress = source_.Read(
      index, shard.next, kMaxOffset, bytes_max, [this](std::span<const RecordRef> records) { return Visit(records); });
  if (!progress && progress.error().code() == Code::kOutOfRange) {
    Status status = SkipRemoved(index, shard, progress.error());
    if (!status.ok()) return Error(std::move(status));
    return true;
  }
  if (!progress) return Error(progress.error());
  if (progress->given_up) return SkipGivenUp(index, shard, *progress);
  SLUICE_CHECK(progress->next >= shard.next && progress->records == progress->next - shard.next);
  shard.next = progress->next;
  shard.end = std::max(progress->end, progress->next);
  return shard.next < progress->end;
}

/// Retention has removed what was to come next: that is said in the ledger and counted, and delivery goes on behind it.
Status RangePlanner::SkipRemoved(ShardIndex index, Shard& shard, const Status& why) {
  const Result<ReadProgress> bounds = source_.Bounds(index);
  if (!bounds) return bounds.error();
  if (bounds->oldest <= shard.next || shard.next != shard.first)
    return why;  // not retention, or in the middle of a range
  lost_.push_back({{index, shard.next, Offset(bounds->oldest.value - 1)}, false});
  shard.first = shard.next = bounds->oldest;
  shard.end = bounds->end;
  return Status();
}

/// The same where the log has lost records and they were given up. A range has no gap: the delivery ends before it.
bool RangePlanner::SkipGivenUp(ShardIndex index, Shard& shard, const ReadProgress& progress) {
  SLUICE_CHECK(progress.next > shard.next);
  shard.end = std::max(progress.end, progress.next);
  if (shard.next != shard.first) {
    gap_ahead_ = true;
    return false;
  }
  lost_.push_back({{index, shard.next, Offset(progress.next.value - 1)}, true});
  shard.first = shard.next = progress.next;
  return shard.next < progress.end;
}

Status RangePlanner::Visit(std::span<const RecordRef> records) {
  for (const RecordRef& record : records) {
    bytes_ += record.value.size();
    if (oldest_ms_ == 0 || record.append_time_ms < oldest_ms_) oldest_ms_ = record.append_time_ms;
  }
  if (records_ == 0 && !records.empty()) first_seen_ns_ = clock_.MonotonicNs();
  records_ += records.size();
  return pipeline_ ? LookAt(records) : Status();
}

/// What is processed is a sample of the log's records, as processing may cost; what is not, a sample of what comes out.
Status RangePlanner::LookAt(std::span<const RecordRef> records) {
  if (!pipeline_->processes()) return pipeline_->Append(records);
  // Of what is not the same the next time, only what a first schema needs: what is delivered shows what that misses.
  if (!repeatable_ && (pinned_ || looked_at_ >= kSampleFirst)) return Status();
  samples_.clear();
  std::ranges::copy_if(records, std::back_inserter(samples_), [this](const RecordRef&) { return Sampled(); });
  if (samples_.empty()) return Status();
  if (Status status = pipeline_->Append(samples_); !status.ok()) return status;
  return pipeline_->Finish();
}

bool RangePlanner::Sampled() {
  const std::uint64_t number = looked_at_++;
  return !pinned_ || number < kSampleFirst || number % kSampleEvery == 0;
}

/// Widens the schema by what the records need.
Status RangePlanner::Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) {
  const bool all = !work.empty();
  values_.clear();
  for (const RecordRef& record : records) {
    if (all || Sampled()) values_.push_back(record.value);
  }
  if (values_.empty()) return Status();
  const InferenceRules rules;
  if (wanted_) {
    wanted_ = WidenSchema(*wanted_, values_, rules);
  } else if (Result<Schema> first = InferSchema(values_, rules)) {
    wanted_ = std::move(*first);
  }
  return Status();
}

/// By the records' own times, so that what waited during a restart goes at once, and by our clock, in case theirs
/// jumped.
std::int64_t RangePlanner::AgeMs() const {
  const std::int64_t by_records = clock_.WallMs() - oldest_ms_;
  const std::int64_t by_watching = (clock_.MonotonicNs() - first_seen_ns_) / 1'000'000;
  return std::max(by_records, by_watching);
}

bool RangePlanner::Due() const {
  if (empty()) return false;
  if (full() || gap_ahead_ || !lost_.empty()) return true;
  return AgeMs() >= static_cast<std::int64_t>(config_->interval_s) * 1000;
}

std::int64_t RangePlanner::UntilDueMs() const {
  if (empty()) return 0;
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(config_->interval_s) * 1000 - AgeMs());
}

DeliveryPlan RangePlanner::Plan() const {
  DeliveryPlan plan;
  plan.lost = lost_;
  plan.records = records_;
  plan.bytes = bytes_;
  plan.oldest_ms = oldest_ms_;
  for (const auto& [index, shard] : shards_) {
    if (shard.next > shard.first) plan.ranges.push_back({index, shard.first, Offset(shard.next.value - 1)});
  }
  if (!config_->convert) return plan;
  // Where no record so far had a key, everything is an error or a row without columns: an empty schema says that.
  Schema schema = wanted_.value_or(Schema{.version = 1, .columns = {}, .overflow = true});
  const bool changed = !pinned_ || pinned_->columns != schema.columns;
  schema.version = !pinned_ ? 1 : pinned_->version + (changed ? 1 : 0);
  plan.schema_version = schema.version;
  if (changed) plan.new_schema = std::move(schema);
  return plan;
}

std::uint64_t RangePlanner::lag_records() const {
  std::uint64_t lag = 0;
  for (const auto& [index, shard] : shards_) lag += shard.end - shard.first;
  return lag;
}

}  // namespace sluice::delivery
