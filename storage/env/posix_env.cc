// Names, directories, locks, clock and randomness of the operating system behind the Env interface.
#include "storage/env/posix_env.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>

#include "protocol/check.h"
#include "storage/env/posix_calls.h"
#include "storage/env/posix_file.h"
#include "storage/env/seeded_random.h"

namespace sluice::storage {
namespace {

constexpr mode_t FileMode(Access access) { return access == Access::kShared ? 0666 : 0640; }
constexpr mode_t DirMode(Access access) { return access == Access::kShared ? 0777 : 0750; }

FileDescriptor OpenFd(const std::string& path, int flags, Access access = Access::kPrivate) {
  return FileDescriptor(Uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, FileMode(access)); }));
}

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(FileDescriptor fd) : fd_(std::move(fd)) {}

 private:
  const FileDescriptor fd_;  // flock ends when this closes, so also with the process
};

class PosixClock final : public Clock {
 public:
  std::int64_t WallMs() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t MonotonicNs() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

std::uint64_t SeedFromKernel() {
  std::uint64_t seed = 0;
  const ssize_t got = Uninterrupted([&] { return ::getrandom(&seed, sizeof seed, 0); });
  SLUICE_CHECK(got == static_cast<ssize_t>(sizeof seed));  // up to 256 bytes never come short
  return seed;
}

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kCreateOrOpen:
      return O_RDWR | O_CREAT;
  }
  SLUICE_CHECK(false);
  return 0;
}

std::string ParentOf(std::string dir) {
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  const std::size_t slash = dir.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : dir.substr(0, slash);
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// "process 4711" from the lock file's content, or words that fit where the file tells nothing.
std::string HolderName(int fd) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  pid.erase(std::find_if(pid.begin(), pid.end(), [](char c) { return c < '0' || c > '9'; }), pid.end());
  return pid.empty() ? "another process" : "process " + pid;
}

class PosixEnv final : public Env {
 public:
  using Env::MakeDirs;
  using Env::Open;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode, Access access) override {
    FileDescriptor fd = OpenFd(path, OpenFlags(mode), access);
    if (!fd.valid()) return Error(ErrnoStatus(errno, mode == OpenMode::kCreate ? "create" : "open", path));
    return NewPosixFile(std::move(fd), path, flushes_);
  }

  Result<std::vector<std::string>> List(const std::string& dir) override {
    DIR* stream = ::opendir(dir.c_str());
    if (stream == nullptr) return Error(ErrnoStatus(errno, "list", dir));
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(stream);
    if (error != 0) return Error(ErrnoStatus(error, "list", dir));
    std::ranges::sort(names);
    return names;
  }

  Status MakeDirs(const std::string& dir, Access access) override {
    if (::mkdir(dir.c_str(), DirMode(access)) == 0) return SyncDir(ParentOf(dir));
    if (errno == ENOENT && ParentOf(dir) != dir) {
      if (Status status = MakeDirs(ParentOf(dir), access); !status.ok()) return status;
      if (::mkdir(dir.c_str(), DirMode(access)) == 0) return SyncDir(ParentOf(dir));
    }
    if (errno != EEXIST) return ErrnoStatus(errno, "make directory", dir);
    if (!IsDirectory(dir))
      return Status(Code::kFailedPrecondition, dir + " is not a directory; move it out of the way");
    // It may have been made by a process that was killed before it could sync the name.
    const int error = SyncDirErrno(ParentOf(dir));
    return error == 0 || error == EACCES ? Status() : SyncFailed(error, ParentOf(dir));
  }

  Status Remove(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 ? Status() : ErrnoStatus(errno, "remove", path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, "rename to " + to + " the file", from);
    return {};
  }

  Status RenameToNew(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return ErrnoStatus(errno, "rename to " + to + " the file", from);
    return LinkThenUnlink(from, to);
  }

  Status SyncDir(const std::string& dir) override {
    const int error = SyncDirErrno(dir);
    // Without a descriptor nothing was asked of the disk: it may be tried again.
    if (error == EMFILE || error == ENFILE) return ErrnoStatus(error, "open", dir);
    return error == 0 ? Status() : SyncFailed(error, dir);
  }

  Result<std::string> RealPath(const std::string& path) override {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (real == nullptr) return Error(ErrnoStatus(errno, "resolve", path));
    return std::string(real.get());
  }

  Result<bool> OpenToOthers(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return Error(ErrnoStatus(errno, "look up", path));
    return (info.st_mode & (S_IWGRP | S_IRWXO)) != 0;
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return Error(ErrnoStatus(errno, "look up", path));
  }

  Result<std::uint64_t> FreeBytes(const std::string& dir) override {
    struct statvfs info;
    if (Uninterrupted([&] { return ::statvfs(dir.c_str(), &info); }) != 0) {
      return Error(ErrnoStatus(errno, "find the free space of", dir));
    }
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    FileDescriptor fd = OpenFd(path, O_RDWR | O_CREAT);
    if (!fd.valid()) return Error(ErrnoStatus(errno, "open lock file", path));
    if (Uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return Error(ErrnoStatus(errno, "lock", path));
      return Error(Code::kFailedPrecondition,
                   fmt::format("{} is held by {}: stop it or use another directory", path, HolderName(fd.get())));
    }
    // The content is only for the message above, so a full disk must not keep the broker from starting.
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd.get(), 0) == 0) {
      [[maybe_unused]] const ssize_t wrote = ::pwrite(fd.get(), pid.data(), pid.size(), 0);
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }

  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }

 private:
  /// For file systems that cannot rename without replacing (NFS). A crash between the two leaves both names.
  Status LinkThenUnlink(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) == 0) return Remove(from);
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) {
      return ErrnoStatus(errno, "rename to " + to + " the file", from);
    }
    // Nor can it link (object stores mounted as file systems): look first, which only another process can come between.
    const Result<bool> exists = Exists(to);
    if (!exists) return exists.error();
    return *exists ? ErrnoStatus(EEXIST, "rename to " + to + " the file", from) : Rename(from, to);
  }

  static int SyncDirErrno(const std::string& dir) {
    const FileDescriptor fd = OpenFd(dir, O_RDONLY | O_DIRECTORY);
    if (!fd.valid()) return errno;
    return ::fsync(fd.get()) == 0 ? 0 : errno;
  }

  const std::shared_ptr<FlushActivity> flushes_ = std::make_shared<FlushActivity>();
  PosixClock clock_;
  SeededRandom random_{SeedFromKernel()};
};

}  // namespace

std::unique_ptr<Env> NewPosixEnv() { return std::make_unique<PosixEnv>(); }

void RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int ConnectionFilesEnd() {
  constexpr rlim_t kKeptMax = 1'024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return INT_MAX;
  const rlim_t kept = std::min(limit.rlim_cur / 2, kKeptMax);
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur - kept, INT_MAX));
}

}  // namespace sluice::storage
