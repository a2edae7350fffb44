// Log lines from a seeded generator.
#include "tools/bench/json_lines.h"

#include <fmt/format.h>

#include <array>
#include <random>
#include <string_view>

namespace sluice::tools {
namespace {

constexpr std::array<std::string_view, 4> kMethods = {"GET", "POST", "PUT", "DELETE"};
constexpr std::array<std::string_view, 6> kPaths = {"/api/v1/orders", "/api/v1/users/profile", "/checkout/cart",
                                                    "/search",        "/static/app.js",        "/health"};
constexpr std::array<std::string_view, 4> kLevels = {"INFO", "WARN", "ERROR", "DEBUG"};
constexpr std::array<std::string_view, 3> kRegions = {"eu-west-1", "us-east-1", "ap-south-1"};
constexpr std::array<std::string_view, 17> kWords = {
    "timeout", "connection", "accepted", "payment", "user",  "session", "retry",     "upstream", "cache",
    "miss",    "hit",        "queue",    "worker",  "token", "refresh", "validated", "request"};

}  // namespace

std::string JsonLine(std::uint64_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  auto below = [&](std::uint64_t n) { return random() % n; };
  auto one_of = [&](const auto& words) { return words[below(words.size())]; };
  std::string line = fmt::format(
      R"({{"ts":"2025-11-20T09:{:02}:{:02}.{:06}Z","event_id":"{:016x}{:016x}","level":"{}","region":"{}",)"
      R"("user_id":{},"session":"{:012x}","ip":"10.{}.{}.{}","method":"{}","path":"{}/{}","status":{},"latency_ms":{:.3f},)"
      R"("bytes":{},"cached":{},"tags":["{}","{}"],"msg":")",
      below(60), below(60), below(1'000'000), random(), random(), one_of(kLevels), one_of(kRegions), below(1'000'000),
      random() & 0xffffffffffff, below(256), below(256), below(256), one_of(kMethods), one_of(kPaths), below(100'000),
      200 + below(4) * 100, static_cast<double>(below(1'000'000)) / 1000, below(100'000), below(2) == 0, one_of(kWords),
      one_of(kWords));
  constexpr std::string_view kEnd = "\"}";
  while (line.size() + kEnd.size() < bytes) {
    line += one_of(kWords);
    line += ' ';
  }
  if (line.size() + kEnd.size() > bytes && bytes > 512) line.resize(bytes - kEnd.size());
  line += kEnd;
  return line;
}

}  // namespace sluice::tools
