// The two copies of a file in memory and the ways in which they drift apart and meet again.
#include "storage/env/cached_content.h"

#include <algorithm>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

/// Copies [begin, begin + bytes) of `from`, zeros where it ends earlier, into `to`, which grows where it must.
void CopyRange(const std::string& from, std::string& to, std::uint64_t begin, std::uint64_t bytes) {
  if (to.size() < begin + bytes) to.resize(begin + bytes, '\0');
  std::fill_n(to.data() + begin, bytes, '\0');
  if (from.size() > begin) from.copy(to.data() + begin, bytes, begin);
}

std::uint64_t BlocksIn(std::uint64_t size) {
  return (size + CachedContent::kBlockBytes - 1) / CachedContent::kBlockBytes;
}

}  // namespace

void CachedContent::Write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (offset + bytes.size() > cached_.size()) Resize(offset + bytes.size());
  bytes.copy(cached_.data() + offset, bytes.size());
  for (std::uint64_t block = offset / kBlockBytes; block < BlocksIn(offset + bytes.size()); ++block) MarkDirty(block);
}

void CachedContent::Resize(std::uint64_t size) {
  if (size == cached_.size()) return;
  if (size < cached_.size()) {
    cut_ = std::min(cut_.value_or(size), size);
    dirty_.erase(dirty_.lower_bound(BlocksIn(size)), dirty_.end());
    phantom_.erase(phantom_.lower_bound(BlocksIn(size)), phantom_.end());
  }
  cached_.resize(size, '\0');
  size_changed_ = true;
}

void CachedContent::Persist() {
  if (cut_.has_value()) disk_.resize(std::min<std::uint64_t>(*cut_, disk_.size()));
  for (const std::uint64_t block : dirty_) PersistBlock(block);
  if (size_changed_) disk_.resize(cached_.size(), '\0');
  dirty_.clear();
  cut_.reset();
  size_changed_ = false;
}

void CachedContent::DropDirty() {
  phantom_.merge(dirty_);
  dirty_.clear();
  cut_.reset();
  size_changed_ = false;
}

void CachedContent::DropCache() {
  for (const std::uint64_t block : phantom_) {
    const std::uint64_t begin = block * kBlockBytes;
    SLUICE_CHECK(begin < cached_.size());
    CopyRange(disk_, cached_, begin, std::min<std::uint64_t>(kBlockBytes, cached_.size() - begin));
  }
  phantom_.clear();
}

void CachedContent::Crash(std::uint64_t block_bytes, const std::function<bool()>& keep) {
  SLUICE_CHECK(block_bytes > 0 && block_bytes % kBlockBytes == 0);
  if (cut_.has_value()) {
    // File systems order a cut before what is written over it later: without the cut, none of that either.
    if (keep()) {
      disk_.resize(std::min<std::uint64_t>(*cut_, disk_.size()));
    } else {
      dirty_.erase(dirty_.lower_bound(*cut_ / kBlockBytes), dirty_.end());
      size_changed_ = false;
    }
  }
  const std::uint64_t group = block_bytes / kBlockBytes;
  for (auto it = dirty_.begin(); it != dirty_.end();) {
    const std::uint64_t disk_block = *it / group;
    const bool kept = keep();
    for (; it != dirty_.end() && *it / group == disk_block; ++it) {
      if (kept) PersistBlock(*it);
    }
  }
  if (size_changed_ && keep()) disk_.resize(cached_.size(), '\0');
  Replace(std::move(disk_));
}

void CachedContent::Replace(std::string bytes) {
  disk_ = std::move(bytes);
  cached_ = disk_;
  dirty_.clear();
  phantom_.clear();
  cut_.reset();
  size_changed_ = false;
}

void CachedContent::FlipBit(std::uint64_t bit) {
  SLUICE_CHECK(bit / 8 < cached_.size());
  for (std::string* bytes : {&cached_, &disk_}) {
    if (bit / 8 < bytes->size()) (*bytes)[bit / 8] = static_cast<char>((*bytes)[bit / 8] ^ (1 << (bit % 8)));
  }
}

void CachedContent::MarkDirty(std::uint64_t block) {
  dirty_.insert(dirty_.end(), block);
  phantom_.erase(block);
}

void CachedContent::PersistBlock(std::uint64_t block) {
  const std::uint64_t begin = block * kBlockBytes;
  SLUICE_CHECK(begin < cached_.size());
  CopyRange(cached_, disk_, begin, std::min<std::uint64_t>(kBlockBytes, cached_.size() - begin));
}

}  // namespace sluice::storage
