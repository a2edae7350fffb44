// Two buffers: one is checked while the other is filled.
#include "tools/bench/scan_bound.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <string_view>

#include "protocol/check.h"
#include "protocol/crc32c.h"
#include "tools/bench/cold_file.h"
#include "tools/bench/native_load.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kFileBytes = std::size_t{1} << 30;
constexpr std::size_t kPieceBytes = 8u << 20;
constexpr std::size_t kAlignment = 4096;

using Buffer = std::unique_ptr<char[], decltype(&std::free)>;

Buffer NewBuffer() {
  Buffer buffer(static_cast<char*>(std::aligned_alloc(kAlignment, kPieceBytes)), &std::free);
  SLUICE_CHECK(buffer != nullptr);
  std::memset(buffer.get(), 0, kPieceBytes);  // the memory itself is not what is measured
  return buffer;
}

}  // namespace

Result<double> MeasureScanBound(const std::string& dir) {
  auto file = MakeColdFile(dir, kFileBytes);
  if (!file) return Error(file.error());
  fcntl(*file, F_SETFL, O_DIRECT);  // where the file system cannot, it stays as it is
  std::array<Buffer, 2> buffers = {NewBuffer(), NewBuffer()};
  const auto read = [&](std::size_t piece) {
    return std::async(std::launch::async, [to = buffers[piece % 2].get(), fd = *file, piece] {
      return pread(fd, to, kPieceBytes, static_cast<off_t>(piece * kPieceBytes));
    });
  };
  const auto start = std::chrono::steady_clock::now();
  std::uint32_t sum = 0;
  auto next = read(0);
  for (std::size_t piece = 0; piece < kFileBytes / kPieceBytes; ++piece) {
    const bool whole = next.get() == static_cast<ssize_t>(kPieceBytes);
    if (!whole) {
      close(*file);
      return Error(Code::kIoError, fmt::format("cannot read a file in {}", dir));
    }
    next = read(piece + 1);  // the last one is at the end of the file and reads nothing
    const std::string_view bytes(buffers[piece % 2].get(), kPieceBytes);
    for (std::size_t at = 0; at < kPieceBytes; at += kRecordBytes) {
      sum ^= protocol::Crc32c(bytes.substr(at, kRecordBytes));
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  next.wait();
  close(*file);
  // The sum is used, so that its making cannot be left out: the bytes are all the same, so it is 0 for an even number.
  SLUICE_CHECK(sum == 0);
  return seconds;
}

}  // namespace sluice::tools
