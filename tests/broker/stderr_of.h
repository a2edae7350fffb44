// What the broker's log says while a test runs it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/catch.h"

namespace sluice::broker {

/// What is written to stderr while `action` runs; less than a pipe takes.
template <typename Action>
std::string StderrOf(const Action& action) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  action();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::string text(16u << 10, '\0');
  const ssize_t got = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

}  // namespace sluice::broker
