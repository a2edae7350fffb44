// Journal and shard files as bare as they can be.
#include "tools/bench/layout_bound.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

namespace sluice::tools {

namespace {

constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kJournalBytes = 1u << 30;
constexpr std::size_t kShardFileBytes = 64u << 20;  // started over at this size

Status SystemError(const char* what) {
  return Status(Code::kIoError, fmt::format("{}: {}", what, std::strerror(errno)));
}

Result<int> NewFile(const std::string& path, std::size_t filled_bytes) {
  const int fd = open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Error(SystemError("cannot make a file"));
  unlink(path.c_str());
  const std::vector<char> zeros(1u << 20);
  for (std::size_t at = 0; at < filled_bytes; at += zeros.size()) {
    if (pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) < 0)
      return Error(SystemError("cannot fill a file"));
  }
  if (fsync(fd) != 0) return Error(SystemError("cannot flush a file"));
  return fd;
}

struct Files {
  int journal = -1;
  std::vector<int> shards;
  ~Files() {
    if (journal >= 0) close(journal);
    for (const int fd : shards) close(fd);
  }
};

}  // namespace

Result<double> MeasureLayoutBound(const LayoutBoundOptions& options) {
  Files files;
  auto journal = NewFile(options.dir + "/layout_bound.journal", kJournalBytes);
  if (!journal) return Error(journal.error());
  files.journal = *journal;
  for (int i = 0; i < options.shards; ++i) {
    auto shard = NewFile(fmt::format("{}/layout_bound.{}", options.dir, i), options.recycled ? kShardFileBytes : 0);
    if (!shard) return Error(shard.error());
    files.shards.push_back(*shard);
  }
  const std::vector<char> group(kPieceBytes * static_cast<std::size_t>(options.shards), 'x');
  std::size_t journal_at = 0;
  std::size_t shard_at = 0;
  std::uint64_t total = 0;
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  while (seconds < options.seconds) {
    if (journal_at + group.size() > kJournalBytes) journal_at = 0;
    if (pwrite(files.journal, group.data(), group.size(), static_cast<off_t>(journal_at)) < 0)
      return Error(SystemError("journal"));
    if (fdatasync(files.journal) != 0) return Error(SystemError("journal"));
    journal_at += group.size();
    if (options.recycled && shard_at + kPieceBytes > kShardFileBytes) shard_at = 0;
    for (const int fd : files.shards) {
      if (pwrite(fd, group.data(), kPieceBytes, static_cast<off_t>(shard_at)) < 0)
        return Error(SystemError("shard file"));
    }
    shard_at += kPieceBytes;
    total += group.size();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return static_cast<double>(total) / 1e6 / seconds;
}

}  // namespace sluice::tools
