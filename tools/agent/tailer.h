// Finds the files of a flow, follows them over rotation, and reads their records.
//
//   a name of the pattern leads to a file that is not known      it is read from its start, once it is sure that it is
//   no
//                                                                copy of a known one (see below)
//   a known file has another name, or none                       it is read to its end, then let go when it has rested
//   a known file is shorter, or what was read of it has changed  it was truncated: it is read from its start; what had
//                                                                not been read before is looked for in a copy
//
// A copy of a known file, whose name is a longer form of its name (app.log.1 of app.log), is held: its position follows
// the original's, and it is read from there when the original is not the same any more. What is known about files
// (device, inode, offset, bytes in front of it) is `Positions`, which the flow writes down together with the records.
//
// Threads: one. Times are given, so that tests need not wait.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/agent/agent_config.h"
#include "tools/agent/chunk.h"
#include "tools/agent/tracked_file.h"

namespace sluice::tools {

class Tailer {
 public:
  using Times = AgentTimes;

  /// `flow` outlives the tailer.
  Tailer(const FlowConfig& flow, std::uint64_t checkpoint_days);

  /// What a former process wrote down; before the first Refresh.
  void Restore(std::vector<FilePosition> positions);
  /// Looks which files there are. `first_start`: those of now begin where initialPosition says.
  void Refresh(Times now, bool first_start = false);
  /// Adds records of all files to `chunk` until it is full, or there are none.
  void Collect(Chunk& chunk, Times now);

  std::vector<FilePosition> Positions() const;
  std::size_t file_count() const { return files_.size(); }
  /// Things to tell the user, since the last call.
  std::vector<std::string> TakeNotices();

 private:
  struct Entry {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
  };

  /// Of a file: whether its last record is complete, and its last line.
  enum class Ending { kGrows, kRests, kEnded };

  std::vector<Entry> ListDirectory(bool matching);
  TrackedFile* Find(const Entry& entry);
  void See(TrackedFile& file, const Entry& entry, Times now);
  void Discover(const Entry& entry, Times now, bool first_start);
  TrackedFile* OriginalOf(const TrackedFile& candidate);
  void Hold(TrackedFile& copy, TrackedFile& original);
  void Release(TrackedFile& copy);
  void BeginAtEnd(TrackedFile& file);
  void Recheck(TrackedFile& held);
  void LetGo(Times now);
  static void NoteChange(TrackedFile& file, Times now);
  void Truncated(TrackedFile& file);
  bool ReleaseCopies(const TrackedFile& original);
  bool FindCopy(const TrackedFile& original);
  void MoveCopies(const TrackedFile& original);
  void Tell(std::string trouble);
  bool ReadFile(TrackedFile& file, Chunk& chunk, Times now);
  bool TakePiece(TrackedFile& file, Chunk& chunk, Times now, Ending ending);
  std::size_t PassOver(TrackedFile& file, std::string_view text);

  const FlowConfig& flow_;
  const std::int64_t keep_ms_;
  const std::string directory_;
  const std::vector<std::string> globs_;  // a file matches one of them
  std::vector<std::unique_ptr<TrackedFile>> files_;
  std::string buffer_;  // of one read
  std::vector<std::string> notices_;
  bool told_of_compressed_ = false;
  std::string told_of_;  // the last trouble with a directory or a file
};

/// "a{b,c}d" is "abd" and "acd".
std::vector<std::string> ExpandBraces(std::string_view pattern);

/// "app.log.1" and "app-20260301.log" are names of a copy of "app.log"; "app.log" is none of "app.log.1".
bool IsNameOfCopy(std::string_view original, std::string_view candidate);

}  // namespace sluice::tools
