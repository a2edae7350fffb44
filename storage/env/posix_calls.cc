// errno in words.
#include "storage/env/posix_calls.h"

#include <fmt/format.h>

#include <system_error>

#include "protocol/check.h"

namespace sluice::storage {

Status ErrnoStatus(int error, std::string_view action, const std::string& path) {
  SLUICE_CHECK(error != 0);
  std::string text = fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return Status(Code::kNotFound, std::move(text));
    case EEXIST:
      return Status(Code::kAlreadyExists, std::move(text));
    case ENOSPC:
    case EDQUOT:
      return Status(Code::kResourceExhausted, text + "; free space on this disk");
    case EMFILE:
    case ENFILE:
      return Status(Code::kResourceExhausted, text + "; raise the limit on open files (ulimit -n)");
    default:
      return Status(Code::kIoError, std::move(text));
  }
}

Status SyncFailed(int error, const std::string& path) {
  return Status(Code::kIoError, fmt::format("cannot sync {}: {}; what it holds since the last sync is unknown", path,
                                            std::generic_category().message(error)));
}

}  // namespace sluice::storage
