// Over Arrow's file systems. What they promise of a stream that is not closed differs: see Abandon.
#include "broker/delivery/remote_files.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kReadBytes = 1 << 20;
constexpr std::uint64_t kInFlightBytesMax = 64u << 20;  // parts of an upload that are in memory

struct Advice {
  std::string_view words;  // in the store's message
  std::string_view advice;
};

constexpr std::string_view kCredentials =
    "the credentials are wrong, have expired or may not do this: check the settings ([delivery.s3], [delivery.google], "
    "[delivery.azure]) or the environment that they come from, and the bucket's policy";
constexpr std::string_view kNoBucket = "there is no such bucket: make it, or correct its place in [delivery.buckets]";
constexpr std::string_view kNoServer = "the store cannot be reached: is it up, and is the endpoint right?";
constexpr std::string_view kFull = "the store is full, or its quota is used up: make room";
constexpr std::string_view kNoChecksums =
    "the store may not take checksums behind the body of an upload: if so, set delivery.s3.upload_checksums = false";
constexpr std::array kAdvices = {
    Advice{"StorageFull", kFull},
    Advice{"InsufficientStorage", kFull},
    Advice{"QuotaExceeded", kFull},  // with the status 403
    Advice{"HTTP status 507", kFull},
    Advice{"NO_SUCH_BUCKET", kNoBucket},
    Advice{"ContainerNotFound", kNoBucket},
    Advice{"NOT_FOUND:", kNoBucket},
    Advice{"ACCESS_DENIED", kCredentials},
    Advice{"INVALID_ACCESS_KEY_ID", kCredentials},
    Advice{"SIGNATURE_DOES_NOT_MATCH", kCredentials},
    Advice{"INVALID_CLIENT_TOKEN_ID", kCredentials},
    Advice{"MISSING_AUTHENTICATION_TOKEN", kCredentials},
    Advice{"ExpiredToken", kCredentials},
    Advice{"InvalidToken", kCredentials},
    Advice{"HTTP status 403", kCredentials},
    Advice{"AuthenticationFailed", kCredentials},
    Advice{"AuthorizationFailure", kCredentials},
    Advice{"AuthorizationPermissionMismatch", kCredentials},
    Advice{"UNAUTHENTICATED", kCredentials},
    Advice{"PERMISSION_DENIED", kCredentials},
    Advice{"HTTP status 411", kNoChecksums},
    Advice{"HTTP status 501", kNoChecksums},
    Advice{"NETWORK_CONNECTION", kNoServer},
    Advice{"curlCode", kNoServer},
    Advice{"Could not connect", kNoServer},
    Advice{"Couldn't connect", kNoServer},
    Advice{"Fail to get a new connection", kNoServer},
};

/// One line of the store's words, without repetition of what we say.
std::string OneLine(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::erase(text, '\r');
  return text;
}

Status Problem(std::string_view what, std::string_view message) {
  const auto fits = [&](const Advice& advice) { return message.contains(advice.words); };
  const auto found = std::ranges::find_if(kAdvices, fits);
  return Status(Code::kUnavailable,
                fmt::format("{}: {}{}{}", what, OneLine(std::string(message)), found == kAdvices.end() ? "" : "; ",
                            found == kAdvices.end() ? "" : found->advice));
}

/// The AWS SDK compares what it reads with the checksum that the store keeps.
bool IsDamage(const arrow::Status& status) { return status.message().contains("checksums mismatch"); }

/// Google would undo a Content-Encoding for readers that do not ask for it, and so give them other bytes.
std::shared_ptr<const arrow::KeyValueMetadata> ObjectHeaders(StoreKind kind, std::string_view content_encoding) {
  auto headers = arrow::key_value_metadata({"Content-Type"}, {"application/octet-stream"});
  if (!content_encoding.empty() && kind != StoreKind::kGoogle)
    headers->Append("Content-Encoding", std::string(content_encoding));
  return headers;
}

}  // namespace

RemoteFiles::RemoteFiles(BucketRoot root, StoreSettings settings, const std::atomic<bool>& stopping)
    : root_(WithSettings(std::move(root), settings)), settings_(std::move(settings)), stopping_(stopping) {
  SLUICE_CHECK(root_.kind != StoreKind::kDirectory);
}

RemoteFiles::~RemoteFiles() = default;

Result<OpenedRoot> RemoteFiles::Opened() {
  const std::lock_guard lock(mutex_);
  if (opened_) return *opened_;
  Result<OpenedRoot> opened = OpenRoot(root_, settings_, stopping_);
  if (!opened) return Error(Problem(fmt::format("cannot open {}", Where()), opened.error().message()));
  opened_ = *opened;
  return opened;
}

std::string RemoteFiles::PathOf(const OpenedRoot& opened, std::string_view key) const {
  return fmt::format("{}/{}", opened.path, key);
}

/// "s3://lake/raw at http://127.0.0.1:9000".
std::string RemoteFiles::Where() const {
  const std::string place = fmt::format("{}://{}", root_.scheme, root_.place);
  const auto endpoint = root_.query.find("endpoint_override");
  if (endpoint == root_.query.end()) return place;
  const auto scheme = root_.query.find("scheme");
  return fmt::format("{} at {}://{}", place, scheme == root_.query.end() ? "https" : scheme->second, endpoint->second);
}

Status RemoteFiles::CheckBucket() {
  const Result<OpenedRoot> opened = Opened();
  if (!opened) return opened.error();
  const std::string bucket = opened->path.substr(0, opened->path.find('/'));
  const arrow::Result<arrow::fs::FileInfo> info = opened->files->GetFileInfo(bucket);
  const std::string what = fmt::format("cannot use bucket '{}' ({})", bucket, Where());
  if (!info.ok()) return Problem(what, info.status().message());
  if (info->type() == arrow::fs::FileType::NotFound) return Problem(what, kNoBucket);
  return Status();
}

Result<std::optional<std::uint64_t>> RemoteFiles::Size(std::string_view key) {
  const Result<OpenedRoot> opened = Opened();
  if (!opened) return Error(opened.error());
  const arrow::Result<arrow::fs::FileInfo> info = opened->files->GetFileInfo(PathOf(*opened, key));
  if (!info.ok())
    return Error(Problem(fmt::format("cannot look at object '{}' in {}", key, Where()), info.status().message()));
  if (info->type() != arrow::fs::FileType::File) return std::nullopt;
  return static_cast<std::uint64_t>(info->size());
}

Status RemoteFiles::Read(std::string_view key, const TakePiece& take) {
  const Result<std::optional<std::uint64_t>> size = Size(key);
  if (!size) return size.error();
  if (!*size) return Status(Code::kNotFound, fmt::format("there is no object '{}' in {}", key, Where()));
  const Result<OpenedRoot> opened = Opened();
  if (!opened) return opened.error();
  const auto problem = [&](const arrow::Status& status) {
    Status problem = Problem(fmt::format("cannot read object '{}' in {}", key, Where()), status.message());
    return IsDamage(status) ? Status(Code::kCorruption, problem.message()) : problem;
  };
  const auto stream = opened->files->OpenInputStream(PathOf(*opened, key));
  if (!stream.ok()) return problem(stream.status());
  std::string piece(kReadBytes, '\0');
  for (;;) {
    const arrow::Result<std::int64_t> read = (*stream)->Read(kReadBytes, piece.data());
    if (!read.ok()) return problem(read.status());
    if (*read == 0) return Status();
    if (Status status = take(std::string_view(piece).substr(0, static_cast<std::size_t>(*read))); !status.ok())
      return status;
  }
}

Result<std::string> RemoteFiles::ReadAt(std::string_view key, std::uint64_t offset, std::uint64_t bytes) {
  const Result<OpenedRoot> opened = Opened();
  if (!opened) return Error(opened.error());
  const auto problem = [&](const std::string& message) {
    return Error(Problem(fmt::format("cannot read object '{}' in {}", key, Where()), message));
  };
  const auto file = opened->files->OpenInputFile(PathOf(*opened, key));
  if (!file.ok()) return problem(file.status().message());
  std::string read(bytes, '\0');
  const arrow::Result<std::int64_t> got =
      (*file)->ReadAt(static_cast<std::int64_t>(offset), static_cast<std::int64_t>(bytes), read.data());
  if (!got.ok()) return problem(got.status().message());
  if (static_cast<std::uint64_t>(*got) != bytes) return problem("it has become shorter");
  return read;
}

namespace {

/// Takes back what was written so far. A stream that is let go without this would make an object of it. Google's knows
/// no way back: there the half object is removed.
void Abandon(StoreKind kind, arrow::fs::FileSystem& files, const std::string& path, arrow::io::OutputStream& stream) {
  (void)stream.Abort();
  if (kind == StoreKind::kGoogle) (void)files.DeleteFile(path);
}

}  // namespace

Status RemoteFiles::Write(std::string_view key, std::string_view content_encoding,
                          const std::function<Status(const TakePiece&)>& give) {
  const Result<OpenedRoot> opened = Opened();
  if (!opened) return opened.error();
  const std::string path = PathOf(*opened, key);
  const auto problem = [&](const arrow::Status& status) {
    return status.ok() ? Status()
                       : Problem(fmt::format("cannot write object '{}' to {}", key, Where()), status.message());
  };
  const auto stream = opened->files->OpenOutputStream(path, ObjectHeaders(root_.kind, content_encoding));
  if (!stream.ok()) return problem(stream.status());
  std::uint64_t in_flight = 0;
  Status status = give([&](std::string_view piece) {
    if (stopping_) return Status(Code::kUnavailable, "the broker is stopping");
    arrow::Status wrote = (*stream)->Write(piece.data(), static_cast<std::int64_t>(piece.size()));
    in_flight += piece.size();
    if (wrote.ok() && in_flight >= kInFlightBytesMax) {
      wrote = (*stream)->Flush();  // parts are sent beside this thread: wait for them
      in_flight = 0;
    }
    return problem(wrote);
  });
  if (status.ok()) status = problem((*stream)->Close());
  if (!status.ok()) Abandon(root_.kind, *opened->files, path, **stream);
  return status;
}

Result<std::vector<RemoteFile>> RemoteFiles::List() {
  const Result<OpenedRoot> opened = Opened();
  if (!opened) return Error(opened.error());
  arrow::fs::FileSelector below;
  below.base_dir = opened->path;
  below.recursive = true;
  below.allow_not_found = true;
  const arrow::Result<std::vector<arrow::fs::FileInfo>> infos = opened->files->GetFileInfo(below);
  if (!infos.ok()) return Error(Problem(fmt::format("cannot list {}", Where()), infos.status().message()));
  std::vector<RemoteFile> files;
  for (const arrow::fs::FileInfo& info : *infos) {
    if (info.type() != arrow::fs::FileType::File) continue;
    files.push_back({info.path().substr(opened->path.size() + 1), static_cast<std::uint64_t>(info.size())});
  }
  std::ranges::sort(files, {}, &RemoteFile::key);
  return files;
}

}  // namespace sluice::delivery
