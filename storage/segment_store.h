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
  static constexpr std::size_t kFreeFilesMax = 32;
  static constexpr std::size_t kOpenFilesMax = 512;
  static constexpr std::uint64_t kTruncateStepBytes = 16u << 20;

  SegmentStore(Env& env, std::string dir, std::uint64_t segment_bytes);

  /// Makes the directory and learns the free list. Returns the segments found.
  Result<std::vector<SegmentName>> Open();

  Env& env() { return env_; }
  std::uint64_t segment_bytes() const { return segment_bytes_; }
  std::string PathOf(const SegmentName& name) const { return dir_ + "/" + ToFileName(name); }
  std::string IndexPathOf(const SegmentName& name) const { return PathOf(name) + ".idx"; }

  /// A file for a new segment, recycled where there is one.
  Result<std::unique_ptr<File>> CreateFile(const SegmentName& name);
  /// Takes the segment's files away: off the disk in steps, or onto the free list with the next SyncNames. Blocks.
  void Retire(const SegmentName& name);
  /// Makes creations and renames durable where there were any; what was retired before can be used again.
  Status SyncNames();
  /// Gives the free list's space back to a disk that is full. Returns whether there was any.
  bool DropFreeFiles();

  /// Tells that `segment` holds a file open; the one that was opened first gives its own back beyond kOpenFilesMax.
  void NoteOpen(const std::shared_ptr<Segment>& segment);

 private:
  std::string FreePath(std::uint64_t number) const;
  void RemoveInSteps(const std::string& path);

  Env& env_;
  const std::string dir_;
  const std::uint64_t segment_bytes_;

  Mutex mutex_;
  std::vector<std::uint64_t> free_ SLUICE_GUARDED_BY(mutex_);
  std::vector<std::uint64_t> retired_ SLUICE_GUARDED_BY(mutex_);  // will be free when their names are durable
  std::uint64_t next_free_ SLUICE_GUARDED_BY(mutex_) = 1;
  bool names_dirty_ SLUICE_GUARDED_BY(mutex_) = false;
  std::deque<std::weak_ptr<Segment>> open_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::storage
