// The journal's end: writes groups of frames one after another and makes them durable.
//
// A group is a header, an index of its frames and the frames, begun on a page and padded to the next
// (storage/FORMAT.md). Written and durable are two steps: Write puts a group in the file, Sync makes all groups so far
// durable. The header of each group tells which group was the last known durable (the mark), so recovery can tell a
// torn tail from damage.
//
// Threads: one at a time (the committing thread; Committer hands it over).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame.h"
#include "storage/checkpoint.h"
#include "storage/env/env.h"
#include "storage/journal_files.h"

namespace sluice::storage {

class Journal {
 public:
  /// `next` is where writing begins: always in a new file.
  Journal(Env& env, JournalFiles& files, std::uint64_t next_sequence, std::uint64_t next_group);

  /// The bytes that a group of these frames takes.
  static std::uint64_t GroupBytes(std::size_t frame_count, std::uint64_t frame_bytes);
  /// True where a group of this size fits in the current file.
  bool Fits(std::uint64_t group_bytes) const { return file_.file != nullptr && position_ + group_bytes <= file_.bytes; }

  /// Writes one group; no frames: a mark. A new file is begun where it does not fit; one must be free. Returns where
  /// the group stands.
  Result<JournalPosition> Write(std::span<const protocol::Frame* const> frames);
  Status Sync();

  JournalPosition next() const { return {sequence_, position_, next_group_}; }
  std::uint64_t durable_mark() const { return durable_mark_; }
  std::uint64_t last_group() const { return next_group_ - 1; }

 private:
  Status BeginFile();

  Env& env_;
  JournalFiles& files_;
  JournalFiles::Taken file_;
  std::uint64_t sequence_;  // of the current file, or of the one before the first
  std::uint64_t position_ = 0;
  std::uint64_t next_group_;
  std::uint64_t durable_mark_;
  std::string file_header_;       // to be written with the next group; empty where the file has it
  std::string header_and_index_;  // kept for its memory
  std::vector<std::string_view> pieces_;
};

}  // namespace sluice::storage
