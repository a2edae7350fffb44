// The list of the journal's files, so that one that is removed or cut after a crash is missed: the newest file has no
// later one that would tell of it. DIR/journal-files; storage/FORMAT.md, section "List of journal files".
//
// A file is on the list, durably, before the journal may use it, and leaves it before it is removed. That happens a few
// times in the life of a directory, never on the way of a commit. A crash leaves the old list or the new one. Where the
// list is missing or damaged, nothing is missed.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::storage {

inline constexpr std::uint32_t kJournalListMagic = 0x314C4C53;  // "SLL1"
inline constexpr std::uint8_t kJournalListVersion = 1;

struct JournalListEntry {
  std::string name;
  std::uint64_t bytes = 0;
  friend bool operator==(const JournalListEntry&, const JournalListEntry&) = default;
};

std::string EncodeJournalList(const std::vector<JournalListEntry>& entries);
Result<std::vector<JournalListEntry>> DecodeJournalList(std::string_view bytes);

class JournalList {
 public:
  JournalList(Env& env, std::string path) : env_(env), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  /// None where there is no list, or it is damaged; kIoError where the disk cannot be read.
  Result<std::optional<std::vector<JournalListEntry>>> Load();
  Status Save(const std::vector<JournalListEntry>& entries);

 private:
  Env& env_;
  const std::string path_;
};

}  // namespace sluice::storage
