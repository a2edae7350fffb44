// A directory, and a remote store behind broker/delivery's own reader.
#include "tools/verify/bucket_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <utility>

#include "broker/delivery/bucket_root.h"
#include "broker/delivery/remote_files.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParquetMagic = "PAR1";
constexpr std::uint64_t kEndBytes = 64u << 10;  // of a Parquet file: its footer is there, or its length is
constexpr std::size_t kFooterTailBytes = 8;     // length and magic

const std::atomic<bool> kNeverStopping = false;

class FileInPlace final : public LocalObject {
 public:
  explicit FileInPlace(std::string path) : path_(std::move(path)) {}
  const std::string& path() const override { return path_; }

 private:
  std::string path_;
};

class DirectoryFiles final : public BucketFiles {
 public:
  explicit DirectoryFiles(std::string directory) : directory_(std::move(directory)) {}

  Result<std::vector<std::string>> Keys() override {
    std::error_code error;
    if (!fs::exists(directory_, error))
      return Error(Code::kNotFound, fmt::format("the lake directory '{}' does not exist", directory_));
    std::vector<std::string> keys;
    fs::recursive_directory_iterator it(directory_, error), end;
    for (; !error && it != end; it.increment(error)) {
      if (it->is_directory() && it->path().filename().string().starts_with('.')) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file()) {
        keys.push_back(it->path().lexically_relative(directory_).generic_string());
      }
    }
    if (error) return Error(Code::kIoError, fmt::format("cannot list '{}': {}", directory_, error.message()));
    std::ranges::sort(keys);
    return keys;
  }

  Result<std::unique_ptr<LocalObject>> Fetch(const std::string& key) override {
    return std::make_unique<FileInPlace>((fs::path(directory_) / key).string());
  }
  Result<std::unique_ptr<LocalObject>> FetchFacts(const std::string& key) override { return Fetch(key); }

 private:
  std::string directory_;
};

/// A new file of our own, removed in the end. Its name ends as the key does: the ending says what some objects are.
class TemporaryFile final : public LocalObject {
 public:
  static Result<std::unique_ptr<TemporaryFile>> Make(const std::string& key) {
    std::error_code error;
    const fs::path place = fs::temp_directory_path(error);
    const std::string ending = fs::path(key).extension().string();
    std::string path = ((error ? fs::path("/tmp") : place) / ("sluice-object-XXXXXX" + ending)).string();
    const int fd = ::mkstemps(path.data(), static_cast<int>(ending.size()));
    if (fd < 0) return Error(Code::kIoError, fmt::format("cannot make '{}', to copy an object there", path));
    ::close(fd);
    return std::make_unique<TemporaryFile>(std::move(path));
  }
  explicit TemporaryFile(std::string path) : path_(std::move(path)), file_(path_, std::ios::binary) {}
  ~TemporaryFile() override {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const std::string& path() const override { return path_; }

  Status Write(std::uint64_t at, std::string_view bytes) {
    file_.seekp(static_cast<std::streamoff>(at));
    file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file_.flush();
    return file_ ? Status() : Status(Code::kIoError, fmt::format("cannot write '{}': is the disk full?", path_));
  }

 private:
  std::string path_;
  std::ofstream file_;
};

class CopiedFiles final : public BucketFiles {
 public:
  CopiedFiles(delivery::BucketRoot root, const delivery::StoreSettings& stores)
      : files_(std::move(root), stores, kNeverStopping) {}

  Result<std::vector<std::string>> Keys() override {
    const Result<std::vector<delivery::RemoteFile>> files = files_.List();
    if (!files) return Error(files.error());
    std::vector<std::string> keys;
    for (const delivery::RemoteFile& file : *files) {
      if (!file.key.starts_with('.') && !file.key.contains("/.")) keys.push_back(file.key);
    }
    return keys;
  }

  Result<std::unique_ptr<LocalObject>> Fetch(const std::string& key) override {
    Result<std::unique_ptr<TemporaryFile>> copy = TemporaryFile::Make(key);
    if (!copy) return Error(copy.error());
    std::uint64_t at = 0;
    Status status = files_.Read(key, [&](std::string_view piece) {
      Status written = (*copy)->Write(at, piece);
      at += piece.size();
      return written;
    });
    if (!status.ok()) return Error(std::move(status));
    return std::move(*copy);
  }

  Result<std::unique_ptr<LocalObject>> FetchFacts(const std::string& key) override {
    const Result<std::optional<std::uint64_t>> size = files_.Size(key);
    if (!size) return Error(size.error());
    if (!*size || **size <= kEndBytes) return Fetch(key);
    Result<std::string> end = files_.ReadAt(key, **size - kEndBytes, kEndBytes);
    if (!end) return Error(end.error());
    if (!end->ends_with(kParquetMagic)) return Fetch(key);
    if (const std::uint64_t wanted = FooterBytes(*end); wanted > end->size()) {
      if (wanted > **size) return Fetch(key);
      end = files_.ReadAt(key, **size - wanted, wanted);
      if (!end) return Error(end.error());
    }
    Result<std::unique_ptr<TemporaryFile>> copy = TemporaryFile::Make(key);
    if (!copy) return Error(copy.error());
    Status status = (*copy)->Write(0, kParquetMagic);
    if (status.ok()) status = (*copy)->Write(**size - end->size(), *end);
    if (!status.ok()) return Error(std::move(status));
    return std::move(*copy);
  }

 private:
  /// Of a Parquet file's last bytes, with length and magic.
  static std::uint64_t FooterBytes(std::string_view end) {
    const std::string_view tail = end.substr(end.size() - kFooterTailBytes);
    std::uint64_t length = 0;
    for (std::size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(tail[i]);
    return length + kFooterTailBytes;
  }

  delivery::RemoteFiles files_;
};

}  // namespace

Result<std::unique_ptr<BucketFiles>> BucketFiles::Open(const std::string& place,
                                                       const delivery::StoreSettings& stores) {
  Result<delivery::BucketRoot> root = delivery::ParseBucketRoot(place);
  if (!root) return Error(root.error());
  if (root->kind == delivery::StoreKind::kDirectory) return std::make_unique<DirectoryFiles>(std::move(root->place));
  return std::make_unique<CopiedFiles>(std::move(*root), stores);
}

}  // namespace sluice::tools
