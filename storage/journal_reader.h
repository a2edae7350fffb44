// Reads the journal at start-up: every group from a position on, telling a torn tail from damage of acknowledged data.
//
// The rule: let D be the newest mark that any valid group, any file header or the checkpoint gives. A group that is not
// good is
//   - the torn tail, if its number is above D: nobody was promised anything, reading ends here;
//   - damage, if its number is at most D: never cut. What still verifies is given, the rest is told exactly where the
//   group's
//     index survives, and as "unknown" where it does not.
//
// Threads: none; used by one thread before anything else runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame.h"
#include "storage/checkpoint.h"
#include "storage/journal_files.h"
#include "storage/journal_format.h"

namespace sluice::storage {

/// Acknowledged bytes of the journal that are not good any more.
struct JournalDamage {
  std::string path;
  std::uint64_t position = 0;
  std::uint64_t group = 0;
  std::vector<GroupEntry> lost;  // frames known to be lost
  bool complete = false;         // nothing else can have been there
};

class JournalReader {
 public:
  struct Visitor {
    std::function<Status(protocol::Frame)> frame;
    std::function<void(const JournalDamage&)> damage;
  };
  struct Summary {
    std::uint64_t last_group = 0;     // the last that counts
    std::uint64_t last_sequence = 0;  // the highest file sequence seen
    std::uint64_t bytes_scanned = 0;
    std::uint64_t torn_bytes = 0;
  };

  explicit JournalReader(std::vector<JournalFiles::Found> files);

  struct LiveFile {
    const JournalFiles::Found* found = nullptr;
    std::uint64_t sequence = 0;
    std::optional<std::uint64_t> first_group;  // none where neither header nor first group tells
    bool header_good = false;
  };
  /// The files in use, by sequence.
  const std::vector<LiveFile>& files() const { return files_; }

  /// Reads from `from`; groups up to `durable_mark` are known to have been flushed. `clean`: there is nothing behind.
  Result<Summary> Read(const JournalPosition& from, std::uint64_t durable_mark, bool clean, const Visitor& visitor);

 private:
  class Window;
  struct Cursor {
    const LiveFile* file = nullptr;
    const LiveFile* next_file = nullptr;
    std::uint64_t position = 0;
    std::uint64_t group = 0;  // expected here
  };
  enum class Outcome { kGood, kEndOfFile, kTorn };

  void Learn(const JournalFiles::Found& found);
  std::uint64_t LimitOf(const Cursor& cursor) const;
  Result<Outcome> ReadFile(Cursor& cursor, const Visitor& visitor);
  Result<Outcome> ReadGroup(Window& window, Cursor& cursor, const Visitor& visitor);
  Result<Outcome> HandleBadGroup(Window& window, Cursor& cursor, const Visitor& visitor);
  /// The next valid group of this use of the file behind `position` and above `group`; bytes of the file where there is
  /// none.
  Result<std::uint64_t> FindGroup(Window& window, const LiveFile& file, std::uint64_t position, std::uint64_t group,
                                  GroupHeader& header);
  /// The newest mark in what is still to be read.
  Status FindMark(const Cursor& cursor);
  Result<bool> Salvage(Window& window, std::uint64_t begin, std::uint64_t end, const Visitor& visitor);

  const std::vector<JournalFiles::Found> found_;
  std::vector<LiveFile> files_;
  Summary summary_;
  std::uint64_t mark_ = 0;
  bool mark_searched_ = false;
};

}  // namespace sluice::storage
