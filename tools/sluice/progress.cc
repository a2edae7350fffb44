// Draws one line, ten times a second at most, and removes it at the end.
#include "tools/sluice/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr std::uint64_t kBarWidth = 30;
}  // namespace

Progress::Progress(std::string label, std::uint64_t total_bytes)
    : label_(std::move(label)),
      total_bytes_(total_bytes),
      visible_(isatty(STDERR_FILENO) != 0 && std::getenv("NO_PROGRESS") == nullptr),
      start_(std::chrono::steady_clock::now()),
      drawn_(start_) {}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\033[K");
}

void Progress::Update(std::uint64_t bytes, std::uint64_t records) {
  bytes_ = bytes;
  records_ = records;
  const auto now = std::chrono::steady_clock::now();
  if (visible_ && now - drawn_ >= kRedrawInterval) Draw(now);
}

void Progress::Draw(std::chrono::steady_clock::time_point now) {
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(bytes_) / std::max(seconds, 0.001));
  std::string bar;
  if (total_bytes_ > 0) {
    const std::uint64_t filled = std::min(bytes_, total_bytes_) * kBarWidth / total_bytes_;
    bar = fmt::format("[{}{}] {:3}% ", std::string(filled, '#'), std::string(kBarWidth - filled, '.'),
                      std::min(bytes_, total_bytes_) * 100 / total_bytes_);
  }
  fmt::print(stderr, "\r\033[K{} {}{} records, {}, {}/s", label_, bar, FormatCount(records_), FormatSize(bytes_),
             FormatSize(rate));
  std::fflush(stderr);
}

}  // namespace sluice::tools
