// A spool in a local file: what every object store collects an object's bytes in.
//
// Threads: one. Crash behaviour: the file stays behind and is replaced by the next spool of its name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/checksum.h"
#include "broker/delivery/object_store.h"
#include "storage/env/env.h"

namespace sluice::delivery {

/// Whatever the disk says, the records are safe in the log: kUnavailable, with what is to be done. `directory` names
/// it: "the lake directory '/srv/lake/raw'".
Status DirectoryProblem(const Status& status, std::string_view directory);

/// What becomes of a spool's file. One that becomes an object goes to the disk piece by piece as it is written, past
/// the page cache: its sync would write all of it at once otherwise, and whoever flushes on the same disk would wait
/// behind that, such as each acknowledgement of a put.
enum class SpoolFile { kBecomesObject, kIsReadBack };

class FileSpool final : public ObjectSpool {
 public:
  /// A new, empty file at `path`, in a directory that exists. Errors are DirectoryProblems of `directory`.
  static Result<std::unique_ptr<FileSpool>> Make(storage::Env& env, std::string path, storage::Access access,
                                                 SpoolFile use, std::string directory);

  FileSpool(std::unique_ptr<storage::File> file, std::string path, SpoolFile use, std::string directory);

  Status Write(std::string_view bytes) override;
  std::uint64_t bytes() const override { return checksum_.bytes(); }
  std::uint64_t checksum() const override { return checksum_.value(); }

  /// Puts into the file what is still in memory.
  Status Flush();
  /// The same, and makes the file durable.
  Status Sync();
  /// All bytes, in order, in pieces; after Flush. Ends with the first error of `take`.
  Status ReadBack(const std::function<Status(std::string_view piece)>& take);

  const std::string& path() const { return path_; }

 private:
  std::unique_ptr<storage::File> file_;
  std::string path_;
  SpoolFile use_;
  std::string directory_;
  Checksum checksum_;
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace sluice::delivery
