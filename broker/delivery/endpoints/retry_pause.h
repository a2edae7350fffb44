// How long to wait before what has failed is tried again. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::delivery {

/// Before the attempt that follows the first so many: 1 s, 2 s, .. 120 s, as Firehose; a little more or less, by what
/// is tried (`id`), so that not all delivery streams come at once.
std::int64_t RetryPauseMs(std::uint32_t attempts, std::string_view id);

/// `pause_ms`, up to 15 % more or less, as `number` has it: a hash, or one of a random sequence.
std::int64_t Jittered(std::int64_t pause_ms, std::uint64_t number);

}  // namespace sluice::delivery
