// The two copies of a file in memory and the ways in which they drift apart and meet again.
#include "storage/env/cached_content.h"

#include <algorithm>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

std::uint64_t BlocksIn(std::uint64_t size) {
  return (size + CachedContent::kBlockBytes - 1) / CachedContent::kBlockBytes;
}

}  // namespace

void CachedContent::Write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (offset + bytes.size() > cached_.size()) Resize(offset + bytes.size());
  cached_.Write(offset, bytes);
  dirty_.Add(offset / kBlockBytes, BlocksIn(offset + bytes.size()));
  phantom_.Remove(offset / kBlockBytes, BlocksIn(offset + bytes.size()));
}

void CachedContent::Resize(std::uint64_t size) {
  if (size == cached_.size()) return;
  if (size < cached_.size()) {
    cut_ = std::min(cut_.value_or(size), size);
    dirty_.RemoveFrom(BlocksIn(size));
    phantom_.RemoveFrom(BlocksIn(size));
  }
  cached_.Resize(size);
  size_changed_ = true;
}

void CachedContent::Persist() {
  if (cut_.has_value()) disk_.Resize(std::min(*cut_, disk_.size()));
  dirty_.ForEachRun([this](std::uint64_t begin, std::uint64_t end) { PersistBlocks(begin, end); });
  if (size_changed_) disk_.Resize(cached_.size());
  dirty_.Clear();
  cut_.reset();
  size_changed_ = false;
}

void CachedContent::DropDirty() {
  phantom_.Merge(dirty_);
  dirty_.Clear();
  cut_.reset();
  size_changed_ = false;
}

void CachedContent::DropCache() {
  phantom_.ForEachRun([this](std::uint64_t first, std::uint64_t last) {
    const std::uint64_t begin = first * kBlockBytes;
    SLUICE_CHECK(begin < cached_.size());
    cached_.CopyRange(disk_, begin, std::min(last * kBlockBytes, cached_.size()) - begin);
  });
  phantom_.Clear();
}

void CachedContent::Crash(std::uint64_t block_bytes, const std::function<bool()>& keep) {
  SLUICE_CHECK(block_bytes > 0 && block_bytes % kBlockBytes == 0);
  if (cut_.has_value()) {
    // File systems order a cut before what is written over it later: without the cut, none of that either.
    if (keep()) {
      disk_.Resize(std::min(*cut_, disk_.size()));
    } else {
      dirty_.RemoveFrom(*cut_ / kBlockBytes);
      size_changed_ = false;
    }
  }
  KeepSome(block_bytes / kBlockBytes, keep);
  if (size_changed_ && keep()) disk_.Resize(cached_.size());
  Replace(std::move(disk_));
}

/// One decision for each group of blocks that the disk writes at once.
void CachedContent::KeepSome(std::uint64_t group, const std::function<bool()>& keep) {
  std::optional<std::uint64_t> decided;
  bool kept = false;
  dirty_.ForEachRun([&](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t block = begin; block < end; ++block) {
      if (decided != block / group) kept = keep();
      decided = block / group;
      if (kept) PersistBlocks(block, block + 1);
    }
  });
}

void CachedContent::Replace(SparseBytes bytes) {
  disk_ = std::move(bytes);
  cached_ = disk_;
  dirty_.Clear();
  phantom_.Clear();
  cut_.reset();
  size_changed_ = false;
}

void CachedContent::FlipBit(std::uint64_t bit) {
  cached_.FlipBit(bit);
  if (bit / 8 < disk_.size()) disk_.FlipBit(bit);
}

void CachedContent::PersistBlocks(std::uint64_t begin, std::uint64_t end) {
  SLUICE_CHECK(begin * kBlockBytes < cached_.size());
  disk_.CopyRange(cached_, begin * kBlockBytes, std::min(end * kBlockBytes, cached_.size()) - begin * kBlockBytes);
}

}  // namespace sluice::storage
