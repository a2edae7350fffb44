// Line reading for `sluice put`.
#include "tools/sluice/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tools/sluice/interrupt.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kReadBytes = 256u << 10;

/// A file to read, or standard input. Read by the system's call and not through stdio, which would wait until its
/// buffer is full: what comes slowly out of a pipe must not lie here.
class InputFile {
 public:
  explicit InputFile(const std::string& name)
      : own_(name != "-"), descriptor_(own_ ? ::open(name.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO) {}
  ~InputFile() {
    if (own_ && descriptor_ >= 0) ::close(descriptor_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  /// As read(2), but interrupted only where the user wants it.
  ssize_t Read(char* data, std::size_t size) const {
    ssize_t got = 0;
    do {
      got = ::read(descriptor_, data, size);
    } while (got < 0 && errno == EINTR && !Interrupted());
    return got;
  }

 private:
  const bool own_;
  const int descriptor_;
};

class LineReader {
 public:
  LineReader(RecordParser& parser, const std::function<bool(const InputLine&)>& take) : parser_(parser), take_(take) {}

  /// False where `take` asked to stop.
  Result<bool> ReadFile(const std::string& name) {
    const InputFile file(name);
    if (!file.is_open()) {
      return Error(errno == ENOENT ? Code::kNotFound : Code::kIoError,
                   fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    }
    parser_.StartFile();
    line_ = InputLine{.text = {}, .file = name, .number = 0, .bytes_read = line_.bytes_read};
    buffer_.clear();
    while (true) {
      const std::size_t had = buffer_.size();
      buffer_.resize(had + kReadBytes);
      const ssize_t got = file.Read(buffer_.data() + had, kReadBytes);
      if (Interrupted()) return false;
      if (got < 0) {
        return Error(Code::kIoError, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
      }
      buffer_.resize(had + static_cast<std::size_t>(got));
      line_.bytes_read += static_cast<std::uint64_t>(got);
      auto more = TakeLines(got == 0);
      if (!more || !*more || got == 0) return more;
    }
  }

 private:
  Result<bool> TakeLines(bool at_end) {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      std::size_t end = parser_.LogicalLineEnd(rest);
      if (end == std::string_view::npos && !at_end) break;
      end = std::min(end, rest.size());
      line_.text = rest.substr(0, end);
      ++line_.number;
      if (!take_(line_)) return false;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (rest.size() > kLineBytesMax) {
      return Error(Code::kInvalidArgument, fmt::format("{}:{}: the line is longer than {} MiB", line_.file,
                                                       line_.number + 1, kLineBytesMax >> 20));
    }
    buffer_.erase(0, buffer_.size() - rest.size());
    return true;
  }

  RecordParser& parser_;
  const std::function<bool(const InputLine&)>& take_;
  std::string buffer_;
  InputLine line_;
};

}  // namespace

Status ForEachLine(const std::vector<std::string>& files, RecordParser& parser,
                   const std::function<bool(const InputLine&)>& take) {
  LineReader reader(parser, take);
  const std::vector<std::string> standard_input{"-"};
  for (const std::string& file : files.empty() ? standard_input : files) {
    auto more = reader.ReadFile(file);
    if (!more) return more.error();
    if (!*more) break;
  }
  return {};
}

std::uint64_t TotalBytes(const std::vector<std::string>& files) {
  std::uint64_t total = 0;
  for (const std::string& file : files) {
    std::error_code error;
    const std::uint64_t bytes =
        std::filesystem::is_regular_file(file, error) ? std::filesystem::file_size(file, error) : 0;
    if (error || bytes == 0) return 0;
    total += bytes;
  }
  return total;
}

}  // namespace sluice::tools
