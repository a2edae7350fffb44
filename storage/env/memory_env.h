// A file system, clock and randomness in memory for tests, harsher than a real one.
//
// It keeps, per file, what was written and what was synced, and per name what was done and what SyncDir confirmed.
// Crash throws away what was not confirmed, or keeps a seeded random part of it: single blocks of a write (a torn
// write), single creations, renames and removals. Any call can be made to fail. A failed Sync drops the dirty blocks
// the way real kernels do: reads still show them until DropCache, later Syncs succeed, and the disk never gets them. A
// failed Write may leave a part of itself behind.
//
// The same seed and the same calls give the same run.
//
// Threads: any, one lock. After PowerOff every call fails with kIoError, and files opened before it fail for ever.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/cached_content.h"
#include "storage/env/env.h"
#include "storage/env/seeded_random.h"

namespace sluice::storage {

/// Stands still until it is moved by hand.
class ManualClock final : public Clock {
 public:
  std::int64_t WallMs() override { return wall_ms_.load(); }
  std::int64_t MonotonicNs() override { return monotonic_ns_.load(); }

  /// Moves both clocks forward.
  void AdvanceMs(std::int64_t ms) {
    wall_ms_ += ms;
    monotonic_ns_ += ms * 1'000'000;
  }
  /// Makes the wall clock jump; the monotonic one goes on.
  void SetWallMs(std::int64_t ms) { wall_ms_ = ms; }

 private:
  std::atomic<std::int64_t> wall_ms_{1'700'000'000'000};
  std::atomic<std::int64_t> monotonic_ns_{1'000'000'000};
};

/// What survives a crash besides what was synced.
enum class Unsynced {
  kLost,    // nothing: the strictest disk
  kRandom,  // a seeded random part: blocks of files, steps of directories
  kKept,    // all of it: the process died (kill -9), the machine did not
};

struct CrashOptions {
  Unsynced unsynced = Unsynced::kLost;
  std::uint64_t block_bytes = 4096;  // what a disk writes whole: 512 or 4096
};

class MemoryEnv final : public Env {
 public:
  /// The kinds of calls that can fail on demand and are counted. kAny stands for every one of them.
  enum class Call { kAny, kOpen, kRead, kWrite, kSync, kTruncate, kRename, kRemove, kSyncDir, kList, kMakeDirs, kLock };
  static constexpr std::size_t kCallKinds = 12;

  explicit MemoryEnv(std::uint64_t seed = 1);
  ~MemoryEnv() override;

  using Env::MakeDirs;
  using Env::Open;
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode, Access access) override;
  Result<std::vector<std::string>> List(const std::string& dir) override;
  Status MakeDirs(const std::string& dir, Access access) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RenameToNew(const std::string& from, const std::string& to) override;
  Status SyncDir(const std::string& dir) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::uint64_t> FreeBytes(const std::string& dir) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  ManualClock& manual_clock() { return clock_; }

  // Faults.

  /// The `nth` call of this kind from now on (1 is the next) fails with `code`, once.
  void FailCall(Call kind, int nth, Code code = Code::kIoError);
  /// Every call of this kind fails until ClearFailures.
  void FailEvery(Call kind, Code code = Code::kIoError);
  void ClearFailures();
  /// Reads that touch this byte of the file fail: a page that the disk does not give. ClearFailures mends it.
  void SetUnreadable(const std::string& path, std::uint64_t offset);
  /// The disk has failed to write something of the file, and nobody was told: its next Sync fails, whoever makes it.
  void LeaveWriteError(const std::string& path);
  /// How many calls have failed on demand so far: 0 tells a loop over `nth` that it has passed the last call.
  int failures() const;
  /// While full, files neither appear nor grow; what is allocated already can be overwritten.
  void SetDiskFull(bool full);
  /// While read-only, as file systems make themselves after an error of the disk, everything but reading fails.
  void SetReadOnly(bool read_only);

  // Crashes.

  /// Takes the power away: from now on every call fails. What was not synced is still undecided.
  void PowerOff();
  /// Takes it away in the middle of the `nth` call of this kind from now on (1 is the next).
  void PowerOffAtCall(Call kind, int nth);
  bool powered() const;
  /// Decides what survived and lets calls in again. Locks are free, files opened before stay dead.
  void PowerOn(CrashOptions options = {});
  /// PowerOff and PowerOn.
  void Crash(CrashOptions options = {});

  // By hand, on the disk and in the cache at once.

  void FlipBit(const std::string& path, std::uint64_t bit);
  void TruncateByHand(const std::string& path, std::uint64_t size);
  void WriteByHand(const std::string& path, std::string_view bytes);  // makes or replaces the file
  void RemoveByHand(const std::string& path);
  /// What reads show now.
  std::string ReadByHand(const std::string& path) const;
  /// What is on the disk for certain; empty where the name itself is not.
  std::string ReadDurable(const std::string& path) const;

  /// Calls of this kind since the start.
  std::uint64_t calls(Call kind) const;

 private:
  class MemoryFile;
  class MemoryLock;
  struct NameChange;  // a creation, rename or removal that no SyncDir has confirmed
  using NodePtr = std::shared_ptr<CachedContent>;
  using Names = std::map<std::string, NodePtr>;

  struct Fault {
    int calls_left = 0;  // 0: none
    bool every = false;
    Code code = Code::kIoError;
  };

  /// Counts the call and decides whether it fails. Every public call begins with it.
  Status Enter(Call kind, const std::string& path);
  bool TakeFault(Fault& fault);
  Status CheckParent(const std::string& path) const;
  Status RenameLocked(const std::string& from, const std::string& to);
  Status WriteLocked(CachedContent& node, const std::string& path, std::uint64_t offset,
                     std::span<const std::string_view> pieces);
  Status SyncLocked(CachedContent& node, const std::string& path);
  void Apply(const NameChange& change);
  NodePtr NodeAt(const std::string& path) const;
  std::uint64_t Below(std::uint64_t bound);  // a random number in [0, bound)

  mutable std::mutex mutex_;  // guards everything below but the clock and random_
  ManualClock clock_;
  SeededRandom random_;  // the program's
  SeededRandom chaos_;   // decides what a crash keeps, apart so that the program's use does not change it
  Names names_;          // as the running system sees them
  Names durable_names_;
  std::vector<NameChange> changes_;  // from durable_names_ to names_, in order
  std::set<std::string> dirs_;
  std::set<std::string> locked_;
  std::array<std::uint64_t, kCallKinds> calls_{};
  std::array<Fault, kCallKinds> faults_{};
  std::array<int, kCallKinds> power_off_in_{};
  int failures_ = 0;
  std::map<std::string, std::uint64_t> unreadable_;  // where in which file
  std::set<NodePtr> write_errors_;  // that nobody was told of; kept, so that no new file is one of them
  bool disk_full_ = false;
  bool read_only_ = false;
  bool powered_ = true;
  std::uint64_t boots_ = 0;  // files and locks of an earlier boot are dead
};

}  // namespace sluice::storage
