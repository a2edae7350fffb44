// Filled through the page cache, as any program would.
#include "tools/bench/cold_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace sluice::tools {

namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

Status SystemError(const char* what) {
  return Status(Code::kIoError, fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

Result<int> MakeColdFile(const std::string& dir, std::uint64_t bytes) {
  const std::string path = dir + "/cold_file.bin";
  const int fd = open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Error(SystemError("cannot make a file"));
  unlink(path.c_str());
  const std::vector<char> piece(kPieceBytes, 'x');
  for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
    if (pwrite(fd, piece.data(), piece.size(), static_cast<off_t>(at)) < 0)
      return Error(SystemError("cannot fill a file"));
  }
  if (fdatasync(fd) != 0) return Error(SystemError("cannot flush a file"));
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  return fd;
}

}  // namespace sluice::tools
