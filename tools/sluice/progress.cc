// Draws one line, ten times a second at most and never wider than the terminal, and removes it at the end.
#include "tools/sluice/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "tools/sluice/terminal.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr std::uint64_t kBarWidth = 30;
constexpr std::size_t kColumnsForBar = 90;  // below, the counts alone

bool StderrIsWatched() { return isatty(STDERR_FILENO) != 0 && std::getenv("NO_PROGRESS") == nullptr; }

/// Replaces the line the cursor is in.
void PutLine(std::string_view line) {
  const std::size_t columns = TerminalColumns(STDERR_FILENO, kColumnsForBar);
  fmt::print(stderr, "\r\033[K{}", line.substr(0, columns - 1));
  std::fflush(stderr);
}

}  // namespace

Progress::Progress(std::string label, std::string unit, std::uint64_t total_bytes)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_bytes_(total_bytes),
      visible_(StderrIsWatched()),
      start_(Clock::now()),
      drawn_(start_) {}

Progress::~Progress() { Clear(); }

void Progress::Clear() {
  if (on_screen_) PutLine("");
  on_screen_ = false;
}

void Progress::Update(std::uint64_t bytes, std::uint64_t count) {
  bytes_ = bytes;
  count_ = count;
  const auto now = Clock::now();
  if (visible_ && now - drawn_ >= kRedrawInterval) Draw(now);
}

void Progress::Draw(Clock::time_point now) {
  drawn_ = now;
  on_screen_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(bytes_) / std::max(seconds, 0.001));
  std::string bar;
  if (total_bytes_ > 0) {
    const std::uint64_t done = std::min(bytes_, total_bytes_);
    if (TerminalColumns(STDERR_FILENO, kColumnsForBar) >= kColumnsForBar) {
      const std::uint64_t filled = done * kBarWidth / total_bytes_;
      bar = fmt::format("[{}{}] ", std::string(filled, '#'), std::string(kBarWidth - filled, '.'));
    }
    bar += fmt::format("{:3}% ", done * 100 / total_bytes_);
  }
  PutLine(fmt::format("{} {}{}, {}, {}/s", label_, bar, FormatCounted(count_, unit_), FormatSize(bytes_),
                      FormatSize(rate)));
}

void ShowStep(const std::string& text) {
  if (StderrIsWatched()) PutLine(text);
}

}  // namespace sluice::tools
