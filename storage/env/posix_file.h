// A file of the operating system behind the File interface.
#pragma once

#include <memory>
#include <string>

#include "storage/env/env.h"
#include "storage/env/posix_calls.h"

namespace sluice::storage {

/// Takes the descriptor; `path` is for messages.
std::unique_ptr<File> NewPosixFile(FileDescriptor fd, std::string path);

}  // namespace sluice::storage
