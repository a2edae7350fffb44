// Making, taking and freeing journal files.
#include "storage/journal_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/check.h"
#include "storage/env/thread.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kFillPieceBytes = 1u << 20;  // flushed one by one: a commit waits for no more than this
constexpr std::chrono::milliseconds kRetryInterval{100};

}  // namespace

JournalFiles::JournalFiles(Env& env, std::string dir, Options options)
    : env_(env), dir_(std::move(dir)), options_(options), list_(env, dir_ + "-files") {
  SLUICE_CHECK(options.file_bytes >= 4 * kPageBytes && options.file_bytes % kPageBytes == 0);
  SLUICE_CHECK(options.files_max >= 2);
}

JournalFiles::~JournalFiles() { Stop(); }

Result<std::vector<JournalFiles::Found>> JournalFiles::Open() {
  if (Status status = env_.MakeDirs(dir_); !status.ok()) return Error(std::move(status));
  // A process that was killed may have left names that only the cache knows; a power cut would take them away later.
  if (Status status = env_.SyncDir(dir_); !status.ok()) return Error(std::move(status));
  Result<std::vector<std::string>> names = env_.List(dir_);
  if (!names) return Error(std::move(names.error()));
  auto listed = list_.Load();
  if (!listed) return Error(std::move(listed.error()));
  listed_ = std::move(*listed).value_or(std::vector<JournalListEntry>());
  std::vector<Found> found;
  const MutexLock lock(mutex_);
  for (const std::string& name : *names) {
    auto slot = std::make_unique<Slot>();
    slot->path = dir_ + "/" + name;
    Result<std::unique_ptr<File>> file = env_.Open(slot->path, OpenMode::kReadWrite);
    if (!file) return Error(std::move(file.error()));
    // An error here is a flush that failed before and that nobody has seen: the journal's end is unknown, so stop.
    if (Status status = (*file)->Sync(); !status.ok()) return Error(std::move(status));
    if (Status status = (*file)->DropCache(); !status.ok()) return Error(std::move(status));
    Result<std::uint64_t> size = (*file)->Size();
    if (!size) return Error(std::move(size.error()));
    std::string page(kPageBytes, '\0');
    Result<std::size_t> got = (*file)->Read(0, page);
    if (!got) return Error(std::move(got.error()));
    page.resize(*got);
    slot->file = std::move(*file);
    slot->bytes = *size;
    found.push_back({slot->path, slot->file.get(), *size, DecodeJournalFileHeader(page)});
    slots_.push_back(std::move(slot));
  }
  for (const JournalListEntry& entry : listed_) {
    const std::string path = dir_ + "/" + entry.name;
    const auto there = std::ranges::find(found, path, &Found::path);
    if (there == found.end()) {
      missing_.push_back(path + " is missing");
    } else if (there->bytes < entry.bytes) {
      missing_.push_back(fmt::format("{} has {} of its {} bytes", path, there->bytes, entry.bytes));
    }
  }
  return found;
}

std::vector<JournalListEntry> JournalFiles::Entries() const {
  std::vector<JournalListEntry> entries;
  for (const auto& slot : slots_) entries.push_back({slot->path.substr(dir_.size() + 1), slot->bytes});
  return entries;
}

void JournalFiles::SetLive(const File* file, std::uint64_t sequence) {
  const MutexLock lock(mutex_);
  const auto slot = std::ranges::find(slots_, file, [](const auto& each) { return each->file.get(); });
  SLUICE_CHECK(slot != slots_.end() && sequence > 0);
  (*slot)->sequence = sequence;
}

void JournalFiles::Start(std::function<void()> on_change) {
  on_change_ = std::move(on_change);
  std::vector<std::string> unwanted;
  std::vector<JournalListEntry> left;
  {
    const MutexLock lock(mutex_);
    unwanted = TakeUnwanted();
    left = Entries();
  }
  if (!unwanted.empty() || left != listed_) Discard(unwanted, left);
  maker_ = std::thread([this] { RunMaker(); });
}

std::vector<std::string> JournalFiles::TakeUnwanted() {
  std::vector<std::string> paths;
  std::size_t files = slots_.size();
  // The last free one stays: somebody may be about to take it.
  auto free = std::ranges::count_if(slots_, [this](const auto& slot) { return IsFree(*slot); });
  std::erase_if(slots_, [&](const std::unique_ptr<Slot>& slot) {
    if (slot->sequence != 0) return false;
    if (IsFree(*slot) && (files <= options_.files_max || free == 1)) return false;
    if (IsFree(*slot)) --free;
    --files;
    paths.push_back(slot->path);
    return true;
  });
  return paths;
}

void JournalFiles::Discard(const std::vector<std::string>& paths, const std::vector<JournalListEntry>& left) {
  // Where the list cannot be written, it names too many: then nothing may be removed.
  if (!list_.Save(left).ok()) return;
  for (const std::string& path : paths) (void)env_.Remove(path);
}

void JournalFiles::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (maker_.joinable()) maker_.join();
}

bool JournalFiles::WantsFile() const {
  if (slots_.size() >= options_.files_max) return false;
  return std::ranges::none_of(slots_, [](const auto& slot) { return slot->sequence == 0; });
}

std::string JournalFiles::FreshPath() {
  std::string path;
  do {
    path = fmt::format("{}/{:04}.log", dir_, next_path_++);
  } while (std::ranges::any_of(slots_, [&](const auto& slot) { return slot->path == path; }));
  return path;
}

void JournalFiles::RunMaker() {
  NameThread("journal-files");
  MutexLock lock(mutex_);
  std::string path;
  while (!stopping_) {
    if (const std::vector<std::string> unwanted = TakeUnwanted(); !unwanted.empty()) {
      const std::vector<JournalListEntry> left = Entries();
      lock.Unlock();
      Discard(unwanted, left);
      lock.Lock();
      continue;
    }
    if (!WantsFile()) {
      changed_.Wait(mutex_);
      continue;
    }
    if (path.empty()) path = FreshPath();
    std::vector<JournalListEntry> listed = Entries();
    lock.Unlock();
    Result<Slot> slot = Make(path);
    // A flush that failed is never tried again on the same file: the kernel may have forgotten what it lost.
    if (!slot && slot.error().code() != Code::kResourceExhausted) (void)env_.Remove(path);
    if (slot) {
      listed.push_back({path.substr(dir_.size() + 1), slot->bytes});
      // Where this fails the list may name the file already: it stays.
      if (Status status = list_.Save(listed); !status.ok()) slot = Error(std::move(status));
    }
    lock.Lock();
    if (!slot && slot.error().code() != Code::kResourceExhausted) path.clear();
    if (slot) {
      slots_.push_back(std::make_unique<Slot>(std::move(*slot)));
      path.clear();
      status_ = {};
    } else {
      status_ = slot.error();
    }
    changed_.NotifyAll();
    lock.Unlock();
    on_change_();
    lock.Lock();
    if (!status_.ok() && !stopping_) changed_.WaitFor(mutex_, kRetryInterval);
  }
}

Result<JournalFiles::Slot> JournalFiles::Make(const std::string& path) {
  Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kCreateOrOpen);
  if (!file) return Error(std::move(file.error()));
  const JournalFileHeader header{.sequence = 0, .first_group = 0, .file_bytes = options_.file_bytes};
  if (Status status = (*file)->Write(0, EncodeJournalFileHeader(header)); !status.ok()) return Error(std::move(status));
  // Real zeros, not fallocate: a block that was written once costs its data and the flush only, an unwritten one also a
  // change of the file system's own journal.
  const std::string zeros(std::min(kFillPieceBytes, options_.file_bytes), '\0');
  for (std::uint64_t at = kPageBytes; at < options_.file_bytes; at += zeros.size()) {
    const std::uint64_t bytes = std::min<std::uint64_t>(zeros.size(), options_.file_bytes - at);
    const std::string_view piece = std::string_view(zeros).substr(0, bytes);
    if (Status status = (*file)->WriteBulk(at, std::span(&piece, 1)); !status.ok()) return Error(std::move(status));
    if (Status status = (*file)->Sync(); !status.ok()) return Error(std::move(status));
  }
  if (Status status = env_.SyncDir(dir_); !status.ok()) return Error(std::move(status));
  return Slot{path, std::move(*file), options_.file_bytes, 0};
}

JournalFiles::Taken JournalFiles::Take(std::uint64_t sequence) {
  SLUICE_CHECK(sequence > 0);
  const MutexLock lock(mutex_);
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (!IsFree(*slot)) continue;
    slot->sequence = sequence;
    changed_.NotifyAll();
    return {slot->file.get(), slot->bytes};
  }
  return {};
}

void JournalFiles::Release(std::uint64_t sequence) {
  {
    const MutexLock lock(mutex_);
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (slot->sequence < sequence) slot->sequence = 0;
    }
    changed_.NotifyAll();
  }
  if (on_change_) on_change_();
}

bool JournalFiles::has_free() {
  const MutexLock lock(mutex_);
  return HasFree();
}

Status JournalFiles::WaitForFree(std::uint64_t live_bytes_max) {
  const MutexLock lock(mutex_);
  while (!HasFree() && status_.ok() && !stopping_ && LiveBytes() < live_bytes_max) changed_.Wait(mutex_);
  return status_;
}

bool JournalFiles::HasFree() const {
  return std::ranges::any_of(slots_, [this](const auto& slot) { return IsFree(*slot); });
}

Status JournalFiles::status() {
  const MutexLock lock(mutex_);
  return status_;
}

std::uint64_t JournalFiles::live_bytes() {
  const MutexLock lock(mutex_);
  return LiveBytes();
}

std::uint64_t JournalFiles::LiveBytes() const {
  std::uint64_t bytes = 0;
  for (const std::unique_ptr<Slot>& slot : slots_) bytes += slot->sequence != 0 ? slot->bytes : 0;
  return bytes;
}

}  // namespace sluice::storage
