// Look, upload, look again.
#include "broker/delivery/remote_object_store.h"

#include <fmt/format.h>

#include <atomic>

#include "broker/delivery/file_spool.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

/// What is in the log stays there until it is delivered.
Status Waits(const Status& status) {
  if (status.code() != Code::kUnavailable || status.message().contains("nothing is lost")) return status;
  return Status(status.code(),
                fmt::format("{}; nothing is lost, delivery waits and goes on by itself", status.message()));
}

class RemoteObjectStore final : public ObjectStore {
 public:
  RemoteObjectStore(storage::Env& env, std::unique_ptr<RemoteFiles> files, std::string spool_dir)
      : env_(env), files_(std::move(files)), spool_dir_(std::move(spool_dir)) {
    SLUICE_CHECK(files_ != nullptr);
  }

  std::string Place(std::string_view) override { return files_->root().Text(); }
  Status CheckBucket(std::string_view) override { return Waits(files_->CheckBucket()); }
  /// A remote bucket is never made.
  void ExpectBucket(std::string_view) override {}

  Result<std::unique_ptr<ObjectSpool>> NewSpool(std::string_view, std::string_view name) override {
    if (away_) {  // before a whole object is converted in vain
      if (Status status = Waits(files_->CheckBucket()); !status.ok()) return Error(std::move(status));
    }
    const std::string directory = fmt::format("the directory of uploads '{}'", spool_dir_);
    if (Status status = env_.MakeDirs(spool_dir_); !status.ok()) return Error(DirectoryProblem(status, directory));
    Result<std::unique_ptr<FileSpool>> spool =
        FileSpool::Make(env_, fmt::format("{}/{}.spool", spool_dir_, name), storage::Access::kPrivate,
                        SpoolFile::kIsReadBack, directory);
    if (!spool) return Error(spool.error());
    // Open, it is all that is needed: no crash leaves it behind, whose records may be encrypted everywhere else.
    if (Status status = env_.Remove((*spool)->path()); !status.ok()) return Error(DirectoryProblem(status, directory));
    return std::move(*spool);
  }

  Status Put(std::string_view, std::string_view key, std::unique_ptr<ObjectSpool> any_spool) override {
    auto* spool = dynamic_cast<FileSpool*>(any_spool.get());
    SLUICE_CHECK(spool != nullptr);
    if (Status status = CheckObjectKey(key); !status.ok()) return status;
    if (Status status = spool->Flush(); !status.ok()) return status;
    Status status = PutBytes(key, *spool);
    away_ = status.code() == Code::kUnavailable;
    return Waits(status);
  }

  Status Read(std::string_view, std::string_view key,
              const std::function<Status(std::string_view piece)>& take) override {
    if (Status status = CheckObjectKey(key); !status.ok()) return status;
    return Waits(files_->Read(key, take));
  }

  Result<std::optional<std::uint64_t>> Size(std::string_view, std::string_view key) override {
    if (Status status = CheckObjectKey(key); !status.ok()) return Error(std::move(status));
    Result<std::optional<std::uint64_t>> size = files_->Size(key);
    if (!size) return Error(Waits(size.error()));
    return size;
  }

 private:
  Status PutBytes(std::string_view key, FileSpool& spool) {
    const Result<std::optional<std::uint64_t>> before = files_->Size(key);
    if (!before) return before.error();
    if (*before && !IsLeftover(**before, spool)) return CheckSame(key, **before, spool);
    Status written = files_->Write(key, spool.content_encoding,
                                   [&](const RemoteFiles::TakePiece& take) { return spool.ReadBack(take); });
    if (!written.ok()) return written;
    const Result<std::optional<std::uint64_t>> after = files_->Size(key);
    if (!after) return after.error();
    if (*after == spool.bytes()) return Status();
    return Status(Code::kUnavailable,
                  fmt::format("object '{}' was written to {}, which then says that it has {} bytes of {}", key,
                              files_->root().Text(), after->value_or(0), spool.bytes()));
  }

  /// Azure's driver makes an object empty before it fills it.
  bool IsLeftover(std::uint64_t bytes, const FileSpool& spool) const {
    return files_->root().kind == StoreKind::kAzure && bytes == 0 && spool.bytes() > 0;
  }

  Status CheckSame(std::string_view key, std::uint64_t bytes, const FileSpool& spool) {
    const Result<bool> same = HasBytesOf(key, bytes, spool);
    if (!same) return same.error();
    if (*same) return Status();
    return Status(
        Code::kCorruption,
        fmt::format("object '{}' in {} exists already and holds other bytes than this delivery would write; it "
                    "is left as it is: find out who wrote it, move it away, and delivery goes on",
                    key, files_->root().Text()));
  }

  Result<bool> HasBytesOf(std::string_view key, std::uint64_t bytes, const FileSpool& spool) {
    if (bytes != spool.bytes()) return false;
    Checksum checksum;
    const Status read = files_->Read(key, [&](std::string_view piece) {
      checksum.Add(piece);
      return Status();
    });
    if (read.code() == Code::kCorruption) return false;
    if (read.code() == Code::kNotFound) return Error(Code::kUnavailable, read.message());
    if (!read.ok()) return Error(read);
    return checksum.value() == spool.checksum();
  }

  storage::Env& env_;
  const std::unique_ptr<RemoteFiles> files_;
  const std::string spool_dir_;
  std::atomic<bool> away_ = false;  // the last object could not be put
};

}  // namespace

std::unique_ptr<ObjectStore> NewRemoteObjectStore(storage::Env& env, std::unique_ptr<RemoteFiles> files,
                                                  std::string spool_dir) {
  return std::make_unique<RemoteObjectStore>(env, std::move(files), std::move(spool_dir));
}

}  // namespace sluice::delivery
