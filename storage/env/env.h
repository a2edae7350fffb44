// The only door to disk, clock and randomness. Real: posix_env.h. For tests: memory_env.h (a file system in memory that
// drops what was not synced, tears writes and fails calls on demand, with a clock that is set by hand and a seeded
// source of randomness). Nothing else in Sluice calls open, fdatasync, a clock or a random device.
//
// Threads: an Env may be used from any thread; a File by one writer at a time, reads from any thread beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::storage {

/// What file systems write whole, and what direct reads and writes are aligned to: no device of today asks for more.
/// Journal groups begin on such a boundary, so that none shares a page with another.
inline constexpr std::size_t kPageBytes = 4096;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970; may jump.
  virtual std::int64_t WallMs() = 0;
  /// Nanoseconds of a clock that only goes forward.
  virtual std::int64_t MonotonicNs() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t Next() = 0;
};

/// Bytes and the memory that they stand in, which views of them may share.
struct BulkBytes {
  std::shared_ptr<const char[]> memory;
  std::string_view bytes;
};

/// An open file. Closing is the destructor's; it makes nothing durable.
class File {
 public:
  virtual ~File() = default;
  /// Reads up to out.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<std::size_t> Read(std::uint64_t offset, std::span<char> out) = 0;
  /// Writes all pieces one after another at `offset`, or fails. Not durable until Sync. kResourceExhausted on a full
  /// disk.
  virtual Status Write(std::uint64_t offset, std::span<const std::string_view> pieces) = 0;
  /// Write for many bytes, or whole pages, that are not read again soon: where the file system can, they go past the
  /// page cache, which spares a copy, the memory, and a flood of dirty pages in front of somebody's Sync. What stands
  /// behind the last byte may be zeros afterwards, up to the end of its page.
  virtual Status WriteBulk(std::uint64_t offset, std::span<const std::string_view> pieces) {
    return Write(offset, pieces);
  }
  /// Read of many bytes that nobody else will read soon, into new memory: past the page cache where the file system can
  /// and `offset` begins a page. Fewer than `bytes` only at the end of the file.
  virtual Result<BulkBytes> ReadBulk(std::uint64_t offset, std::size_t bytes) {
    std::shared_ptr<char[]> memory = std::make_shared_for_overwrite<char[]>(bytes);
    const Result<std::size_t> got = Read(offset, std::span(memory.get(), bytes));
    if (!got) return Error(got.error());
    return BulkBytes{memory, std::string_view(memory.get(), *got)};
  }
  /// fdatasync. After a failure the state of the file is unknown: the caller must never sync or trust it again.
  virtual Status Sync() = 0;
  virtual Result<std::uint64_t> Size() = 0;
  virtual Status Truncate(std::uint64_t size) = 0;
  /// Asks for the page cache of this file to be dropped, so that a read tells what the disk holds.
  virtual Status DropCache() = 0;
  /// Starts write-back of a range without waiting and without a promise.
  virtual void StartWriteback(std::uint64_t offset, std::uint64_t bytes) = 0;

  Status Write(std::uint64_t offset, std::string_view bytes) { return Write(offset, std::span(&bytes, 1)); }
};

/// Held until destroyed; ends with the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode { kRead, kReadWrite, kCreate /* must not exist */, kCreateOrOpen };

/// Who may use a file or directory that is made: its owner and, to read, the group; or whoever the process' umask lets.
enum class Access { kPrivate, kShared };

class Env {
 public:
  virtual ~Env() = default;
  /// `access` counts where the file is made by this call.
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode, Access access) = 0;
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) {
    return Open(path, mode, Access::kPrivate);
  }
  /// Names in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& dir) = 0;
  /// Makes `dir` and its missing parents; their names are durable when it returns OK.
  virtual Status MakeDirs(const std::string& dir, Access access) = 0;
  Status MakeDirs(const std::string& dir) { return MakeDirs(dir, Access::kPrivate); }
  virtual Status Remove(const std::string& path) = 0;
  /// Replaces `to` where it exists.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  /// Never replaces: kAlreadyExists where there is something of that name, in one step with the look at it.
  virtual Status RenameToNew(const std::string& from, const std::string& to) = 0;
  /// Makes creations, renames and removals in `dir` durable.
  virtual Status SyncDir(const std::string& dir) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  /// Where an existing path really leads, symbolic links resolved. An Env without links gives the path itself.
  virtual Result<std::string> RealPath(const std::string& path) { return path; }
  /// Whether somebody may read an existing file who is neither its owner nor of its group, or change it who is not its
  /// owner. An Env without users says no.
  virtual Result<bool> OpenToOthers(const std::string& /*path*/) { return false; }
  virtual Result<std::uint64_t> FreeBytes(const std::string& dir) = 0;
  /// kFailedPrecondition where another process holds it; the message names the file and what to do.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
};

}  // namespace sluice::storage
