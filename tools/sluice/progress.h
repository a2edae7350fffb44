// A progress bar on stderr for long work; silent where stderr is no terminal or NO_PROGRESS is set.
//
// Threads: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice::tools {

class Progress {
 public:
  /// `total_bytes` 0: unknown, only a count is shown.
  Progress(std::string label, std::uint64_t total_bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(std::uint64_t bytes, std::uint64_t records);

 private:
  void Draw(std::chrono::steady_clock::time_point now);

  const std::string label_;
  const std::uint64_t total_bytes_;
  const bool visible_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
  std::uint64_t bytes_ = 0;
  std::uint64_t records_ = 0;
};

}  // namespace sluice::tools
