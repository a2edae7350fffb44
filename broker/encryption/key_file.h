// The key file: master keys as lines of text, "NAME KEY", the key 32 bytes in base64. The first one is current. Empty
// lines and those that begin with # are skipped.
//
//     # Master keys of Sluice.
//     key-2 3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGho=
//     key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
//
// Who has this file and the data directory can read everything. So it is refused where others than its owner and group
// could read it, and belongs on another disk than the data, or at least not into the same backup.
//
// Threads: functions on any; they block on the disk. A crash while AddKey runs leaves the file as it was.
#pragma once

#include <memory>
#include <string>

#include "broker/encryption/key_provider.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker {

/// Reads the file once. kNotFound, kFailedPrecondition (others may read or change it) and kInvalidArgument (with its
/// line) say which file and what to do.
Result<std::unique_ptr<KeyProvider>> OpenKeyFile(storage::Env& env, const std::string& path);

/// Puts a new random key in front, so that it is the current one, and makes the file where there is none. Gives the
/// key's name: "key-1", "key-2", .. Errors as OpenKeyFile.
Result<std::string> AddKey(storage::Env& env, const std::string& path);

}  // namespace sluice::broker
