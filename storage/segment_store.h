// The segment directory: names, recycled files, open files.
//
// A file that retention or a dropped shard leaves behind goes to the free list when it is of full size ("free-<n>.seg")
// and is used again for a new segment: overwriting blocks that exist is several times faster than new ones, and deletes
// nothing. Others are truncated in steps and removed. Both happen only after the checkpoint that no longer names the
// file is synced, and a file is used again only when its free name is durable: after a crash no file has two names.
//
// Threads: any; own lock.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "storage/env/env.h"
#include "storage/mutex.h"
#include "storage/segment_format.h"

namespace sluice::storage {

class Segment;

class SegmentStore {
 public:
  static constexpr std::uint64_t kFreeSegmentsMax = 32;  // the free list holds the bytes of so many whole ones
  static constexpr std::size_t kFreeFilesMax = 2048;     // however small: it is searched
  static constexpr std::size_t kOpenFilesMax = 512;
  static constexpr std::uint64_t kTrimStepBytes = 1u << 20;

  SegmentStore(Env& env, std::string dir, std::uint64_t segment_bytes);

  /// Makes the directory and learns the free list. Returns the segments found.
  Result<std::vector<SegmentName>> Open();

  Env& env() { return env_; }
  std::uint64_t segment_bytes() const { return segment_bytes_; }
  std::string PathOf(const SegmentName& name) const { return dir_ + "/" + ToFileName(name); }
  std::string IndexPathOf(const SegmentName& name) const { return PathOf(name) + ".idx"; }

  /// Opens a file that this process did not make.
  Result<std::unique_ptr<File>> OpenToWrite(const std::string& path);
  /// A file for a new segment, recycled where there is one: the largest, as what it has need not be allocated.
  Result<std::unique_ptr<File>> CreateFile(const SegmentName& name);
  /// Takes the segment's files out of its shard: onto the free list with the next SyncNames, or to the surplus.
  void Retire(const SegmentName& name);
  /// Gives a piece of the surplus back to the disk; false where there is none. Whoever flushes meanwhile waits about
  /// 0.3 ms per MiB (ext4 with `discard`), so the pieces are small and the caller leaves pauses.
  bool TrimSurplus();
  /// How many files are surplus.
  std::size_t surplus();
  /// Makes creations and renames durable where there were any; what was retired before can be used again. Where it
  /// fails, the next call does it.
  Status SyncNames();
  /// Gives the space of the free list and of the surplus back to a disk that is full.
  void DropFreeFiles();

  /// Tells that `segment` holds a file open; the one that was opened first gives its own back beyond kOpenFilesMax.
  void NoteOpen(const std::shared_ptr<Segment>& segment);

 private:
  struct FreeFile {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
  };

  std::string FreePath(std::uint64_t number) const;
  std::uint64_t SizeOf(const std::string& path);
  /// Whether the free list has room for this file.
  bool IsWanted(const FreeFile& file) SLUICE_REQUIRES(mutex_);

  Env& env_;
  const std::string dir_;
  const std::uint64_t segment_bytes_;

  Mutex mutex_;
  std::vector<FreeFile> free_ SLUICE_GUARDED_BY(mutex_);
  std::vector<FreeFile> retired_ SLUICE_GUARDED_BY(mutex_);  // will be free when their names are durable
  std::vector<FreeFile> surplus_ SLUICE_GUARDED_BY(mutex_);  // more than the free list may hold
  std::uint64_t next_free_ SLUICE_GUARDED_BY(mutex_) = 1;
  bool names_dirty_ SLUICE_GUARDED_BY(mutex_) = false;
  std::deque<std::weak_ptr<Segment>> open_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::storage
