// The version of this broker, as CMake's project() states it.
#pragma once

#include <string_view>

namespace sluice::broker {

inline constexpr std::string_view kVersion = SLUICE_VERSION;

}  // namespace sluice::broker
