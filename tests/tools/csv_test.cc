// The CSV reader against RFC 4180's rules.
#include "tools/sluice/csv.h"

#include "tests/catch.h"

using sluice::tools::CsvRowEnd;
using sluice::tools::ParseCsvRow;

TEST_CASE("ParseCsvRow: plain, empty and quoted fields", "[tools]") {
  auto fields = ParseCsvRow("a,,\"b,c\",\"say \"\"hi\"\"\",last\r");
  REQUIRE(fields.has_value());
  REQUIRE(fields->size() == 5);
  CHECK((*fields)[0].text == "a");
  CHECK((*fields)[1].text.empty());
  CHECK((*fields)[2].text == "b,c");
  CHECK((*fields)[2].quoted);
  CHECK((*fields)[3].text == "say \"hi\"");
  CHECK((*fields)[4].text == "last");
}

TEST_CASE("ParseCsvRow: a trailing comma is an empty last field", "[tools]") {
  auto fields = ParseCsvRow("a,");
  REQUIRE(fields.has_value());
  CHECK(fields->size() == 2);
}

TEST_CASE("ParseCsvRow: refuses an open quote and text behind a quote", "[tools]") {
  CHECK_FALSE(ParseCsvRow("\"open").has_value());
  CHECK_FALSE(ParseCsvRow("\"a\"b,c").has_value());
}

TEST_CASE("CsvRowEnd: newlines inside quotes do not end a row", "[tools]") {
  const std::string_view text = "a,\"two\nlines\",b\nnext";
  CHECK(CsvRowEnd(text) == text.find("\nnext"));
  CHECK(CsvRowEnd("a,\"open\n") == std::string_view::npos);
}
