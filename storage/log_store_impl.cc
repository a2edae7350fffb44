// Opening, closing and looking after the parts of one data directory.
#include "storage/log_store_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/check.h"
#include "storage/recovery.h"

namespace sluice::storage {
namespace {

constexpr unsigned kDirectoryVersion = 2;
constexpr std::string_view kVersionPrefix = "sluice-data ";
constexpr std::uint64_t kGroupBytesMax = 8u << 20;

JournalFiles::Options FilesOptions(const LogStoreOptions& options) {
  const std::uint64_t files = options.journal_bytes_max / options.journal_file_bytes;
  return {.file_bytes = options.journal_file_bytes, .files_max = std::max<std::size_t>(files, 2)};
}

Committer::Options CommitOptions(const LogStoreOptions& options) {
  return {.inline_commit_bytes = options.inline_commit_bytes,
          .group_bytes_max = std::min(kGroupBytesMax, options.journal_file_bytes / 2),
          .flush_interval_ms = options.flush_interval_ms,
          .idle_mark_ms = options.idle_mark_ms};
}

Status CheckOptions(const LogStoreOptions& options) {
  constexpr std::uint64_t kLeast = 64u << 10;
  if (options.journal_file_bytes < kLeast || options.journal_file_bytes % kPageBytes != 0) {
    return Status(Code::kInvalidArgument,
                  fmt::format("journal files of {} bytes: at least {} and a multiple of {} are needed",
                              options.journal_file_bytes, kLeast, kPageBytes));
  }
  if (options.segment_bytes <= 2 * kPageBytes) return Status(Code::kInvalidArgument, "segment_bytes is too small");
  return {};
}

}  // namespace

Result<std::unique_ptr<LogStore>> LogStore::Open(Env& env, std::string dir, LogStoreOptions options,
                                                 RecoveryReport* report) {
  if (Status status = CheckOptions(options); !status.ok()) return Error(std::move(status));
  RecoveryReport unused;
  auto store = std::make_unique<LogStoreImpl>(env, std::move(dir), options);
  if (Status status = store->Open(report != nullptr ? *report : unused); !status.ok()) return Error(std::move(status));
  return store;
}

LogStoreImpl::LogStoreImpl(Env& env, std::string dir, const LogStoreOptions& options)
    : env_(env),
      dir_(std::move(dir)),
      options_(options),
      budget_(options.tail_bytes_max),
      segments_(env, dir_ + "/segments", options.segment_bytes),
      journal_files_(env, dir_ + "/journal", FilesOptions(options)),
      checkpoints_(env, dir_),
      committer_(env, journal_files_, budget_, CommitOptions(options)),
      write_behind_({.env = env,
                     .segments = segments_,
                     .budget = budget_,
                     .committer = committer_,
                     .journal_files = journal_files_,
                     .checkpoints = checkpoints_,
                     .shards = [this] { return AllShards(); },
                     .write_behind_bytes = options.write_behind_bytes,
                     .checkpoint_interval_ms = options.checkpoint_interval_ms}) {}

LogStoreImpl::~LogStoreImpl() {
  gone_->store(true);
  if (closed_) return;
  // As after a crash, but for the threads: what was not acknowledged may be lost, the rest is in the journal.
  committer_.Stop();
  (void)write_behind_.Stop(false);
  journal_files_.Stop();
}

Status LogStoreImpl::Open(RecoveryReport& report) {
  const std::int64_t begun_ns = env_.clock().MonotonicNs();
  if (Status status = env_.MakeDirs(dir_); !status.ok()) return status;
  Result<std::unique_ptr<FileLock>> lock = env_.Lock(dir_ + "/LOCK");
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  if (Status status = CheckVersion(); !status.ok()) return status;

  Recovery recovery({.env = env_,
                     .checkpoints = checkpoints_,
                     .journal_files = journal_files_,
                     .segments = segments_,
                     .budget = budget_,
                     .write_tail = [this](ShardLogImpl& shard) { return write_behind_.WriteShard(shard); }},
                    report);
  Result<Recovery::Outcome> outcome = recovery.Run();
  if (!outcome) return outcome.error();
  {
    const MutexLock shards_lock(mutex_);
    for (auto& [id, shard] : recovery.shards()) shards_.emplace(id, std::move(shard));
  }
  committer_.Start(outcome->next_sequence, outcome->next_group);
  journal_files_.Start([this] { committer_.JournalFilesChanged(); });
  write_behind_.Start(outcome->checkpoint_sequence, outcome->replay);
  if (Status status = WaitForJournalFile(); !status.ok()) return status;
  if (report.frames_replayed > 0 || !report.quarantined.empty()) write_behind_.RequestCheckpoint();
  report.duration_ms = (env_.clock().MonotonicNs() - begun_ns) / 1'000'000;
  return {};
}

Status LogStoreImpl::WaitForJournalFile() {
  // Usually there is one. A full disk does not keep the broker from starting: it can be read, and writes wait.
  // The first checkpoint frees some where all are in use.
  const Status status = journal_files_.WaitForFree(options_.journal_bytes_max);
  return status.code() == Code::kResourceExhausted ? Status() : status;
}

Status LogStoreImpl::CheckVersion() {
  const std::string path = dir_ + "/VERSION";
  if (Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kRead)) {
    std::string text(64, '\0');
    Result<std::size_t> got = (*file)->Read(0, text);
    if (!got) return got.error();
    text.resize(*got);
    unsigned version = 0;
    if (text.starts_with(kVersionPrefix)) {
      std::from_chars(text.data() + kVersionPrefix.size(), text.data() + text.size(), version);
    }
    if (version == kDirectoryVersion) return {};
    if (version != 0) {
      return Status(Code::kUnimplemented, fmt::format("{} has data version {}, this program reads {} only; use the "
                                                      "version of Sluice that wrote it, or choose another directory",
                                                      dir_, version, kDirectoryVersion));
    }
    // It came by a rename after a flush, so no crash has left it like this: it may well be another program's.
    return Status(Code::kCorruption,
                  fmt::format("{} does not say '{}{}': {} is no data directory of Sluice, or the file is damaged; "
                              "choose another directory, or write that line into it",
                              path, kVersionPrefix, kDirectoryVersion, dir_));
  } else if (file.error().code() != Code::kNotFound) {
    return file.error();
  }
  const std::string fresh = path + ".new";
  Result<std::unique_ptr<File>> file = env_.Open(fresh, OpenMode::kCreateOrOpen);
  if (!file) return file.error();
  if (Status status = (*file)->Write(0, fmt::format("{}{}\n", kVersionPrefix, kDirectoryVersion)); !status.ok())
    return status;
  if (Status status = (*file)->Sync(); !status.ok()) return status;
  if (Status status = env_.Rename(fresh, path); !status.ok()) return status;
  return env_.SyncDir(dir_);
}

std::unique_ptr<LogWriter> LogStoreImpl::NewWriter(Executor& loop) {
  const WriterCore::Parts parts{.env = env_,
                                .committer = committer_,
                                .budget = budget_,
                                .write_behind = write_behind_,
                                .batch_bytes_max = CommitOptions(options_).group_bytes_max,
                                .frame_bytes_max = options_.journal_file_bytes - 2 * kPageBytes,
                                .store_gone = gone_};
  return std::make_unique<LogWriterImpl>(std::make_shared<WriterCore>(loop, parts));
}

std::shared_ptr<ShardLog> LogStoreImpl::OpenShard(ShardId id) {
  const MutexLock lock(mutex_);
  std::shared_ptr<ShardLogImpl>& shard = shards_[id];
  if (shard == nullptr) shard = std::make_shared<ShardLogImpl>(id, budget_);
  return shard;
}

void LogStoreImpl::DropShard(ShardId id) {
  std::shared_ptr<ShardLogImpl> shard;
  {
    const MutexLock lock(mutex_);
    const auto found = shards_.find(id);
    if (found == shards_.end()) return;
    shard = std::move(found->second);
    shards_.erase(found);
  }
  write_behind_.RetireLater(shard->Drop());
}

std::vector<ShardId> LogStoreImpl::Shards() {
  std::vector<ShardId> ids;
  for (const auto& shard : AllShards()) {
    if (shard->durable_end().value > 0) ids.push_back(shard->id());
  }
  std::ranges::sort(ids);
  return ids;
}

std::vector<std::shared_ptr<ShardLogImpl>> LogStoreImpl::AllShards() {
  std::vector<std::shared_ptr<ShardLogImpl>> shards;
  const MutexLock lock(mutex_);
  shards.reserve(shards_.size());
  for (const auto& [id, shard] : shards_) shards.push_back(shard);
  return shards;
}

std::shared_ptr<ShardLogImpl> LogStoreImpl::FindShard(ShardId id) {
  const MutexLock lock(mutex_);
  const auto found = shards_.find(id);
  return found == shards_.end() ? nullptr : found->second;
}

std::uint64_t LogStoreImpl::ApplyRetention(ShardId id, const RetentionPolicy& policy) {
  const std::shared_ptr<ShardLogImpl> shard = FindShard(id);
  if (shard == nullptr) return 0;
  std::vector<std::shared_ptr<Segment>> removed = shard->Trim(policy, env_.clock().WallMs());
  std::uint64_t bytes = 0;
  for (const auto& segment : removed) bytes += segment->extent().bytes;
  write_behind_.RetireLater(std::move(removed));
  return bytes;
}

Result<std::vector<Hole>> LogStoreImpl::AcceptLoss(ShardId id) {
  const std::shared_ptr<ShardLogImpl> shard = FindShard(id);
  if (shard == nullptr || !shard->damage().open()) {
    return Error(Code::kFailedPrecondition, "shard " + ToString(id) + " has no loss that is not accepted already");
  }
  std::vector<Hole> accepted = shard->AcceptLoss();
  write_behind_.RequestCheckpoint();
  return accepted;
}

LogStoreStats LogStoreImpl::stats() const {
  LogStoreStats stats;
  stats.commits = committer_.commits();
  stats.tail_bytes = budget_.tail_bytes();
  stats.unwritten_bytes = budget_.unwritten_bytes();
  stats.journal_bytes = journal_files_.live_bytes();
  stats.checkpoints = write_behind_.checkpoints();
  stats.disk_full = budget_.disk_full();
  stats.writable = !committer_.failed();
  const MutexLock lock(mutex_);
  for (const auto& [id, shard] : shards_) stats.segment_bytes += shard->segment_bytes();
  return stats;
}

Status LogStoreImpl::Close() {
  SLUICE_CHECK(!std::exchange(closed_, true));
  committer_.Stop();
  Status status = write_behind_.Stop(true);
  journal_files_.Stop();
  return status;
}

}  // namespace sluice::storage
