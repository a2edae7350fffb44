// One line on stderr for long work: a bar where the end is known, else counts. Silent where stderr is no terminal or
// NO_PROGRESS is set.
//
// Threads: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice::tools {

class Progress {
 public:
  /// `unit`: what is counted, in the singular. `total_bytes` 0: unknown, only counts are shown.
  Progress(std::string label, std::string unit, std::uint64_t total_bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(std::uint64_t bytes, std::uint64_t count);
  /// Removes the line, before something else is printed.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  void Draw(Clock::time_point now);

  const std::string label_;
  const std::string unit_;
  const std::uint64_t total_bytes_;
  const bool visible_;
  const Clock::time_point start_;
  Clock::time_point drawn_;
  bool on_screen_ = false;
  std::uint64_t bytes_ = 0;
  std::uint64_t count_ = 0;
};

/// "[2/15] many: ..", for work whose steps are known by name only; removed with an empty text.
void ShowStep(const std::string& text);

}  // namespace sluice::tools
