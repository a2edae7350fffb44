// One file of MemoryEnv: what reads show, what the disk holds, and which blocks differ and why.
//
// Threads: none of its own; MemoryEnv's lock guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "storage/env/block_set.h"
#include "storage/env/sparse_bytes.h"

namespace sluice::storage {

class CachedContent {
 public:
  static constexpr std::uint64_t kBlockBytes = 512;  // the unit of the differences; every crash block is a multiple

  const SparseBytes& cached() const { return cached_; }
  const SparseBytes& disk() const { return disk_; }

  void Write(std::uint64_t offset, std::string_view bytes);
  void Resize(std::uint64_t size);
  /// Everything reaches the disk.
  void Persist();
  /// A failed sync: the kernel calls the dirty blocks clean and forgets that the disk never got them.
  void DropDirty();
  /// The page cache forgets its clean blocks, so reads tell what the disk holds.
  void DropCache();
  /// A power cut. `keep` decides for each dirty block of `block_bytes`, and for changes of the size, whether the disk
  /// got it.
  void Crash(std::uint64_t block_bytes, const std::function<bool()>& keep);

  /// By hand, in both copies.
  void Replace(SparseBytes bytes);
  void FlipBit(std::uint64_t bit);

 private:
  void KeepSome(std::uint64_t group, const std::function<bool()>& keep);
  void PersistBlocks(std::uint64_t begin, std::uint64_t end);

  SparseBytes cached_;
  SparseBytes disk_;
  BlockSet dirty_;                    // written since the last Sync, failed or not
  BlockSet phantom_;                  // cached and clean, but not on the disk
  std::optional<std::uint64_t> cut_;  // the smallest size since the last Sync: what the disk holds beyond it is void
  bool size_changed_ = false;
};

}  // namespace sluice::storage
