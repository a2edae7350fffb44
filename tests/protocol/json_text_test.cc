// Text of JSON and about it.
#include "protocol/json_text.h"

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

TEST_CASE("AppendJsonString: quotes, backslashes and control characters are escaped, the rest stays", "[protocol]") {
  std::string out = "x";
  AppendJsonString(out, "a\"b\\c\n\x1f\u00e9/");
  CHECK(out == "x\"a\\\"b\\\\c\\u000a\\u001f\u00e9/\"");
}

TEST_CASE("JsonErrorText: without the name of the error", "[protocol]") {
  CHECK(JsonErrorText("DEPTH_ERROR: The document was too deep: really") == "The document was too deep: really");
  CHECK(JsonErrorText("The document was too deep") == "The document was too deep");
  CHECK(JsonErrorText("Number: too large") == "Number: too large");
  CHECK(JsonErrorText("") == "");
}

}  // namespace
}  // namespace sluice::protocol
