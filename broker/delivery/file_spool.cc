// Small writes are collected, large ones go to the file as they are.
#include "broker/delivery/file_spool.h"

#include <fmt/format.h>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kBufferBytes = 1u << 20;

}  // namespace

Status DirectoryProblem(const Status& status, std::string_view directory) {
  if (status.ok() || status.code() == Code::kCorruption) return status;
  return Status(Code::kUnavailable,
                fmt::format("cannot write to {}: {}; nothing is lost, delivery waits and goes on by itself once the "
                            "directory can be written",
                            directory, status.message()));
}

Result<std::unique_ptr<FileSpool>> FileSpool::Make(storage::Env& env, std::string path, storage::Access access,
                                                   std::string directory) {
  // A file of an earlier try may hold anything, also what a failed sync left: start with a new one.
  if (Status status = env.Remove(path); !status.ok() && status.code() != Code::kNotFound)
    return Error(DirectoryProblem(status, directory));
  Result<std::unique_ptr<storage::File>> file = env.Open(path, storage::OpenMode::kCreate, access);
  if (!file) return Error(DirectoryProblem(file.error(), directory));
  return std::make_unique<FileSpool>(std::move(*file), std::move(path), std::move(directory));
}

FileSpool::FileSpool(std::unique_ptr<storage::File> file, std::string path, std::string directory)
    : file_(std::move(file)), path_(std::move(path)), directory_(std::move(directory)) {
  SLUICE_CHECK(file_ != nullptr);
}

Status FileSpool::Write(std::string_view bytes) {
  checksum_.Add(bytes);
  if (buffer_.size() + bytes.size() < kBufferBytes) {
    buffer_.append(bytes);
    return Status();
  }
  const std::string_view pieces[] = {buffer_, bytes};
  const Status status = file_->Write(written_, pieces);
  written_ += buffer_.size() + bytes.size();
  buffer_.clear();
  return DirectoryProblem(status, directory_);
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
  std::string piece(kBufferBytes, '\0');
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
