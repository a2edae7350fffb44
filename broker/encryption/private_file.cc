// Reading, after a look at who else may.
#include "broker/encryption/private_file.h"

#include <fmt/format.h>

namespace sluice::broker {

Result<std::string> ReadPrivateFile(storage::Env& env, const std::string& path, std::uint64_t bytes_max) {
  auto file = env.Open(path, storage::OpenMode::kRead);
  if (!file) return Error(file.error());
  const auto open_to_others = env.OpenToOthers(path);
  if (!open_to_others) return Error(open_to_others.error());
  if (*open_to_others) {
    return Error(Code::kFailedPrecondition, fmt::format("{} may be read by everybody, or changed by others than its "
                                                        "owner; run 'chmod 640' or 'chmod 600' on it",
                                                        path));
  }
  const auto size = (*file)->Size();
  if (!size) return Error(size.error());
  if (*size > bytes_max) {
    return Error(Code::kInvalidArgument, fmt::format("{} has {} bytes; at most {} are read", path, *size, bytes_max));
  }
  std::string text(*size, '\0');
  const auto got = (*file)->Read(0, text);
  if (!got) return Error(got.error());
  text.resize(*got);
  return text;
}

}  // namespace sluice::broker
