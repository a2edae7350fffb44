// Bytes are collected and go to the file in pieces of whole pages.
#include "broker/delivery/file_spool.h"

#include <fmt/format.h>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;  // a disk's flush waits some 0.3 ms behind one
constexpr std::size_t kReadBytes = 1u << 20;
static_assert(kPieceBytes % storage::kPageBytes == 0);

}  // namespace

Status DirectoryProblem(const Status& status, std::string_view directory) {
  if (status.ok() || status.code() == Code::kCorruption) return status;
  return Status(Code::kUnavailable,
                fmt::format("cannot write to {}: {}; nothing is lost, delivery waits and goes on by itself once the "
                            "directory can be written",
                            directory, status.message()));
}

Result<std::unique_ptr<FileSpool>> FileSpool::Make(storage::Env& env, std::string path, storage::Access access,
                                                   SpoolFile use, std::string directory) {
  // A file of an earlier try may hold anything, also what a failed sync left: start with a new one.
  if (Status status = env.Remove(path); !status.ok() && status.code() != Code::kNotFound)
    return Error(DirectoryProblem(status, directory));
  Result<std::unique_ptr<storage::File>> file = env.Open(path, storage::OpenMode::kCreate, access);
  if (!file) return Error(DirectoryProblem(file.error(), directory));
  return std::make_unique<FileSpool>(std::move(*file), std::move(path), use, std::move(directory));
}

FileSpool::FileSpool(std::unique_ptr<storage::File> file, std::string path, SpoolFile use, std::string directory)
    : file_(std::move(file)), path_(std::move(path)), use_(use), directory_(std::move(directory)) {
  SLUICE_CHECK(file_ != nullptr);
}

Status FileSpool::Write(std::string_view bytes) {
  checksum_.Add(bytes);
  while (buffer_.size() + bytes.size() >= kPieceBytes) {
    const std::size_t taken = kPieceBytes - buffer_.size();
    const std::string_view pieces[] = {buffer_, bytes.substr(0, taken)};
    const Status status =
        use_ == SpoolFile::kBecomesObject ? file_->WriteBulk(written_, pieces) : file_->Write(written_, pieces);
    if (!status.ok()) return DirectoryProblem(status, directory_);
    written_ += kPieceBytes;
    buffer_.clear();
    bytes.remove_prefix(taken);
  }
  buffer_.append(bytes);
  return Status();
}

Status FileSpool::Flush() {
  if (Status status = file_->Write(written_, buffer_); !status.ok()) return DirectoryProblem(status, directory_);
  written_ += buffer_.size();
  buffer_.clear();
  SLUICE_CHECK(written_ == bytes());
  return Status();
}

Status FileSpool::Sync() {
  if (Status status = Flush(); !status.ok()) return status;
  return DirectoryProblem(file_->Sync(), directory_);
}

Status FileSpool::ReadBack(const std::function<Status(std::string_view piece)>& take) {
  SLUICE_CHECK(buffer_.empty());
  std::string piece(kReadBytes, '\0');
  for (std::uint64_t at = 0; at < bytes();) {
    const Result<std::size_t> read = file_->Read(at, std::span(piece.data(), piece.size()));
    if (!read) return DirectoryProblem(read.error(), directory_);
    if (*read == 0) return Status(Code::kCorruption, fmt::format("'{}' has become shorter", path_));
    if (Status status = take(std::string_view(piece).substr(0, *read)); !status.ok()) return status;
    at += *read;
  }
  return Status();
}

}  // namespace sluice::delivery
