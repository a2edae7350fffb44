// Which files there are: names, identities, copies, and what can be let go.
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "tools/agent/tailer.h"

namespace sluice::tools {
namespace {

constexpr std::int64_t kRestMs = 60'000;          // a file that has lost its name is let go after so long without news
constexpr std::int64_t kOldNs = 600'000'000'000;  // one that has a name is closed, until it grows
constexpr std::array<std::string_view, 7> kCompressed{".gz", ".bz2", ".xz", ".zst", ".zip", ".Z", ".lz4"};

std::string DirectoryOf(const std::string& pattern) {
  const std::string directory = std::filesystem::path(pattern).parent_path().string();
  return directory.empty() ? "." : directory;
}

bool IsOld(std::int64_t modified_ns, Tailer::Times now) { return modified_ns + kOldNs < now.wall_ms * 1'000'000; }

std::string NameOf(const std::string& path) { return std::filesystem::path(path).filename().string(); }

}  // namespace

std::vector<std::string> ExpandBraces(std::string_view pattern) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = pattern.find('}', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {std::string(pattern)};
  std::vector<std::string> all;
  std::string_view choices = pattern.substr(open + 1, close - open - 1);
  for (;;) {
    const std::size_t comma = choices.find(',');
    const std::string begin = fmt::format("{}{}", pattern.substr(0, open), choices.substr(0, comma));
    for (const std::string& end : ExpandBraces(pattern.substr(close + 1))) all.push_back(begin + end);
    if (comma == std::string_view::npos) return all;
    choices.remove_prefix(comma + 1);
  }
}

bool IsNameOfCopy(std::string_view original, std::string_view candidate) {
  return candidate.size() > original.size() && candidate.starts_with(original.substr(0, original.find('.', 1)));
}

Tailer::Tailer(const FlowConfig& flow, std::uint64_t checkpoint_days)
    : flow_(flow),
      keep_ms_(static_cast<std::int64_t>(checkpoint_days) * 24 * 3'600'000),
      directory_(DirectoryOf(flow.file_pattern)),
      globs_(ExpandBraces(NameOf(flow.file_pattern))) {}

void Tailer::Restore(std::vector<FilePosition> positions) {
  for (FilePosition& position : positions) files_.push_back(std::make_unique<TrackedFile>(std::move(position)));
}

void Tailer::Tell(std::string trouble) {
  if (trouble == told_of_) return;
  told_of_ = trouble;
  notices_.push_back(std::move(trouble));
}

/// Files of the directory, the least recently changed first.
std::vector<Tailer::Entry> Tailer::ListDirectory(bool matching) {
  std::vector<Entry> entries;
  std::error_code error;
  for (auto at = std::filesystem::directory_iterator(directory_, error); at != std::filesystem::directory_iterator();
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    const auto fits = [&](const std::string& glob) { return ::fnmatch(glob.c_str(), name.c_str(), FNM_PERIOD) == 0; };
    if (std::ranges::any_of(globs_, fits) != matching) continue;
    struct stat status{};
    if (::stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    entries.push_back({.path = at->path().string(),
                       .device = status.st_dev,
                       .inode = status.st_ino,
                       .size = static_cast<std::uint64_t>(status.st_size),
                       .modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
  }
  if (error) Tell(fmt::format("cannot read the directory {}: {}", directory_, error.message()));
  std::ranges::sort(entries, {}, [](const Entry& entry) { return std::tie(entry.modified_ns, entry.path); });
  return entries;
}

TrackedFile* Tailer::Find(const Entry& entry) {
  const auto found = std::ranges::find_if(files_, [&](const auto& file) {
    return file->position().device == entry.device && file->position().inode == entry.inode;
  });
  return found == files_.end() ? nullptr : found->get();
}

void Tailer::Refresh(Times now, bool first_start) {
  for (const auto& file : files_) file->superseded = true;
  std::vector<Entry> unknown;
  std::set<const TrackedFile*> seen;
  for (Entry& entry : ListDirectory(true)) {
    if (TrackedFile* const file = Find(entry)) {
      const bool own_name = NameOf(entry.path) == file->position().name;
      if (own_name || file->superseded) See(*file, entry, now);  // of several names its own counts
      if (own_name) file->superseded = false;
      seen.insert(file);
    } else {
      unknown.push_back(std::move(entry));
    }
  }
  if (seen.size() < files_.size()) {
    for (const Entry& entry : ListDirectory(false)) {
      if (TrackedFile* const file = Find(entry)) See(*file, entry, now);
    }
  }
  for (const auto& file : files_) {
    if (file->position().held) Recheck(*file);
  }
  for (const Entry& entry : unknown) {
    if (Find(entry) == nullptr) Discover(entry, now, first_start);  // a link's target may be among them, too
  }
  LetGo(now);
}

/// A name of the directory leads to it.
void Tailer::See(TrackedFile& file, const Entry& entry, Times now) {
  file.position().seen_ms = now.wall_ms;
  file.position().path = entry.path;
  const bool at_rest = entry.size == file.position().offset && IsOld(entry.modified_ns, now);
  if (!file.is_open() && !at_rest) {
    if (!file.Open(entry.path)) Tell(fmt::format("cannot read {}", entry.path));
    file.changed_ms = now.monotonic_ms;
  }
}

void Tailer::Discover(const Entry& entry, Times now, bool first_start) {
  if (std::ranges::any_of(kCompressed, [&](std::string_view suffix) { return entry.path.ends_with(suffix); })) {
    if (!std::exchange(told_of_compressed_, true)) {
      notices_.push_back(fmt::format("{} is compressed: such files are passed over", entry.path));
    }
    return;
  }
  auto file = std::make_unique<TrackedFile>(FilePosition{.path = entry.path,
                                                         .name = NameOf(entry.path),
                                                         .device = entry.device,
                                                         .inode = entry.inode,
                                                         .header_lines_left = flow_.skip_header_lines,
                                                         .seen_ms = now.wall_ms});
  if (!file->Open(entry.path)) return Tell(fmt::format("cannot read {}", entry.path));
  if (file->size() == 0) return;  // nothing to read, and nothing to tell a copy by that has just begun
  file->changed_ms = now.monotonic_ms;
  if (TrackedFile* const original = OriginalOf(*file)) {
    Hold(*file, *original);
  } else if (first_start && !flow_.from_start) {
    BeginAtEnd(*file);
    if (IsOld(entry.modified_ns, now)) file->Close();  // there may be more of them than can be open
  }
  files_.push_back(std::move(file));
}

/// Behind the last newline: a line that is being written is read as a whole.
void Tailer::BeginAtEnd(TrackedFile& file) {
  const std::uint64_t window = std::min(file.size(), flow_.record_bytes_max());
  const std::string_view text = file.Read(file.size() - window, window, buffer_);
  const std::size_t newline = text.rfind('\n');
  file.position().header_lines_left = file.size() == 0 ? flow_.skip_header_lines : 0;
  file.MoveTo(file.size() - window + (newline == std::string_view::npos ? 0 : newline + 1));
  file.looked_size = file.size();
  file.looked_modified_ns = file.modified_ns();
}

/// The known file that has all bytes of `candidate`, by its name and its bytes.
TrackedFile* Tailer::OriginalOf(const TrackedFile& candidate) {
  const std::string name = NameOf(candidate.position().path);
  for (const auto& file : files_) {
    if (file.get() == &candidate || file->position().held) continue;
    if (!IsNameOfCopy(file->position().name, name)) continue;
    const bool was_open = file->is_open();
    if (!was_open && !file->Open(file->position().path)) continue;
    file->Look();
    const std::uint64_t bytes = candidate.size();
    const bool same = bytes <= file->size() && SameBytes(candidate, *file, bytes);
    // It may have been truncated already, and nobody has noticed.
    const bool was_same = file->position().offset > 0 && !file->Unchanged() && candidate.Fits(file->position());
    if ((bytes > 0 && same) || was_same) return file.get();
    if (!was_open) file->Close();
  }
  return nullptr;
}

void Tailer::Hold(TrackedFile& copy, TrackedFile& original) {
  copy.position().held = true;
  copy.original = &original;
  copy.held_size = copy.size();
  copy.TakeOver(original.position());
}

/// From now on it is read, from its own position, and before what came later.
void Tailer::Release(TrackedFile& copy) {
  copy.position().held = false;
  copy.original = nullptr;
  copy.adopted = true;
}

/// Whether it is still a copy. The original may be gone or truncated; or it was none, and only began as the other.
void Tailer::Recheck(TrackedFile& held) {
  if (!held.is_open() && !held.Open(held.position().path)) return;
  held.Look();
  TrackedFile* const original = held.original != nullptr ? held.original : OriginalOf(held);
  if (original == nullptr) return Release(held);
  original->Look();
  const bool same = held.size() <= original->size() && SameBytes(held, *original, held.size());
  if (same || !original->Unchanged()) {  // in the second case Truncated comes, and releases it
    held.original = original;
    held.held_size = held.size();
    if (same) held.TakeOver(original->position());  // it may have grown
    return;
  }
  if (held.original != nullptr && held.size() > held.held_size) held.Restart(flow_.skip_header_lines);
  Release(held);
}

bool Tailer::ReleaseCopies(const TrackedFile& original) {
  bool any = false;
  for (const auto& file : files_) {
    if (!file->position().held || file->original != &original) continue;
    file->Look();
    file->TakeOver(original.position());
    Release(*file);
    any = true;
  }
  return any;
}

/// As far as the original has been read, its copies are.
void Tailer::MoveCopies(const TrackedFile& original) {
  for (const auto& file : files_) {
    if (!file->position().held || file->original != &original) continue;
    file->Look();
    file->TakeOver(original.position());
  }
}

/// The truncated file's bytes that were not read yet are in a copy that nobody knows, if there is one.
bool Tailer::FindCopy(const TrackedFile& original) {
  const FilePosition& position = original.position();
  const std::string& name = position.name;
  if (position.offset == 0) return false;  // anything would fit
  for (const bool matching : {true, false}) {
    for (const Entry& entry : ListDirectory(matching)) {
      if (Find(entry) != nullptr || !IsNameOfCopy(name, NameOf(entry.path))) continue;
      auto file = std::make_unique<TrackedFile>(FilePosition{.path = entry.path,
                                                             .name = NameOf(entry.path),
                                                             .device = entry.device,
                                                             .inode = entry.inode,
                                                             .seen_ms = position.seen_ms});
      if (!file->Open(entry.path) || !file->Fits(position)) continue;
      file->TakeOver(position);
      file->changed_ms = original.changed_ms;
      Release(*file);
      files_.push_back(std::move(file));
      return true;
    }
  }
  return false;
}

/// Closes what rests, and forgets what is gone. While a broker is away nobody reads: what has come since then, and the
/// copy of what was truncated since then, are kept open, as they may have no name any more.
void Tailer::LetGo(Times now) {
  const auto gone = [&](const std::unique_ptr<TrackedFile>& file) {
    file->Look();
    const TrackedFile* const original = file->original;
    const bool original_has_it = original != nullptr && (!original->is_open() || original->Unchanged());
    const bool read = file->position().held ? original_has_it : file->looked_size == file->size();
    const bool at_end = file->size() == file->position().offset;  // else its last record waits, for its age or its end
    const bool rests = read && at_end && now.monotonic_ms - file->changed_ms >= kRestMs;
    if (file->is_open() && !file->superseded && read && at_end && IsOld(file->modified_ns(), now)) file->Close();
    if (file->is_open() && file->superseded && rests) {
      if (file->removed()) return true;
      file->Close();
    }
    return !file->is_open() && now.wall_ms - file->position().seen_ms > keep_ms_;
  };
  std::erase_if(files_, [&](const std::unique_ptr<TrackedFile>& file) {
    if (!gone(file)) return false;
    for (const auto& other : files_) {
      if (other && other->original == file.get()) other->original = nullptr;
    }
    return true;
  });
}

}  // namespace sluice::tools
