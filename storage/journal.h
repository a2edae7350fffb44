// The journal's end: writes groups of frames one after another and makes them durable.
//
// A group is a header, an index of its frames and the frames, begun on a page and padded to the next
// (storage/FORMAT.md). Written and durable are two steps: Write puts a group in the file, Sync makes all groups so far
// durable. The header of each group tells which group was the last known durable (the mark), so recovery can tell a
// torn tail from damage.
//
// Threads: one writer at a time for everything but Sync, and one at a time for Sync, beside the writer but never beside
// BeginFile (Committer gives out both roles).
#pragma once

#include <atomic>
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

  /// Goes on in a new file; one must be free, and what was written must be durable: flushing the new file would say
  /// nothing about the old one.
  void BeginFile();
  /// Writes one group, which must fit; no frames: a mark. Returns where the group stands.
  Result<JournalPosition> Write(std::span<const protocol::Frame* const> frames);
  /// Makes the groups up to `group` durable; they were written before.
  Status Sync(std::uint64_t group);

  JournalPosition next() const { return {sequence_, position_, next_group_}; }
  std::uint64_t last_group() const { return next_group_ - 1; }
  /// The group up to which the last written header says that all is durable.
  std::uint64_t written_mark() const { return written_mark_; }
  std::uint64_t durable_mark() const { return durable_mark_.load(std::memory_order_acquire); }

 private:
  Env& env_;
  JournalFiles& files_;
  JournalFiles::Taken file_;
  std::uint64_t sequence_;  // of the current file, or of the one before the first
  std::uint64_t position_ = 0;
  std::uint64_t next_group_;
  std::uint64_t written_mark_;
  std::atomic<std::uint64_t> durable_mark_;
  std::string file_header_;       // to be written with the next group; empty where the file has it
  std::string header_and_index_;  // kept for its memory
  std::vector<std::string_view> pieces_;
};

}  // namespace sluice::storage
