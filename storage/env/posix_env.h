// The real disk, clocks and randomness of a Linux machine.
//
// A full disk or quota and a lack of file descriptors are kResourceExhausted (nothing is broken, try again later); a
// name that is missing is kNotFound; every other failure is kIoError with the path and the system's words. A failed
// Sync is always kIoError, a full disk included: what it left behind is unknown.
//
// Threads: any. Crash behaviour: what Sync and SyncDir have confirmed stays; the rest may or may not.
#pragma once

#include <memory>

#include "storage/env/env.h"

namespace sluice::storage {

std::unique_ptr<Env> NewPosixEnv();

/// As many open files, which connections are too, as this process may ask for: the usual soft limit of 1,024 is far
/// below what a broker serves. Where it cannot be, it stays.
void RaiseFileLimit();
/// Connections use descriptors below this one. The others are left to the log and the metadata store, which cannot
/// write where they get none: half of what this process may have, 1,024 at most.
int ConnectionFilesEnd();

}  // namespace sluice::storage
