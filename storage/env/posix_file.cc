// Reads and writes with the loops that POSIX asks for (short ones, EINTR, IOV_MAX), through the page cache and past it.
#include "storage/env/posix_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

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

constexpr std::size_t kDirectBytes = 1u << 20;    // of one direct write
constexpr std::size_t kBulkBytesMin = 64u << 10;  // below, the page cache is cheaper, but for whole pages
constexpr std::size_t kReadBytes = 512u << 10;
constexpr std::size_t kReadBytesBesideFlushes = 32u << 10;

std::shared_ptr<char[]> AlignedMemory(std::size_t bytes) {
  const std::size_t whole = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  char* const memory = static_cast<char*>(std::aligned_alloc(kPageBytes, std::max(whole, kPageBytes)));
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
  PosixFile(FileDescriptor fd, std::string path, std::shared_ptr<FlushActivity> flushes)
      : fd_(std::move(fd)), path_(std::move(path)), flushes_(std::move(flushes)) {}

  Result<std::size_t> Read(std::uint64_t offset, std::span<char> out) override {
    const std::uint64_t end = offset + out.size();
    const std::uint64_t before = read_end_.exchange(end, std::memory_order_relaxed);
    const bool goes_on = offset <= before && before < end;  // where the read before ended
    std::size_t done = 0;
    while (done < out.size()) {
      const std::size_t piece = flushes_->recent() ? kReadBytesBesideFlushes : kReadBytes;
      const std::size_t bytes = std::min(out.size() - done, piece);
      if (out.size() >= kBulkBytesMin && (goes_on || done + bytes < out.size()))
        ReadAhead(offset + done + bytes, piece);
      const ssize_t got = Uninterrupted(
          [&] { return ::pread(fd_.get(), out.data() + done, bytes, static_cast<off_t>(offset + done)); });
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
    const bool whole = offset % kPageBytes == 0 && rest % kPageBytes == 0;
    if ((rest < kBulkBytesMin && !whole) || !OpenDirect()) return Write(offset, pieces);
    char* const buffer = DirectBuffer();
    std::size_t skip = 0;
    while (rest > 0) {
      const std::size_t into_page = offset % kPageBytes;
      const bool whole_pages = into_page == 0 || offset == direct_->end;
      const std::size_t bytes = std::min(rest, (whole_pages ? kDirectBytes : kPageBytes) - into_page);
      if (whole_pages) std::memcpy(buffer, direct_->last_page.data(), into_page);
      Gather(pieces, skip, buffer + into_page, bytes);
      if (Status status = WriteGathered(offset, buffer, into_page, bytes, whole_pages); !status.ok()) return status;
      offset += bytes;
      rest -= bytes;
    }
    return {};
  }

  Status Sync() override {
    flushes_->Note();
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
  /// Has the system read one piece in the background. Its own read-ahead is off (NewPosixFile): that goes up to what a
  /// device is set to, many MiB at once, and a flush of another file waits behind all of it.
  void ReadAhead(std::uint64_t offset, std::size_t bytes) {
    ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                    POSIX_FADV_WILLNEED);  // only a hint
  }

  /// Reads what can be read past the page cache; 0 where nothing can.
  std::size_t ReadDirect(std::uint64_t offset, std::span<char> out) const {
    const std::size_t pages = out.size() / kPageBytes * kPageBytes;
    if (offset % kPageBytes != 0 || pages == 0) return 0;
    const FileDescriptor direct = OpenAgain(O_RDONLY);
    if (!direct.valid()) return 0;
    const ssize_t got =
        Uninterrupted([&] { return ::pread(direct.get(), out.data(), pages, static_cast<off_t>(offset)); });
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

  /// The same file for direct writes, and the page that they ended in.
  struct Direct {
    FileDescriptor fd;      // invalid where this cannot be
    std::uint64_t end = 0;  // of the last direct write; 0: the page is not known
    std::array<char, kPageBytes> last_page;
  };

  /// False where the file system has no direct writes.
  bool OpenDirect() {
    if (!direct_) direct_ = std::make_unique<Direct>(OpenAgain(O_WRONLY));
    return direct_->fd.valid();
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
    if (!whole_pages || !direct_->fd.valid()) return WriteVectors(offset, &piece, &piece + 1);
    const std::size_t filled = into_page + bytes;
    const std::size_t padding = (kPageBytes - filled % kPageBytes) % kPageBytes;
    std::memset(buffer + filled, 0, padding);
    iovec pages{buffer, filled + padding};
    direct_->end = 0;  // should this fail
    const int error = PwriteAll(direct_->fd, offset - into_page, &pages, &pages + 1);
    if (error == EINVAL) {  // this device asks for another alignment
      direct_ = std::make_unique<Direct>(FileDescriptor(-1));
      return WriteVectors(offset, &piece, &piece + 1);
    }
    if (error != 0) return ErrnoStatus(error, "write", path_);
    direct_->end = offset + bytes;
    std::memcpy(direct_->last_page.data(), buffer + filled + padding - kPageBytes, kPageBytes);
    return {};
  }

  const FileDescriptor fd_;
  const std::string path_;
  const std::shared_ptr<FlushActivity> flushes_;
  std::atomic<std::uint64_t> read_end_ = 0;  // of the last read, by whomever
  std::unique_ptr<Direct> direct_;           // the writer's; opened at the first bulk write
};

}  // namespace

std::unique_ptr<File> NewPosixFile(FileDescriptor fd, std::string path, std::shared_ptr<FlushActivity> flushes) {
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM);  // a hint: PosixFile reads ahead itself
  return std::make_unique<PosixFile>(std::move(fd), std::move(path), std::move(flushes));
}

}  // namespace sluice::storage
