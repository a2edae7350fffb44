// System calls on one file.
#include "tools/agent/tracked_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "protocol/crc32c.h"

namespace sluice::tools {
namespace {

BytesMark MarkOf(std::string_view bytes) { return {bytes.size(), protocol::Crc32c(bytes)}; }

}  // namespace

bool TrackedFile::Open(const std::string& path) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) return false;
  struct stat status{};
  if (::fstat(opened, &status) != 0 || !S_ISREG(status.st_mode) || status.st_dev != position_.device ||
      status.st_ino != position_.inode) {
    ::close(opened);
    return false;
  }
  Close();
  descriptor_ = opened;
  position_.path = path;
  Look();
  return true;
}

void TrackedFile::Close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void TrackedFile::Look() {
  struct stat status{};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) return;
  size_ = static_cast<std::uint64_t>(status.st_size);
  modified_ns_ = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  links_ = status.st_nlink;
}

std::string_view TrackedFile::Read(std::uint64_t offset, std::size_t bytes, std::string& buffer) const {
  if (buffer.size() < bytes) buffer.resize(bytes);
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t more = ::pread(descriptor_, buffer.data() + got, bytes - got, static_cast<off_t>(offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  return {buffer.data(), got};
}

bool TrackedFile::Fits(const FilePosition& position) const {
  if (size_ < position.offset) return false;
  std::string buffer;
  const auto fits = [&](std::uint64_t at, const BytesMark& mark) {
    return MarkOf(Read(at, mark.bytes, buffer)) == mark;
  };
  return fits(0, position.head) && fits(position.offset - position.tail.bytes, position.tail);
}

void TrackedFile::Advance(std::string_view bytes) {
  // Where a former process has read the bytes in front, they are taken from the file, which was found unchanged.
  std::string buffer;
  if (head_.size() != position_.head.bytes) head_ = Read(0, position_.head.bytes, buffer);
  if (tail_.size() != position_.tail.bytes) {
    tail_ = Read(position_.offset - position_.tail.bytes, position_.tail.bytes, buffer);
  }
  if (head_.size() < kHeadBytes) head_.append(bytes.substr(0, kHeadBytes - head_.size()));
  tail_.append(bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size(), kTailBytes)));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  position_.offset += bytes.size();
  position_.head = MarkOf(head_);
  position_.tail = MarkOf(tail_);
}

void TrackedFile::MoveTo(std::uint64_t offset) {
  std::string buffer;
  head_ = Read(0, std::min(offset, kHeadBytes), buffer);
  const std::uint64_t tail_bytes = std::min(offset, kTailBytes);
  tail_ = Read(offset - tail_bytes, tail_bytes, buffer);
  position_.offset = offset;
  position_.head = MarkOf(head_);
  position_.tail = MarkOf(tail_);
}

void TrackedFile::Restart(std::uint64_t header_lines) {
  position_.name = std::filesystem::path(position_.path).filename().string();  // another file may have this inode now
  head_.clear();
  tail_.clear();
  position_.offset = 0;
  position_.head = {};
  position_.tail = {};
  position_.header_lines_left = header_lines;
  position_.cutting = false;
  looked_size = kNever;
}

void TrackedFile::TakeOver(const FilePosition& from) {
  position_.header_lines_left = from.header_lines_left;
  position_.cutting = from.cutting;
  looked_size = kNever;
  if (from.offset > size_) return MoveTo(size_);
  head_.clear();
  tail_.clear();
  position_.offset = from.offset;
  position_.head = from.head;
  position_.tail = from.tail;
}

bool SameBytes(const TrackedFile& a, const TrackedFile& b, std::uint64_t bytes) {
  std::string of_a;
  std::string of_b;
  const std::uint64_t head = std::min(bytes, TrackedFile::kHeadBytes);
  const std::uint64_t tail = std::min(bytes, TrackedFile::kTailBytes);
  return a.Read(0, head, of_a) == b.Read(0, head, of_b) &&
         a.Read(bytes - tail, tail, of_a) == b.Read(bytes - tail, tail, of_b);
}

}  // namespace sluice::tools
