// The keys of the metadata store: their order, their bounds, and what is refused.
#include "storage/metadata_key.h"

#include "tests/catch.h"

namespace sluice::storage {
namespace {

TEST_CASE("EndOfPrefix: the next prefix, carrying over 0xff", "[storage]") {
  CHECK(EndOfPrefix("a") == "b");
  CHECK(EndOfPrefix("stream/") == "stream0");
  CHECK(EndOfPrefix("a\xff\xff") == "b");
  CHECK(EndOfPrefix("\x7f") == "\x80");
  CHECK(EndOfPrefix("").empty());
  CHECK(EndOfPrefix("\xff").empty());
}

TEST_CASE("PrintableKey: hides no byte", "[storage]") {
  CHECK(PrintableKey("stream/a b") == "'stream/a b'");
  CHECK(PrintableKey(std::string("\0\n\xff", 3)) == "'\\x00\\x0a\\xff'");
}

}  // namespace
}  // namespace sluice::storage
