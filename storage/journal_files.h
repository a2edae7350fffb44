// The files of the journal: made and zero-filled once, then used again and again.
//
// A file is written over in place at its next use: the first page (the file header, with a new sequence number) and the
// first group go out in one write. Nothing is renamed or removed, so no commit ever waits for the file system's own
// journal. Stale groups of an earlier use are told apart by their file sequence.
//
// States of a file: free (never used, or a checkpoint has let go of it) -> live (taken by the journal; Release frees
// it). One free file is kept ready by a thread of its own, up to files_max in all.
//
// What a crash may leave: a file that is not of full size or without header (being made): it is made again. So is one
// of another size, from a start with other settings, once it is free; those above files_max are removed then. What was
// ever ready is on a list (journal_list.h), so that it is missed.
//
// Threads: Open first, by one; then Take by the committing thread, the rest from any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/env/env.h"
#include "storage/journal_format.h"
#include "storage/journal_list.h"
#include "storage/mutex.h"

namespace sluice::storage {

class JournalFiles {
 public:
  struct Options {
    std::uint64_t file_bytes = 64u << 20;
    std::size_t files_max = 16;
  };

  JournalFiles(Env& env, std::string dir, Options options);
  ~JournalFiles();

  /// A file that was there at the start.
  struct Found {
    std::string path;
    File* file = nullptr;
    std::uint64_t bytes = 0;
    Result<JournalFileHeader> header;  // an error where it is damaged
  };
  /// Opens all files: sync, drop the cache, read the headers.
  Result<std::vector<Found>> Open();
  /// After Open: a sentence for each listed file that is not there, or shorter than it was.
  const std::vector<std::string>& missing() const { return missing_; }
  const std::string& list_path() const { return list_.path(); }
  /// Tells that a found file is in use under this sequence number (headers may be damaged: recovery knows better).
  void SetLive(const File* file, std::uint64_t sequence);
  /// Starts the thread that keeps a free file ready. `on_change` is called when a file became free or making one
  /// failed.
  void Start(std::function<void()> on_change);
  void Stop();

  struct Taken {
    File* file = nullptr;
    std::uint64_t bytes = 0;
  };
  /// A free file, live from now on under `sequence`; none where no file is free.
  Taken Take(std::uint64_t sequence);
  /// Frees the live files below `sequence`.
  void Release(std::uint64_t sequence);

  bool has_free();
  /// Waits until a file is free; not longer than until making one fails or live files have `live_bytes_max`. The status
  /// of making one.
  Status WaitForFree(std::uint64_t live_bytes_max);
  /// OK, or why no file could be made: kResourceExhausted on a full disk.
  Status status();
  std::uint64_t live_bytes();
  /// The bytes that make a checkpoint due.
  std::uint64_t pressure_bytes() const { return options_.file_bytes * options_.files_max / 2; }

 private:
  struct Slot {
    std::string path;
    std::unique_ptr<File> file;
    std::uint64_t bytes = 0;
    std::uint64_t sequence = 0;  // 0: free
  };

  void RunMaker();
  bool WantsFile() const SLUICE_REQUIRES(mutex_);
  bool HasFree() const SLUICE_REQUIRES(mutex_);
  std::uint64_t LiveBytes() const SLUICE_REQUIRES(mutex_);
  Result<Slot> Make(const std::string& path);
  std::vector<JournalListEntry> Entries() const SLUICE_REQUIRES(mutex_);
  std::string FreshPath() SLUICE_REQUIRES(mutex_);
  bool IsFree(const Slot& slot) const { return slot.sequence == 0 && slot.bytes == options_.file_bytes; }
  /// Forgets files that are in no use and half made, of another size, or above files_max; gives their paths.
  std::vector<std::string> TakeUnwanted() SLUICE_REQUIRES(mutex_);
  /// Removes these files, where the list of those that are left can be written.
  void Discard(const std::vector<std::string>& paths, const std::vector<JournalListEntry>& left);

  Env& env_;
  const std::string dir_;
  const Options options_;
  JournalList list_;                      // the maker's, and before it starts Open's and Start's
  std::vector<JournalListEntry> listed_;  // as Open found it
  std::vector<std::string> missing_;

  Mutex mutex_;
  Condition changed_;
  std::vector<std::unique_ptr<Slot>> slots_ SLUICE_GUARDED_BY(mutex_);
  std::uint64_t next_path_ SLUICE_GUARDED_BY(mutex_) = 0;
  Status status_ SLUICE_GUARDED_BY(mutex_);
  bool stopping_ SLUICE_GUARDED_BY(mutex_) = false;
  std::function<void()> on_change_;  // constant after Start
  std::thread maker_;
};

}  // namespace sluice::storage
