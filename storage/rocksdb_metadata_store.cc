// The metadata store of one machine. RocksDB is set up to be small (the whole idle broker has a budget of 24 MB) and
// strict: every commit is synced, and a damaged log of changes refuses to open rather than lose its end.
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <mutex>

#include "protocol/check.h"
#include "storage/env/posix_env.h"
#include "storage/metadata_key.h"
#include "storage/metadata_store.h"
#include "storage/rocksdb_log_check.h"

namespace sluice::storage {
namespace {

rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

Status Damaged(const std::string& what, const std::string& dir) {
  return Status(Code::kCorruption,
                fmt::format("{}; keep a copy of {} and restore it from a backup: the records are kept "
                            "elsewhere and are not touched by this",
                            what, dir));
}

Status Translate(const rocksdb::Status& status, std::string_view action, const std::string& dir) {
  if (status.ok()) return {};
  const std::string text = fmt::format("cannot {} the metadata in {}: {}", action, dir, status.ToString());
  if (status.IsNoSpace()) return Status(Code::kResourceExhausted, text + "; free space on this disk");
  if (status.IsCorruption()) return Damaged(text, dir);
  return Status(Code::kIoError, text);
}

rocksdb::Options SmallAndStrict() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(512 << 10, 0);
  table.cache_index_and_filter_blocks = true;

  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = 1 << 20;
  options.arena_block_size = 32 << 10;
  options.max_write_buffer_number = 2;
  options.max_open_files = 32;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kNoCompression;
  options.max_manifest_file_size = 1 << 20;
  options.max_total_wal_size = 4 << 20;
  // Takes a log up to the first record that does not hold; CheckLogs has seen to it that nothing stands behind that.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.skip_stats_update_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 256 << 10;
  options.keep_log_file_num = 2;
  return options;
}

/// kCorruption where the log of changes at `path` is damaged before its end; a torn end is cut off. RocksDB would do
/// that by itself, but RocksDB 9 never comes back from a last record whose type has its highest bit set.
Status CheckAndCutLog(Env& env, const std::string& path, const std::string& dir) {
  const auto file = env.Open(path, OpenMode::kReadWrite);
  if (!file.has_value()) return file.error();
  const auto size = (*file)->Size();
  if (!size.has_value()) return size.error();
  std::string bytes(*size, '\0');
  const auto got = (*file)->Read(0, bytes);
  if (!got.has_value()) return got.error();
  const LogCheck check = CheckLog(std::string_view(bytes).substr(0, *got));
  if (check.damaged) return Damaged(path + " is damaged before its end", dir);
  if (check.readable_bytes == *got) return {};
  if (Status cut = (*file)->Truncate(check.readable_bytes); !cut.ok()) return cut;
  return (*file)->Sync();
}

Status CheckLogs(Env& env, const std::string& dir) {
  const auto names = env.List(dir);
  if (!names.has_value()) return names.error();
  for (const std::string& name : *names) {
    if (!name.ends_with(".log")) continue;
    if (Status status = CheckAndCutLog(env, dir + "/" + name, dir); !status.ok()) return status;
  }
  return {};
}

/// CheckLogs under RocksDB's own lock, so that nobody writes to them meanwhile; this is also where a second process is
/// refused.
Status CheckLogsLocked(Env& env, const std::string& dir) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::Env* const locks = rocksdb::Env::Default();
  if (const rocksdb::Status locked = locks->LockFile(dir + "/LOCK", &lock); !locked.ok()) {
    return Status(Code::kFailedPrecondition,
                  fmt::format("the metadata in {} cannot be locked: {}; where another process uses this data "
                              "directory, stop it or use another directory",
                              dir, locked.ToString()));
  }
  Status status = CheckLogs(env, dir);
  const rocksdb::Status unlocked = locks->UnlockFile(lock);
  if (status.ok() && !unlocked.ok()) status = Translate(unlocked, "unlock", dir);
  return status;
}

class RocksdbMetadataStore final : public MetadataStore {
 public:
  RocksdbMetadataStore(std::unique_ptr<rocksdb::DB> db, std::string dir) : db_(std::move(db)), dir_(std::move(dir)) {
    SLUICE_CHECK(db_ != nullptr);
  }

  Result<std::optional<std::string>> Get(std::string_view key) override {
    std::string value;
    const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), SliceOf(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return Error(Translate(status, "read", dir_));
    return value;
  }

  Result<std::vector<KeyValue>> Scan(std::string_view prefix) override {
    const std::string end = EndOfPrefix(prefix);
    const rocksdb::Slice end_slice(end);
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    if (!end.empty()) options.iterate_upper_bound = &end_slice;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    std::vector<KeyValue> entries;
    for (it->Seek(SliceOf(prefix)); it->Valid(); it->Next()) {
      SLUICE_CHECK(it->key().starts_with(SliceOf(prefix)));
      entries.emplace_back(it->key().ToString(), it->value().ToString());
    }
    if (!it->status().ok()) return Error(Translate(it->status(), "read", dir_));
    return entries;
  }

  Status Commit(const Transaction& transaction) override {
    const std::scoped_lock lock(commit_mutex_);
    if (Status status = Resume(); !status.ok()) return status;
    for (const auto& [key, value] : transaction.conditions) {
      const auto current = Get(key);
      if (!current.has_value()) return current.error();
      if (*current != value) return ConditionRefused(key);
    }
    rocksdb::WriteBatch batch;
    for (const auto& [key, value] : transaction.puts) batch.Put(key, value);
    for (const std::string& key : transaction.deletes) batch.Delete(key);
    rocksdb::WriteOptions options;
    options.sync = true;
    Status status = Translate(db_->Write(options, &batch), "change", dir_);
    paused_ = status.code() == Code::kResourceExhausted;
    return status;
  }

 private:
  /// After a full disk RocksDB takes no writes until it is asked to look again; it then goes on with a new log file.
  Status Resume() {
    if (!paused_) return {};
    Status status = Translate(db_->Resume(), "write again to", dir_);
    paused_ = !status.ok();
    return status;
  }

  const std::unique_ptr<rocksdb::DB> db_;  // locks itself
  const std::string dir_;
  std::mutex commit_mutex_;  // from the check of the conditions to the end of the write
  bool paused_ = false;      // guarded by commit_mutex_
};

}  // namespace

Result<std::unique_ptr<MetadataStore>> OpenRocksdbMetadataStore(const std::string& dir) {
  const std::unique_ptr<Env> env = NewPosixEnv();
  if (Status status = env->MakeDirs(dir); !status.ok()) return Error(std::move(status));
  if (Status status = CheckLogsLocked(*env, dir); !status.ok()) return Error(std::move(status));
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(SmallAndStrict(), dir, &opened);
  std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) return Error(Translate(status, "open", dir));
  return std::make_unique<RocksdbMetadataStore>(std::move(db), dir);
}

}  // namespace sluice::storage
