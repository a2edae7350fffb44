// System calls behind the Env interface, with the loops that POSIX asks for (short writes, EINTR, IOV_MAX).
#include "storage/env/posix_env.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "protocol/check.h"
#include "storage/env/seeded_random.h"

namespace sluice::storage {
namespace {

constexpr mode_t FileMode(Access access) { return access == Access::kShared ? 0666 : 0640; }
constexpr mode_t DirMode(Access access) { return access == Access::kShared ? 0777 : 0750; }

Status ErrnoStatus(int error, std::string_view action, const std::string& path) {
  SLUICE_CHECK(error != 0);
  std::string text = fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return Status(Code::kNotFound, std::move(text));
    case EEXIST:
      return Status(Code::kAlreadyExists, std::move(text));
    case ENOSPC:
    case EDQUOT:
      return Status(Code::kResourceExhausted, text + "; free space on this disk");
    case EMFILE:
    case ENFILE:
      return Status(Code::kResourceExhausted, text + "; raise the limit on open files (ulimit -n)");
    default:
      return Status(Code::kIoError, std::move(text));
  }
}

/// A failed sync, whatever its errno: the data may be gone and the next sync would not say so.
Status SyncFailed(int error, const std::string& path) {
  return Status(Code::kIoError, fmt::format("cannot sync {}: {}; what it holds since the last sync is unknown", path,
                                            std::generic_category().message(error)));
}

/// Calls a system call until it is not interrupted by a signal.
template <typename SystemCall>
auto Uninterrupted(SystemCall call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

FileDescriptor OpenFd(const std::string& path, int flags, Access access = Access::kPrivate) {
  return FileDescriptor(Uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, FileMode(access)); }));
}

/// Drops the first `bytes` of the vectors in [first, last); returns the first one that still has bytes.
iovec* Advance(iovec* first, iovec* last, std::size_t bytes) {
  while (first != last && bytes >= first->iov_len) bytes -= (first++)->iov_len;
  SLUICE_CHECK(first != last || bytes == 0);
  if (first != last) {
    first->iov_base = static_cast<char*>(first->iov_base) + bytes;
    first->iov_len -= bytes;
  }
  return first;
}

constexpr std::size_t kDirectAlignment = 4096;    // no device of today asks for more
constexpr std::size_t kDirectBytes = 1u << 20;    // of one direct write
constexpr std::size_t kBulkBytesMin = 64u << 10;  // below, the page cache is cheaper

std::shared_ptr<char[]> AlignedMemory(std::size_t bytes) {
  const std::size_t whole = (bytes + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
  char* const memory = static_cast<char*>(std::aligned_alloc(kDirectAlignment, std::max(whole, kDirectAlignment)));
  SLUICE_CHECK(memory != nullptr);
  return {memory, [](char* each) { std::free(each); }};
}

/// The calling thread's own memory for direct writes.
char* DirectBuffer() {
  thread_local const std::shared_ptr<char[]> buffer = AlignedMemory(kDirectBytes);
  return buffer.get();
}

/// Small pieces lie all over the memory and are long out of the caches: the next one is fetched while one is copied.
void Prefetch(std::string_view piece) {
  constexpr std::size_t kLineBytes = 64;
  constexpr std::size_t kBytesMax = 2048;  // from there on the processor has noticed by itself
  for (std::size_t at = 0; at < std::min(piece.size(), kBytesMax); at += kLineBytes) {
    __builtin_prefetch(piece.data() + at);
  }
}

/// Copies the next `bytes` of `pieces` to `to` and takes them off; `skip` is what was taken off the first piece.
void Gather(std::span<const std::string_view>& pieces, std::size_t& skip, char* to, std::size_t bytes) {
  while (bytes > 0) {
    SLUICE_CHECK(!pieces.empty());
    const std::string_view piece = pieces.front().substr(skip, bytes);
    if (pieces.size() > 1) Prefetch(pieces[1]);
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
    bytes -= piece.size();
    skip += piece.size();
    if (skip < pieces.front().size()) continue;
    pieces = pieces.subspan(1);
    skip = 0;
  }
}

/// Writes all of [first, last) at `offset`. 0, or the errno.
int PwriteAll(const FileDescriptor& fd, std::uint64_t offset, iovec* first, iovec* last) {
  first = Advance(first, last, 0);
  while (first != last) {
    const ssize_t wrote = Uninterrupted(
        [&] { return ::pwritev(fd.get(), first, static_cast<int>(last - first), static_cast<off_t>(offset)); });
    if (wrote < 0) return errno;
    if (wrote == 0) return EIO;
    offset += static_cast<std::uint64_t>(wrote);
    first = Advance(first, last, static_cast<std::size_t>(wrote));
  }
  return 0;
}

class PosixFile final : public File {
 public:
  PosixFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> Read(std::uint64_t offset, std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = Uninterrupted(
          [&] { return ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done)); });
      if (got < 0) return Error(ErrnoStatus(errno, "read", path_));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    SLUICE_CHECK(done <= out.size());
    return done;
  }

  Result<BulkBytes> ReadBulk(std::uint64_t offset, std::size_t bytes) override {
    const std::shared_ptr<char[]> memory = AlignedMemory(bytes);
    const std::size_t done = ReadDirect(offset, std::span(memory.get(), bytes));
    // Whatever is missing, or why: the plain way says it.
    Result<std::size_t> rest = Read(offset + done, std::span(memory.get() + done, bytes - done));
    if (!rest) return Error(std::move(rest.error()));
    return BulkBytes{memory, std::string_view(memory.get(), done + *rest)};
  }

  Status Write(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    while (!pieces.empty()) {
      const std::size_t count = std::min<std::size_t>(pieces.size(), IOV_MAX);
      std::array<iovec, IOV_MAX> vectors;
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < count; ++i) {
        vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
        bytes += pieces[i].size();
      }
      if (Status status = WriteVectors(offset, vectors.data(), vectors.data() + count); !status.ok()) return status;
      offset += bytes;
      pieces = pieces.subspan(count);
    }
    return {};
  }

  // Goes past the page cache in whole pages. The last one is filled with zeros, and what it holds is remembered: the
  // next call, which goes on inside it, writes it again instead of having the disk read it.
  Status WriteBulk(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    std::size_t rest = 0;
    for (const std::string_view piece : pieces) rest += piece.size();
    if (rest < kBulkBytesMin || !OpenDirect()) return Write(offset, pieces);
    char* const buffer = DirectBuffer();
    std::size_t skip = 0;
    while (rest > 0) {
      const std::size_t into_page = offset % kDirectAlignment;
      const bool whole_pages = into_page == 0 || offset == direct_->end;
      const std::size_t bytes = std::min(rest, (whole_pages ? kDirectBytes : kDirectAlignment) - into_page);
      if (whole_pages) std::memcpy(buffer, direct_->last_page.data(), into_page);
      Gather(pieces, skip, buffer + into_page, bytes);
      if (Status status = WriteGathered(offset, buffer, into_page, bytes, whole_pages); !status.ok()) return status;
      offset += bytes;
      rest -= bytes;
    }
    return {};
  }

  Status Sync() override {
    // No loop, not even for EINTR: after a failure the kernel forgets the lost pages and a second call would return 0.
    if (::fdatasync(fd_.get()) != 0) return SyncFailed(errno, path_);
    return {};
  }

  Result<std::uint64_t> Size() override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return Error(ErrnoStatus(errno, "stat", path_));
    SLUICE_CHECK(info.st_size >= 0);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Status Truncate(std::uint64_t size) override {
    if (Uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return ErrnoStatus(errno, "truncate", path_);
    }
    return {};
  }

  Status DropCache() override {
    const int error = ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
    return error == 0 ? Status() : ErrnoStatus(error, "drop the cached pages of", path_);
  }

  void StartWriteback(std::uint64_t offset, std::uint64_t bytes) override {
    // Only a hint: an error of the disk stays with the file and the next Sync reports it.
    ::sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
  }

 private:
  /// Reads what can be read past the page cache; 0 where nothing can.
  std::size_t ReadDirect(std::uint64_t offset, std::span<char> out) const {
    const std::size_t pages = out.size() / kDirectAlignment * kDirectAlignment;
    if (offset % kDirectAlignment != 0 || pages == 0) return 0;
    const FileDescriptor direct = OpenAgain(O_RDONLY);
    if (!direct.valid()) return 0;
    const ssize_t got =
        Uninterrupted([&] { return ::pread(direct.get(), out.data(), pages, static_cast<off_t>(offset)); });
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

  /// The same file for direct writes, and the page that they ended in.
  struct Direct {
    std::optional<FileDescriptor> fd;  // invalid where this cannot be
    std::uint64_t end = 0;             // of the last direct write; 0: the page is not known
    std::array<char, kDirectAlignment> last_page;
  };

  /// False where the file system has no direct writes.
  bool OpenDirect() {
    if (!direct_) {
      direct_ = std::make_unique<Direct>();
      direct_->fd.emplace(OpenAgain(O_WRONLY));
    }
    return direct_->fd->valid();
  }

  /// The same file for direct access, by its descriptor: it may have got another name.
  FileDescriptor OpenAgain(int mode) const {
    return FileDescriptor(::open(fmt::format("/proc/self/fd/{}", fd_.get()).c_str(), mode | O_DIRECT | O_CLOEXEC));
  }

  Status WriteVectors(std::uint64_t offset, iovec* first, iovec* last) {
    if (direct_) direct_->end = 0;
    const int error = PwriteAll(fd_, offset, first, last);
    return error == 0 ? Status() : ErrnoStatus(error, "write", path_);
  }

  /// Writes `bytes` that stand behind `into_page` others in `buffer`: through the page cache, or past it in whole
  /// pages.
  Status WriteGathered(std::uint64_t offset, char* buffer, std::size_t into_page, std::size_t bytes, bool whole_pages) {
    iovec piece{buffer + into_page, bytes};
    if (!whole_pages || !direct_->fd->valid()) return WriteVectors(offset, &piece, &piece + 1);
    const std::size_t filled = into_page + bytes;
    const std::size_t padding = (kDirectAlignment - filled % kDirectAlignment) % kDirectAlignment;
    std::memset(buffer + filled, 0, padding);
    iovec pages{buffer, filled + padding};
    direct_->end = 0;  // should this fail
    const int error = PwriteAll(*direct_->fd, offset - into_page, &pages, &pages + 1);
    if (error == EINVAL) {  // this device asks for another alignment
      direct_->fd.emplace(-1);
      return WriteVectors(offset, &piece, &piece + 1);
    }
    if (error != 0) return ErrnoStatus(error, "write", path_);
    direct_->end = offset + bytes;
    std::memcpy(direct_->last_page.data(), buffer + filled + padding - kDirectAlignment, kDirectAlignment);
    return {};
  }

  const FileDescriptor fd_;
  const std::string path_;
  std::unique_ptr<Direct> direct_;  // the writer's; opened at the first bulk write
};

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
    return std::make_unique<PosixFile>(std::move(fd), path);
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
    return error == 0 ? Status() : SyncFailed(error, dir);
  }

  Result<std::string> RealPath(const std::string& path) override {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (real == nullptr) return Error(ErrnoStatus(errno, "resolve", path));
    return std::string(real.get());
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

  PosixClock clock_;
  SeededRandom random_{SeedFromKernel()};
};

}  // namespace

std::unique_ptr<Env> NewPosixEnv() { return std::make_unique<PosixEnv>(); }

}  // namespace sluice::storage
