// A file that is tailed: open, read from its position, and checked for being the one that it was.
//
// A file that was truncated, or written anew under the same inode, shows by its size or by the bytes in front of the
// position: they are compared before each read. Threads: one.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/agent/file_position.h"

namespace sluice::tools {

class TrackedFile {
 public:
  static constexpr std::uint64_t kHeadBytes = 1024;
  static constexpr std::uint64_t kTailBytes = 64;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  explicit TrackedFile(FilePosition position) : position_(std::move(position)) {}
  ~TrackedFile() { Close(); }
  TrackedFile(const TrackedFile&) = delete;
  TrackedFile& operator=(const TrackedFile&) = delete;

  /// Opens `path` where it is still this file (device and inode). False where it is not, or cannot be read.
  bool Open(const std::string& path);
  void Close();
  bool is_open() const { return descriptor_ >= 0; }

  /// Looks at the open file's size and times.
  void Look();
  std::uint64_t size() const { return size_; }
  std::int64_t modified_ns() const { return modified_ns_; }
  /// Removed: nobody finds it by a name any more.
  bool removed() const { return links_ == 0; }

  /// What was read is still what stands in front of the position. False also where the file has become shorter.
  bool Unchanged() const { return Fits(position_); }
  /// This file has, in front of that position, the bytes that it was read from.
  bool Fits(const FilePosition& position) const;
  /// Up to `bytes` from `offset`, in `buffer`; fewer at the end of the file, none where reading fails.
  std::string_view Read(std::uint64_t offset, std::size_t bytes, std::string& buffer) const;

  const FilePosition& position() const { return position_; }
  FilePosition& position() { return position_; }
  /// `bytes` from the position on are dealt with.
  void Advance(std::string_view bytes);
  /// To an offset whose bytes in front were not read: the marks are taken from the file.
  void MoveTo(std::uint64_t offset);
  /// The file begins anew, under the name that it has now.
  void Restart(std::uint64_t header_lines);
  /// This file has the bytes that `from` was read from: it goes on there, or stands at its end where it is shorter.
  void TakeOver(const FilePosition& from);

  // What the tailer notes about it:
  TrackedFile* original = nullptr;    // while it is held: what it is a copy of
  std::uint64_t held_size = 0;        // its size when it was last found to be one
  bool adopted = false;               // it goes on where a truncated file was
  bool superseded = false;            // its name leads to another file, or to none
  std::int64_t changed_ms = 0;        // monotonic; when size or position last changed
  std::uint64_t noted_size = kNever;  // when it was last looked at, also where not all of it was read
  std::int64_t noted_modified_ns = 0;
  std::uint64_t looked_size = kNever;  // when its records were last looked for
  std::int64_t looked_modified_ns = 0;

 private:
  FilePosition position_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t modified_ns_ = 0;
  std::uint64_t links_ = 1;
  std::string head_;  // the bytes behind position_.head, as far as they were read by this process
  std::string tail_;
};

/// Whether two open files have the same bytes: the first kHeadBytes and the last kTailBytes of the first `bytes`.
bool SameBytes(const TrackedFile& a, const TrackedFile& b, std::uint64_t bytes);

}  // namespace sluice::tools
