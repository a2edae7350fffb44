// What is said of a name or a shard that does not exist.
#include "protocol/suggest.h"

#include <array>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

TEST_CASE("DidYouMean: the nearest name, if one is near", "[protocol]") {
  const std::array<std::string, 3> names = {"orders", "order-lines", "flights"};
  CHECK(DidYouMean("ordres", names) == "; did you mean 'orders'?");
  CHECK(DidYouMean("fligths", names) == "; did you mean 'flights'?");
  CHECK(DidYouMean("payments", names).empty());
  CHECK(DidYouMean("orders", {}).empty());
}

TEST_CASE("NoSuchShard: says which there are", "[protocol]") {
  CHECK(NoSuchShard("orders", 7, 4) == "stream 'orders' has no shard 7; it has 0 to 3");
  CHECK(NoSuchShard("orders", 7, 1) == "stream 'orders' has no shard 7; it has only 0");
}

}  // namespace
}  // namespace sluice::protocol
