// What a thread tells the system about itself.
#pragma once

#include <string>

namespace sluice::storage {

/// Names the calling thread, as `top -H`, `perf` and a debugger show it; the system keeps the first 15 characters.
void NameThread(const std::string& name);

/// Asks that the calling thread gets a core soon after it wakes: its share of time stays the same and comes in pieces
/// of 0.1 ms (sched(7), sched_setattr(2): sched_runtime of a SCHED_OTHER thread, since Linux 6.12; without effect
/// before). For threads that mostly wait for the disk and that others wait for.
void RunSoonAfterWaking();

/// Gives the calling thread a small share of time where others want the cores (nice 10), and all that they leave. For
/// threads that work for long and that nobody waits for.
void RunBesideOthers();

}  // namespace sluice::storage
