// Objects as files: write the spool, fdatasync, rename to the key (never over another file), sync the directories.
// Files and directories get the modes that the process' umask leaves: the lake is there for others to read.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "broker/delivery/object_store.h"
#include "broker/delivery/prefix.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kBufferBytes = 1u << 20;
constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kSegmentBytesMax = 255;

/// Whatever the disk says, the records are safe in the log: the lake is not there at the moment.
Status LakeProblem(const Status& status, std::string_view dir) {
  if (status.ok() || status.code() == Code::kCorruption) return status;
  return Status(Code::kUnavailable,
                fmt::format("cannot write to the lake directory '{}': {}; nothing is lost, delivery waits and "
                            "goes on by itself once the directory can be written",
                            dir, status.message()));
}

class LocalSpool : public ObjectSpool {
 public:
  LocalSpool(std::unique_ptr<storage::File> file, std::string path, std::string dir)
      : file_(std::move(file)),
        path_(std::move(path)),
        dir_(std::move(dir)),
        hash_(XXH3_createState(), XXH3_freeState) {
    SLUICE_CHECK(file_ != nullptr && hash_ != nullptr);
    XXH3_64bits_reset(hash_.get());
  }

  Status Write(std::string_view bytes) override {
    XXH3_64bits_update(hash_.get(), bytes.data(), bytes.size());
    bytes_ += bytes.size();
    if (buffer_.size() + bytes.size() < kBufferBytes) {
      buffer_.append(bytes);
      return Status();
    }
    const std::string_view pieces[] = {buffer_, bytes};
    const Status status = file_->Write(written_, pieces);
    written_ += buffer_.size() + bytes.size();
    buffer_.clear();
    return LakeProblem(status, dir_);
  }

  /// Writes what is left and makes the file durable.
  Status Sync() {
    if (Status status = file_->Write(written_, buffer_); !status.ok()) return LakeProblem(status, dir_);
    written_ += buffer_.size();
    buffer_.clear();
    SLUICE_CHECK(written_ == bytes_);
    return LakeProblem(file_->Sync(), dir_);
  }

  std::uint64_t bytes() const override { return bytes_; }
  std::uint64_t checksum() const override { return XXH3_64bits_digest(hash_.get()); }
  const std::string& path() const { return path_; }

 private:
  std::unique_ptr<storage::File> file_;
  std::string path_;
  std::string dir_;
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash_;
  std::string buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t bytes_ = 0;
};

class LocalObjectStore : public ObjectStore {
 public:
  LocalObjectStore(storage::Env& env, std::string dir, std::map<std::string, std::string> buckets)
      : env_(env), dir_(std::move(dir)), buckets_(std::move(buckets)) {}

  Status CheckKey(std::string_view key) override {
    const auto invalid = [&](std::string_view why) {
      return Status(Code::kInvalidArgument, fmt::format("'{}' cannot be an object's key here: {}", key, why));
    };
    if (key.empty() || key.size() > kKeyBytesMax)
      return invalid(fmt::format("it must have 1 to {} bytes", kKeyBytesMax));
    if (SafeKey(key) != key || key.back() == '/')
      return invalid("it has an empty or dotted segment or a control character");
    if (key.starts_with(".sluice/")) return invalid("'.sluice' is kept for spools");
    for (std::size_t begin = 0; begin < key.size();) {
      const std::size_t end = std::min(key.find('/', begin), key.size());
      if (end - begin > kSegmentBytesMax)
        return invalid(fmt::format("a segment has more than {} bytes", kSegmentBytesMax));
      begin = end + 1;
    }
    return Status();
  }

  Status CheckBucket(std::string_view bucket) override {
    const std::string name = "check";
    const Result<std::unique_ptr<ObjectSpool>> spool = NewSpool(bucket, name);
    if (!spool) return spool.error();
    return LakeProblem(env_.Remove(SpoolPath(bucket, name)), BucketDir(bucket));
  }

  void ExpectBucket(std::string_view bucket) override {
    const std::lock_guard lock(expected_mutex_);
    expected_.insert(BucketDir(bucket));
  }

  Result<std::unique_ptr<ObjectSpool>> NewSpool(std::string_view bucket, std::string_view name) override {
    const std::string bucket_dir = BucketDir(bucket);
    std::string path = SpoolPath(bucket, name);
    const std::string spool_dir = path.substr(0, path.rfind('/'));
    if (Status status = CheckExpected(bucket_dir); !status.ok()) return Error(std::move(status));
    if (Status status = env_.MakeDirs(spool_dir, storage::Access::kShared); !status.ok())
      return Error(LakeProblem(status, bucket_dir));
    if (Status status = CheckInside(bucket_dir, spool_dir); !status.ok()) return Error(std::move(status));
    // A file of an earlier try may hold anything, also what a failed sync left: start with a new one.
    if (Status status = env_.Remove(path); !status.ok() && status.code() != Code::kNotFound) {
      return Error(LakeProblem(status, bucket_dir));
    }
    Result<std::unique_ptr<storage::File>> file = env_.Open(path, storage::OpenMode::kCreate, storage::Access::kShared);
    if (!file) return Error(LakeProblem(file.error(), bucket_dir));
    ExpectBucket(bucket);
    return std::make_unique<LocalSpool>(std::move(*file), std::move(path), bucket_dir);
  }

  Status Put(std::string_view bucket, std::string_view key, std::unique_ptr<ObjectSpool> any_spool) override {
    auto* spool = dynamic_cast<LocalSpool*>(any_spool.get());
    SLUICE_CHECK(spool != nullptr);
    if (Status status = CheckKey(key); !status.ok()) return status;
    const std::string bucket_dir = BucketDir(bucket);
    const std::string path = fmt::format("{}/{}", bucket_dir, key);
    const std::string parent = path.substr(0, path.rfind('/'));
    if (Status status = spool->Sync(); !status.ok()) return status;
    if (Status status = CheckExpected(bucket_dir); !status.ok()) return status;
    if (Status status = env_.MakeDirs(parent, storage::Access::kShared); !status.ok())
      return LakeProblem(status, bucket_dir);
    if (Status status = CheckInside(bucket_dir, parent); !status.ok()) return status;

    const Status renamed = env_.RenameToNew(spool->path(), path);
    if (renamed.code() == Code::kAlreadyExists) return KeepExisting(path, *spool, bucket_dir);
    if (!renamed.ok()) return LakeProblem(renamed, bucket_dir);
    return LakeProblem(SyncParents(bucket_dir, parent), bucket_dir);
  }

  Result<std::optional<std::uint64_t>> Size(std::string_view bucket, std::string_view key) override {
    if (Status status = CheckKey(key); !status.ok()) return Error(std::move(status));
    const std::string bucket_dir = BucketDir(bucket);
    Result<std::unique_ptr<storage::File>> file =
        env_.Open(fmt::format("{}/{}", bucket_dir, key), storage::OpenMode::kRead);
    if (!file && file.error().code() == Code::kNotFound) return std::nullopt;
    if (!file) return Error(LakeProblem(file.error(), bucket_dir));
    Result<std::uint64_t> size = (*file)->Size();
    if (!size) return Error(LakeProblem(size.error(), bucket_dir));
    return *size;
  }

 private:
  std::string BucketDir(std::string_view bucket) const {
    const auto mapped = buckets_.find(std::string(bucket));
    return mapped != buckets_.end() ? mapped->second : fmt::format("{}/{}", dir_, bucket);
  }

  std::string SpoolPath(std::string_view bucket, std::string_view name) const {
    return fmt::format("{}/.sluice/{}.spool", BucketDir(bucket), name);
  }

  /// The directory of spools is the sign that this is the lake. Where it is gone, a file system is not mounted, or
  /// somebody has moved the lake: what is made in its place would be hidden or forgotten, and each object is proven in
  /// one place.
  Status CheckExpected(const std::string& bucket_dir) {
    {
      const std::lock_guard lock(expected_mutex_);
      if (!expected_.contains(bucket_dir)) return Status();
    }
    const Result<std::string> real = env_.RealPath(bucket_dir + "/.sluice");
    if (real || real.error().code() != Code::kNotFound) return real ? Status() : LakeProblem(real.error(), bucket_dir);
    return Status(Code::kUnavailable,
                  fmt::format("the lake directory '{}' is not what it was: '.sluice' in it is gone (is a file system "
                              "not mounted, or was the lake moved?); nothing is lost, delivery waits and goes on by "
                              "itself once it is back; 'mkdir -p {}/.sluice' begins a new one",
                              bucket_dir, bucket_dir));
  }

  /// Symbolic links below the bucket's directory must not lead out of it.
  Status CheckInside(const std::string& bucket_dir, const std::string& dir) {
    const Result<std::string> root = env_.RealPath(bucket_dir);
    if (!root) return LakeProblem(root.error(), bucket_dir);
    const Result<std::string> real = env_.RealPath(dir);
    if (!real) return LakeProblem(real.error(), bucket_dir);
    if (*real == *root || real->starts_with(*root + "/")) return Status();
    return Status(
        Code::kUnavailable,
        fmt::format("'{}' leads out of the lake directory '{}' over a symbolic link; remove the link, or name the "
                    "directory in the configuration's bucket map",
                    dir, bucket_dir));
  }

  Status KeepExisting(const std::string& path, LocalSpool& spool, const std::string& bucket_dir) {
    const Result<bool> same = SameContent(path, spool);
    if (!same) return LakeProblem(same.error(), bucket_dir);
    if (!*same) {
      return Status(Code::kCorruption,
                    fmt::format("'{}' exists already and holds other bytes than this delivery would write; it "
                                "is left as it is: find out who wrote it, move it away, and delivery goes on",
                                path));
    }
    // The first try may have died between its rename and its sync.
    if (Status status = SyncParents(bucket_dir, path.substr(0, path.rfind('/'))); !status.ok())
      return LakeProblem(status, bucket_dir);
    return LakeProblem(env_.Remove(spool.path()), bucket_dir);
  }

  Result<bool> SameContent(const std::string& path, const LocalSpool& spool) {
    Result<std::unique_ptr<storage::File>> file = env_.Open(path, storage::OpenMode::kRead);
    if (!file) return Error(file.error());
    Result<std::uint64_t> size = (*file)->Size();
    if (!size) return Error(size.error());
    if (*size != spool.bytes()) return false;
    const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash(XXH3_createState(), XXH3_freeState);
    XXH3_64bits_reset(hash.get());
    std::string buffer(kBufferBytes, '\0');
    for (std::uint64_t at = 0; at < *size;) {
      const Result<std::size_t> read = (*file)->Read(at, std::span(buffer.data(), buffer.size()));
      if (!read) return Error(read.error());
      if (*read == 0) return false;
      XXH3_64bits_update(hash.get(), buffer.data(), *read);
      at += *read;
    }
    return XXH3_64bits_digest(hash.get()) == spool.checksum();
  }

  /// The file's own directory, and once per process those above it: they may have been made just now.
  Status SyncParents(const std::string& bucket_dir, const std::string& parent) {
    if (Status status = env_.SyncDir(parent); !status.ok()) return status;
    {
      const std::lock_guard lock(synced_mutex_);
      if (synced_dirs_.contains(parent)) return Status();
    }
    for (std::string dir = parent; dir.size() > bucket_dir.size();) {
      dir.resize(dir.rfind('/'));
      if (Status status = env_.SyncDir(dir); !status.ok()) return status;
    }
    const std::size_t above = bucket_dir.rfind('/');
    if (above != bucket_dir.npos && above > 0) {
      if (Status status = env_.SyncDir(bucket_dir.substr(0, above)); !status.ok()) return status;
    }
    const std::lock_guard lock(synced_mutex_);
    if (synced_dirs_.size() > kSyncedDirsMax) synced_dirs_.clear();
    synced_dirs_.insert(parent);
    return Status();
  }

  static constexpr std::size_t kSyncedDirsMax = 4096;
  storage::Env& env_;
  std::string dir_;
  std::map<std::string, std::string> buckets_;
  std::mutex synced_mutex_;
  std::set<std::string> synced_dirs_;  // guarded by synced_mutex_
  std::mutex expected_mutex_;
  std::set<std::string> expected_;  // directories of buckets; guarded by expected_mutex_
};

}  // namespace

std::unique_ptr<ObjectStore> NewLocalObjectStore(storage::Env& env, std::string dir,
                                                 std::map<std::string, std::string> buckets) {
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  return std::make_unique<LocalObjectStore>(env, std::move(dir), std::move(buckets));
}

}  // namespace sluice::delivery
