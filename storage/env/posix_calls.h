// What every system call of storage/env needs: descriptors that close themselves, and errno as a Status.
//
// Threads: any.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/status.h"

namespace sluice::storage {

/// "cannot <action> <path>: <why>", with what to do where that is known.
Status ErrnoStatus(int error, std::string_view action, const std::string& path);

/// A failed sync, whatever its errno: the data may be gone and the next sync would not say so.
Status SyncFailed(int error, const std::string& path);

/// Calls a system call until it is not interrupted by a signal.
template <typename SystemCall>
auto Uninterrupted(SystemCall call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

/// Closed at the end; below 0 there is none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace sluice::storage
