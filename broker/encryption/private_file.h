// Small files with secrets, which others must not see: the key file (key_file.h), the secrets of delivery streams.
//
// Threads: any; calls block on the disk. A crash leaves nothing.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker {

/// The file's text. kNotFound: there is none; kFailedPrecondition: others than its owner and group may read it, or
/// others than its owner change it; kInvalidArgument: it has more than `bytes_max` bytes. Messages name the file.
Result<std::string> ReadPrivateFile(storage::Env& env, const std::string& path, std::uint64_t bytes_max);

}  // namespace sluice::broker
