// CHECK: our own mistakes end the process with a message; the world's mistakes are returned as Status.
#pragma once

#include <string_view>

namespace sluice {

[[noreturn]] void CheckFailed(std::string_view file, int line, std::string_view expression);

}  // namespace sluice

/// Always on. Ends the process where `condition` is false: something that only a bug can cause.
#define SLUICE_CHECK(condition) \
  (__builtin_expect(static_cast<bool>(condition), 1) ? void() : ::sluice::CheckFailed(__FILE__, __LINE__, #condition))

/// Debug builds only; for invariants on hot paths.
#ifdef NDEBUG
#define SLUICE_DCHECK(condition) void(sizeof(static_cast<bool>(condition)))
#else
#define SLUICE_DCHECK(condition) SLUICE_CHECK(condition)
#endif
