// What a door says of connections that it cannot accept.
#include "broker/api/listen.h"

#include <algorithm>
#include <string>

#include "tests/broker/stderr_of.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

TEST_CASE("AcceptFailureLog Write: one line a minute, which says what to raise", "[broker]") {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  AcceptFailureLog failures("native");
  const std::string text = StderrOf([&] {
    for (int tenth = 0; tenth <= 610; ++tenth) {
      failures.Write(boost::asio::error::no_descriptors, 100 * kSecondNs + tenth * kSecondNs / 10);
    }
  });
  INFO(text);
  CHECK(std::ranges::count(text, '\n') == 2);
  CHECK(text.find("ulimit -n") != std::string::npos);
  CHECK(text.find("door=\"native\"") != std::string::npos);
  CHECK(text.find("not_logged=599") != std::string::npos);
}

}  // namespace
}  // namespace sluice::broker
