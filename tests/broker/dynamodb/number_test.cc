// Numbers: exact, within DynamoDB's limits, and in their order.
#include "broker/api/dynamodb/number.h"

#include <rapidcheck.h>

#include <algorithm>
#include <vector>

#include "tests/catch.h"

namespace sluice::broker::dynamodb {
namespace {

std::string Shown(std::string_view text) {
  const auto number = Number::Parse(text);
  return number ? number->ToText() : number.error();
}

std::string Added(std::string_view a, std::string_view b) {
  const auto sum = Number::Sum(*Number::Parse(a), *Number::Parse(b));
  return sum ? sum->ToText() : sum.error();
}

TEST_CASE("Number Parse: takes decimal numbers and shows them plainly", "[dynamodb]") {
  CHECK(Shown("0") == "0");
  CHECK(Shown("-0.00") == "0");
  CHECK(Shown("+007.50") == "7.5");
  CHECK(Shown(".5") == "0.5");
  CHECK(Shown("5.") == "5");
  CHECK(Shown("-1.25e-3") == "-0.00125");
  CHECK(Shown("12E+3") == "12000");
  CHECK(Shown("1.0E-5") == "0.00001");
  CHECK(Shown("9007199254740993") == "9007199254740993");
  CHECK(Shown("1e125").size() == 126);
  CHECK(Shown("1e-130") == "0." + std::string(129, '0') + "1");
}

TEST_CASE("Number Parse: says in DynamoDB's words what is none", "[dynamodb]") {
  for (const char* text : {"-", "a", "1a", "1e", "1e+", "0x1", "1 ", " 1", "1.2.3", "NaN", "Infinity", "--1", "."}) {
    CHECK(Shown(text) == std::string("The parameter cannot be converted to a numeric value: ") + text);
  }
  CHECK(Shown("") == "The parameter cannot be converted to a numeric value");
  CHECK(Shown(std::string(39, '1')) == "Attempting to store more than 38 significant digits in a Number");
  CHECK(Shown(std::string(38, '1') + "0") == std::string(38, '1') + "0");
  CHECK(Shown("1e126").starts_with("Number overflow"));
  CHECK(Shown("1e99999999999").starts_with("Number overflow"));
  CHECK(Shown("1e-131").starts_with("Number underflow"));
}

TEST_CASE("Number Sum: is exact and has the same limits", "[dynamodb]") {
  CHECK(Added("0.1", "0.2") == "0.3");
  CHECK(Added("5", "-7") == "-2");
  CHECK(Added("-5", "7") == "2");
  CHECK(Added("5", "-5") == "0");
  CHECK(Added("999", "1") == "1000");
  CHECK(Added("1e20", "1e-17") == "100000000000000000000.00000000000000001");
  CHECK(Added("1e20", "1e-18").starts_with("Attempting to store more than 38"));
  CHECK(Added("9e125", "9e125").starts_with("Number overflow"));
}

TEST_CASE("Number SortBytes: sort as the numbers do", "[dynamodb]") {
  std::vector<std::string> texts = {"-1e125", "-10", "-9.5", "-9", "-1.01", "-1", "-1e-130", "0",   "1e-130", "0.09",
                                    "0.1",    "1",   "1.01", "9",  "9.5",   "10", "11",      "100", "1e125"};
  for (std::size_t i = 1; i < texts.size(); ++i) {
    INFO(texts[i]);
    const Number less = *Number::Parse(texts[i - 1]);
    const Number more = *Number::Parse(texts[i]);
    CHECK(less < more);
    CHECK(less.SortBytes() < more.SortBytes());
    CHECK_FALSE(more.SortBytes().starts_with(less.SortBytes()));
  }
}

TEST_CASE("Number: sums and order agree with those of integers", "[dynamodb]") {
  CHECK(rc::check([](std::int32_t a, std::int32_t b) {
    const Number first = *Number::Parse(std::to_string(a));
    const Number second = *Number::Parse(std::to_string(b));
    RC_ASSERT((first <=> second) == (a <=> b));
    RC_ASSERT((first.SortBytes() <=> second.SortBytes()) == (a <=> b));
    RC_ASSERT(Number::Sum(first, second)->ToText() == std::to_string(std::int64_t{a} + b));
  }));
}

}  // namespace
}  // namespace sluice::broker::dynamodb
