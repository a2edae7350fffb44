// Objects as files: write the spool, fdatasync, rename to the key (never over another file), sync the directories.
// Files and directories get the modes that the process' umask leaves: the lake is there for others to read.
#include <fmt/format.h>

#include <mutex>
#include <set>

#include "broker/delivery/checksum.h"
#include "broker/delivery/file_spool.h"
#include "broker/delivery/object_store.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;

std::string Named(std::string_view bucket_dir) { return fmt::format("the lake directory '{}'", bucket_dir); }

Status LakeProblem(const Status& status, std::string_view bucket_dir) {
  return DirectoryProblem(status, Named(bucket_dir));
}

class LocalObjectStore : public ObjectStore {
 public:
  LocalObjectStore(storage::Env& env, std::string dir, std::map<std::string, std::string> buckets)
      : env_(env), dir_(std::move(dir)), buckets_(std::move(buckets)) {}

  std::string Place(std::string_view bucket) override {
    const std::string dir = BucketDir(bucket);
    return env_.RealPath(dir).value_or(dir);
  }

  Status CheckBucket(std::string_view bucket) override {
    const std::lock_guard lock(check_mutex_);
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
    if (Status status = Enter(bucket_dir, spool_dir); !status.ok()) return Error(std::move(status));
    Result<std::unique_ptr<FileSpool>> spool =
        FileSpool::Make(env_, std::move(path), storage::Access::kShared, SpoolFile::kBecomesObject, Named(bucket_dir));
    if (!spool) return Error(spool.error());
    ExpectBucket(bucket);
    return std::move(*spool);
  }

  Status Put(std::string_view bucket, std::string_view key, std::unique_ptr<ObjectSpool> any_spool) override {
    auto* spool = dynamic_cast<FileSpool*>(any_spool.get());
    SLUICE_CHECK(spool != nullptr);
    if (Status status = CheckObjectKey(key); !status.ok()) return status;
    const std::string bucket_dir = BucketDir(bucket);
    const std::string path = fmt::format("{}/{}", bucket_dir, key);
    const std::string parent = path.substr(0, path.rfind('/'));
    if (Status status = spool->Sync(); !status.ok()) return status;
    if (Status status = CheckExpected(bucket_dir); !status.ok()) return status;
    if (Status status = Enter(bucket_dir, parent); !status.ok()) return status;

    const Status renamed = env_.RenameToNew(spool->path(), path);
    if (renamed.code() == Code::kAlreadyExists) return KeepExisting(path, *spool, bucket_dir);
    if (!renamed.ok()) return LakeProblem(renamed, bucket_dir);
    return LakeProblem(env_.SyncDir(parent), bucket_dir);
  }

  Status Read(std::string_view bucket, std::string_view key,
              const std::function<Status(std::string_view piece)>& take) override {
    if (Status status = CheckObjectKey(key); !status.ok()) return status;
    const std::string path = fmt::format("{}/{}", BucketDir(bucket), key);
    const Result<std::unique_ptr<storage::File>> file = env_.Open(path, storage::OpenMode::kRead);
    if (!file && file.error().code() == Code::kNotFound)
      return Status(Code::kNotFound, fmt::format("there is no object '{}'", path));
    return file ? ReadPieces(**file, take) : LakeProblem(file.error(), BucketDir(bucket));
  }

  Result<std::optional<std::uint64_t>> Size(std::string_view bucket, std::string_view key) override {
    if (Status status = CheckObjectKey(key); !status.ok()) return Error(std::move(status));
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

  /// `dir` is there, its name is on the disk, and it is inside of the bucket's directory.
  Status Enter(const std::string& bucket_dir, const std::string& dir) {
    Result<std::string> real = IsDurable(dir) ? env_.RealPath(dir) : Error(Code::kNotFound, dir);
    if (!real && real.error().code() == Code::kNotFound) {
      if (Status status = MakeDurable(bucket_dir, dir); !status.ok()) return LakeProblem(status, bucket_dir);
      real = env_.RealPath(dir);
    }
    return real ? CheckInside(bucket_dir, dir, *real) : LakeProblem(real.error(), bucket_dir);
  }

  /// Symbolic links below the bucket's directory must not lead out of it.
  Status CheckInside(const std::string& bucket_dir, const std::string& dir, const std::string& real) {
    const Result<std::string> root = env_.RealPath(bucket_dir);
    if (!root) return LakeProblem(root.error(), bucket_dir);
    if (real == *root || real.starts_with(*root + "/")) return Status();
    return Status(
        Code::kUnavailable,
        fmt::format("'{}' leads out of the lake directory '{}' over a symbolic link; remove the link, or name the "
                    "directory in the configuration's bucket map",
                    dir, bucket_dir));
  }

  /// Once per process also where it is there already: whoever made it may have died before its name was on the disk.
  /// Each flush of a directory is one of the disk, and there may be thousands of partitions.
  Status MakeDurable(const std::string& bucket_dir, const std::string& dir) {
    if (dir.size() > bucket_dir.size()) {
      const std::string parent = dir.substr(0, dir.rfind('/'));
      if (!IsDurable(parent)) {
        if (Status status = MakeDurable(bucket_dir, parent); !status.ok()) return status;
      }
    }
    if (Status status = env_.MakeDirs(dir, storage::Access::kShared); !status.ok()) return status;
    const std::lock_guard lock(durable_mutex_);
    if (durable_dirs_.size() >= kDurableDirsMax) durable_dirs_.clear();
    durable_dirs_.insert(dir);
    return Status();
  }

  bool IsDurable(const std::string& dir) {
    const std::lock_guard lock(durable_mutex_);
    return durable_dirs_.contains(dir);
  }

  Status KeepExisting(const std::string& path, FileSpool& spool, const std::string& bucket_dir) {
    const Result<bool> same = SameContent(path, spool);
    if (!same) return LakeProblem(same.error(), bucket_dir);
    if (!*same) {
      return Status(Code::kCorruption,
                    fmt::format("'{}' exists already and holds other bytes than this delivery would write; it "
                                "is left as it is: find out who wrote it, move it away, and delivery goes on",
                                path));
    }
    // The first try may have died between its rename and its sync.
    if (Status status = env_.SyncDir(path.substr(0, path.rfind('/'))); !status.ok())
      return LakeProblem(status, bucket_dir);
    return LakeProblem(env_.Remove(spool.path()), bucket_dir);
  }

  static Status ReadPieces(storage::File& file, const std::function<Status(std::string_view piece)>& take) {
    std::string piece(kReadBytes, '\0');
    for (std::uint64_t at = 0;;) {
      const Result<std::size_t> read = file.Read(at, std::span(piece.data(), piece.size()));
      if (!read) return read.error();
      if (*read == 0) return Status();
      if (Status status = take(std::string_view(piece).substr(0, *read)); !status.ok()) return status;
      at += *read;
    }
  }

  Result<bool> SameContent(const std::string& path, const FileSpool& spool) {
    Result<std::unique_ptr<storage::File>> file = env_.Open(path, storage::OpenMode::kRead);
    if (!file) return Error(file.error());
    Result<std::uint64_t> size = (*file)->Size();
    if (!size) return Error(size.error());
    if (*size != spool.bytes()) return false;
    Checksum checksum;
    const Status read = ReadPieces(**file, [&](std::string_view piece) {
      checksum.Add(piece);
      return Status();
    });
    if (!read.ok()) return Error(read);
    return checksum.value() == spool.checksum();
  }

  static constexpr std::size_t kDurableDirsMax = 16'384;
  storage::Env& env_;
  std::string dir_;
  std::map<std::string, std::string> buckets_;
  std::mutex check_mutex_;  // one spool of a name at a time
  std::mutex durable_mutex_;
  std::set<std::string> durable_dirs_;  // whose names are on the disk; guarded by durable_mutex_
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
