// The producers' program and the checker must mean the same bytes.
#include "tests/crash/payload.h"

#include "tests/catch.h"

namespace sluice::crash {
namespace {

TEST_CASE("Payload: the bytes that check_history.py expects", "[crash]") {
  std::string all;
  for (std::uint64_t i = 0; i < 200; ++i) all += Payload("p", i);
  CHECK(Md5Hex(all) == "207a4ae0de2000ba129d2140c66e453d");
}

TEST_CASE("Hex: every byte in two digits", "[crash]") { CHECK(Hex(std::string("\0a\xff", 3)) == "0061ff"); }

}  // namespace
}  // namespace sluice::crash
