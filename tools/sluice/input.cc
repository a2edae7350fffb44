// Line reading for `sluice put`.
#include "tools/sluice/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace sluice::tools {

namespace {

constexpr std::size_t kReadBytes = 1u << 20;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

class LineReader {
 public:
  LineReader(RecordParser& parser, const std::function<bool(const InputLine&)>& take) : parser_(parser), take_(take) {}

  /// False where `take` asked to stop.
  Result<bool> ReadFile(const std::string& name) {
    std::unique_ptr<std::FILE, CloseFile> file(name == "-" ? stdin : std::fopen(name.c_str(), "rb"));
    if (!file) {
      return Error(errno == ENOENT ? Code::kNotFound : Code::kIoError,
                   fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    }
    parser_.StartFile();
    line_ = InputLine{.text = {}, .file = name, .number = 0, .bytes_read = line_.bytes_read};
    buffer_.clear();
    while (true) {
      const std::size_t had = buffer_.size();
      buffer_.resize(had + kReadBytes);
      const std::size_t got = std::fread(buffer_.data() + had, 1, kReadBytes, file.get());
      buffer_.resize(had + got);
      line_.bytes_read += got;
      if (got == 0 && std::ferror(file.get()) != 0) {
        return Error(Code::kIoError, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
      }
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
