// Doubling, with a jitter that is a function of the attempt.
#include "broker/delivery/endpoints/retry_pause.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <string>

namespace sluice::delivery {
namespace {

constexpr std::int64_t kRetryFirstMs = 1000;
constexpr std::int64_t kRetryMaxMs = 120'000;
constexpr std::uint32_t kDoublingsMax = 10;
constexpr std::int64_t kJitterPercent = 15;

}  // namespace

std::int64_t RetryPauseMs(std::uint32_t attempts, std::string_view id) {
  const std::int64_t whole_ms = std::min(kRetryMaxMs, kRetryFirstMs << std::min(attempts - 1, kDoublingsMax));
  const std::string seed = fmt::format("{}|{}", id, attempts);
  return Jittered(whole_ms, XXH3_64bits(seed.data(), seed.size()));
}

std::int64_t Jittered(std::int64_t pause_ms, std::uint64_t number) {
  const auto percent = static_cast<std::int64_t>(number % (2 * kJitterPercent + 1));
  return pause_ms * (100 - kJitterPercent + percent) / 100;
}

}  // namespace sluice::delivery
