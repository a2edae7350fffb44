// Names of threads, as `top -H`, `perf` and a debugger show them.
#pragma once

#include <pthread.h>

#include <string>

namespace sluice::storage {

/// Names the calling thread; the system keeps the first 15 characters.
inline void NameThread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

}  // namespace sluice::storage
