// Names, recycling and removal of segment files.
#include "storage/segment_store.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "storage/segment.h"

namespace sluice::storage {
namespace {

constexpr std::string_view kFreePrefix = "free-";
constexpr std::string_view kFreeSuffix = ".seg";

/// The number in "free-00000000000000ff.seg"; 0 for any other name.
std::uint64_t ParseFreeName(std::string_view name) {
  if (!name.starts_with(kFreePrefix) || !name.ends_with(kFreeSuffix)) return 0;
  name.remove_prefix(kFreePrefix.size());
  name.remove_suffix(kFreeSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

}  // namespace

SegmentStore::SegmentStore(Env& env, std::string dir, std::uint64_t segment_bytes)
    : env_(env), dir_(std::move(dir)), segment_bytes_(segment_bytes) {}

std::string SegmentStore::FreePath(std::uint64_t number) const {
  return fmt::format("{}/{}{:016x}{}", dir_, kFreePrefix, number, kFreeSuffix);
}

Result<std::vector<SegmentName>> SegmentStore::Open() {
  if (Status status = env_.MakeDirs(dir_); !status.ok()) return Error(std::move(status));
  // What a killed process renamed last may be seen and yet not be durable.
  if (Status status = env_.SyncDir(dir_); !status.ok()) return Error(std::move(status));
  Result<std::vector<std::string>> files = env_.List(dir_);
  if (!files) return Error(std::move(files.error()));
  std::vector<SegmentName> segments;
  const MutexLock lock(mutex_);
  for (const std::string& file : *files) {
    if (const auto name = ParseSegmentFileName(file)) {
      segments.push_back(*name);
    } else if (const std::uint64_t number = ParseFreeName(file); number != 0) {
      free_.push_back(number);
      next_free_ = std::max(next_free_, number + 1);
    }
  }
  return segments;
}

Result<std::unique_ptr<File>> SegmentStore::CreateFile(const SegmentName& name) {
  std::uint64_t recycled = 0;
  {
    const MutexLock lock(mutex_);
    names_dirty_ = true;
    if (!free_.empty()) {
      recycled = free_.back();
      free_.pop_back();
    }
  }
  const std::string path = PathOf(name);
  if (recycled != 0) {
    const Status status = env_.Rename(FreePath(recycled), path);
    if (!status.ok() && status.code() != Code::kNotFound) return Error(status);
  }
  return env_.Open(path, OpenMode::kCreateOrOpen);
}

void SegmentStore::Retire(const SegmentName& name) {
  const std::string path = PathOf(name);
  // The index goes first: it is derived, and small. What cannot be removed is found again at the next start.
  (void)env_.Remove(IndexPathOf(name));
  std::uint64_t size = 0;
  if (Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kRead)) size = (*file)->Size().value_or(0);
  std::uint64_t number = 0;
  {
    const MutexLock lock(mutex_);
    names_dirty_ = true;
    if (size >= segment_bytes_ / 4 * 3 && free_.size() + retired_.size() < kFreeFilesMax) number = next_free_++;
  }
  if (number != 0 && env_.Rename(path, FreePath(number)).ok()) {
    const MutexLock lock(mutex_);
    retired_.push_back(number);
    return;
  }
  RemoveInSteps(path);
}

void SegmentStore::RemoveInSteps(const std::string& path) {
  // Freeing many blocks at once holds up every other writer of the file system for tens of milliseconds.
  if (Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kReadWrite)) {
    std::uint64_t size = (*file)->Size().value_or(0);
    while (size > kTruncateStepBytes) {
      size -= kTruncateStepBytes;
      if (!(*file)->Truncate(size).ok()) break;
    }
  }
  (void)env_.Remove(path);
}

Status SegmentStore::SyncNames() {
  std::vector<std::uint64_t> retired;
  {
    const MutexLock lock(mutex_);
    if (!names_dirty_) return {};
    names_dirty_ = false;
    retired.swap(retired_);
  }
  if (Status status = env_.SyncDir(dir_); !status.ok()) return status;
  const MutexLock lock(mutex_);
  free_.insert(free_.end(), retired.begin(), retired.end());
  return {};
}

bool SegmentStore::DropFreeFiles() {
  std::vector<std::uint64_t> files;
  {
    const MutexLock lock(mutex_);
    files.swap(free_);
  }
  for (const std::uint64_t number : files) RemoveInSteps(FreePath(number));
  return !files.empty();
}

void SegmentStore::NoteOpen(const std::shared_ptr<Segment>& segment) {
  std::vector<std::shared_ptr<Segment>> surplus;
  {
    const MutexLock lock(mutex_);
    open_.push_back(segment);
    for (std::size_t tries = open_.size(); open_.size() > kOpenFilesMax && tries > 0; --tries) {
      if (std::shared_ptr<Segment> oldest = open_.front().lock()) surplus.push_back(std::move(oldest));
      open_.pop_front();
    }
  }
  for (const std::shared_ptr<Segment>& oldest : surplus) {
    if (oldest->Release()) continue;
    const MutexLock lock(mutex_);
    open_.push_back(oldest);
  }
}

}  // namespace sluice::storage
