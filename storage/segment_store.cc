// Names, recycling and removal of segment files.
#include "storage/segment_store.h"

#include <fmt/format.h>

#include <algorithm>
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

std::uint64_t SegmentStore::SizeOf(const std::string& path) {
  Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kRead);
  return file ? (*file)->Size().value_or(0) : 0;
}

bool SegmentStore::IsWanted(const FreeFile& file) {
  if (free_.size() + retired_.size() >= kFreeFilesMax) return false;
  std::uint64_t bytes = file.bytes;
  for (const FreeFile& each : free_) bytes += each.bytes;
  for (const FreeFile& each : retired_) bytes += each.bytes;
  return bytes <= kFreeSegmentsMax * segment_bytes_;
}

Result<std::vector<SegmentName>> SegmentStore::Open() {
  if (Status status = env_.MakeDirs(dir_); !status.ok()) return Error(std::move(status));
  // What a killed process renamed last may be seen and yet not be durable.
  if (Status status = env_.SyncDir(dir_); !status.ok()) return Error(std::move(status));
  Result<std::vector<std::string>> names = env_.List(dir_);
  if (!names) return Error(std::move(names.error()));
  std::vector<SegmentName> segments;
  const MutexLock lock(mutex_);
  for (const std::string& each : *names) {
    if (const auto name = ParseSegmentFileName(each)) {
      segments.push_back(*name);
    } else if (const std::uint64_t number = ParseFreeName(each); number != 0) {
      const FreeFile file{number, SizeOf(FreePath(number))};
      (IsWanted(file) ? free_ : surplus_).push_back(file);
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
    if (const auto largest = std::ranges::max_element(free_, {}, &FreeFile::bytes); largest != free_.end()) {
      recycled = largest->number;
      *largest = free_.back();
      free_.pop_back();
    }
  }
  const std::string path = PathOf(name);
  if (recycled == 0) return env_.Open(path, OpenMode::kCreateOrOpen);
  const Status status = env_.Rename(FreePath(recycled), path);
  if (status.code() == Code::kNotFound) return env_.Open(path, OpenMode::kCreateOrOpen);
  if (!status.ok()) return Error(status);
  return OpenToWrite(path);
}

// What somebody before failed to write, and was not told of before it was killed, the system tells whoever syncs next.
// It is no failure of ours: all that counts of the file was synced then, or is in the journal and is written again.
Result<std::unique_ptr<File>> SegmentStore::OpenToWrite(const std::string& path) {
  Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kReadWrite);
  if (file) (void)(*file)->Sync();
  return file;
}

void SegmentStore::Retire(const SegmentName& name) {
  const std::string path = PathOf(name);
  // The index goes first: it is derived, and small. What cannot be taken away is found again at the next start.
  (void)env_.Remove(IndexPathOf(name));
  FreeFile file{.bytes = SizeOf(path)};
  {
    const MutexLock lock(mutex_);
    names_dirty_ = true;
    file.number = next_free_++;
  }
  if (!env_.Rename(path, FreePath(file.number)).ok()) return;
  const MutexLock lock(mutex_);
  (IsWanted(file) ? retired_ : surplus_).push_back(file);
}

bool SegmentStore::TrimSurplus() {
  FreeFile surplus;
  {
    const MutexLock lock(mutex_);
    if (surplus_.empty()) return false;
    surplus = surplus_.back();
    surplus_.pop_back();
  }
  const std::string path = FreePath(surplus.number);
  if (surplus.bytes > kTrimStepBytes) {
    surplus.bytes -= kTrimStepBytes;
    const Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kReadWrite);
    if (file && (*file)->Truncate(surplus.bytes).ok()) {
      const MutexLock lock(mutex_);
      surplus_.push_back(surplus);
      return true;
    }
  }
  (void)env_.Remove(path);  // where this fails, the next start finds the file
  return true;
}

std::size_t SegmentStore::surplus() {
  const MutexLock lock(mutex_);
  return surplus_.size();
}

Status SegmentStore::SyncNames() {
  std::vector<FreeFile> retired;
  {
    const MutexLock lock(mutex_);
    if (!names_dirty_) return {};
    names_dirty_ = false;
    retired.swap(retired_);
  }
  const Status status = env_.SyncDir(dir_);
  const MutexLock lock(mutex_);
  if (!status.ok()) names_dirty_ = true;
  std::vector<FreeFile>& files = status.ok() ? free_ : retired_;
  files.insert(files.end(), retired.begin(), retired.end());
  return status;
}

void SegmentStore::DropFreeFiles() {
  {
    const MutexLock lock(mutex_);
    surplus_.insert(surplus_.end(), free_.begin(), free_.end());
    free_.clear();
  }
  while (TrimSurplus()) continue;
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
