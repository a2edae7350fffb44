// Every input format of `sluice put`, and the key field.
#include "tools/sluice/record_parser.h"

#include <string>

#include "tests/catch.h"

using sluice::tools::KeyExtractor;
using sluice::tools::NewRecordParser;
using sluice::tools::RecordParser;

namespace {

std::string ParseOne(RecordParser& parser, std::string_view line) {
  auto record = parser.Parse(line);
  REQUIRE(record.has_value());
  return record->value_or("(none)");
}

}  // namespace

TEST_CASE("RecordParser raw: lines as they are, blank lines carry none", "[tools]") {
  auto parser = NewRecordParser("raw");
  REQUIRE(parser.has_value());
  CHECK(ParseOne(**parser, "hello\r") == "hello");
  CHECK(ParseOne(**parser, "") == "(none)");
}

TEST_CASE("RecordParser csv: header names keys, numbers are numbers, NA is null", "[tools]") {
  auto parser = NewRecordParser("CSV");
  REQUIRE(parser.has_value());
  (*parser)->StartFile();
  CHECK(ParseOne(**parser, "carrier,delay,zip,note") == "(none)");
  CHECK(ParseOne(**parser, "AA,-2.5,007,\"5\"") == R"({"carrier":"AA","delay":-2.5,"zip":"007","note":"5"})");
  CHECK(ParseOne(**parser, "NA,,1,x\"y") == R"({"carrier":null,"delay":null,"zip":1,"note":"x\"y"})");
  auto short_row = (*parser)->Parse("AA,1");
  REQUIRE_FALSE(short_row.has_value());
  CHECK(short_row.error().message() == "2 fields where the header has 4");
}

TEST_CASE("RecordParser csv: a second file brings its own header", "[tools]") {
  auto parser = NewRecordParser("csv");
  REQUIRE(parser.has_value());
  ParseOne(**parser, "a");
  ParseOne(**parser, "1");
  (*parser)->StartFile();
  CHECK(ParseOne(**parser, "b") == "(none)");
  CHECK(ParseOne(**parser, "2") == R"({"b":2})");
}

TEST_CASE("RecordParser COMBINEDAPACHELOG: the agent's field names", "[tools]") {
  auto parser = NewRecordParser("combinedapachelog");
  REQUIRE(parser.has_value());
  const std::string line =
      R"log(192.0.2.7 - bob [17/May/2015:10:05:03 +0000] "GET /a?q=\"x\" HTTP/1.1" 200 203 "-" "Mozilla/5.0 (X11)")log";
  CHECK(
      ParseOne(**parser, line) ==
      R"({"host":"192.0.2.7","ident":null,"authuser":"bob","datetime":"17/May/2015:10:05:03 +0000",)"
      R"json("request":"GET /a?q=\\\"x\\\" HTTP/1.1","response":"200","bytes":"203","referrer":null,"agent":"Mozilla/5.0 (X11)"})json");
  CHECK_FALSE((*parser)->Parse("not a log line").has_value());
}

TEST_CASE("RecordParser SYSLOG and RFC3339SYSLOG", "[tools]") {
  auto parser = NewRecordParser("SYSLOG");
  REQUIRE(parser.has_value());
  CHECK(
      ParseOne(**parser, "Mar  7 16:10:02 web1 sshd[42]: Accepted key") ==
      R"({"timestamp":"Mar  7 16:10:02","hostname":"web1","program":"sshd","processid":"42","message":"Accepted key"})");
  auto rfc = NewRecordParser("RFC3339SYSLOG");
  REQUIRE(rfc.has_value());
  CHECK(ParseOne(**rfc, "2026-03-01T12:00:00Z web1 cron: done") ==
        R"({"timestamp":"2026-03-01T12:00:00Z","hostname":"web1","program":"cron","processid":null,"message":"done"})");
}

TEST_CASE("NewRecordParser: an unknown format is refused and the known ones are named", "[tools]") {
  auto parser = NewRecordParser("xml");
  REQUIRE_FALSE(parser.has_value());
  CHECK(parser.error().message().find("COMBINEDAPACHELOG") != std::string::npos);
}

TEST_CASE("RecordParser csv: a byte order mark is no part of the first name", "[tools]") {
  auto parser = NewRecordParser("csv");
  REQUIRE(parser.has_value());
  for (const char* header : {"\xEF\xBB\xBFid,name", "\xEF\xBB\xBF\"id\",name"}) {
    (*parser)->StartFile();
    CHECK(ParseOne(**parser, header) == "(none)");
    CHECK(ParseOne(**parser, "1,a") == R"({"id":1,"name":"a"})");
  }
}

TEST_CASE("KeyExtractor Extract: nested text, numbers, missing fields and bad JSON", "[tools]") {
  KeyExtractor key("user.id");
  CHECK(key.Extract(R"({"user":{"id":"u1"}})").value() == "u1");
  CHECK(key.Extract(R"({"user":{"id":17}})").value() == "17");
  CHECK(key.Extract(R"({"user":{}})").error().message() == "the record has no field 'user.id'");
  CHECK_FALSE(key.Extract("{").has_value());
}

TEST_CASE("KeyExtractor Extract: beside numbers beyond 64 bits, and of them", "[tools]") {
  const std::string json = R"({"big" : 123456789012345678901234567890 , "user":{"id":"u\u0031","e":1e400}})";
  CHECK(KeyExtractor("user.id").Extract(json).value() == "u1");
  CHECK(KeyExtractor("user.e").Extract(json).value() == "1e400");
  CHECK(KeyExtractor("big").Extract(json).value() == "123456789012345678901234567890");
  CHECK(KeyExtractor("user").Extract(json).value() == R"({"id":"u\u0031","e":1e400})");
  CHECK(KeyExtractor("no").Extract(json).error().message() == "the record has no field 'no'");
  CHECK_FALSE(KeyExtractor("big").Extract(json + "}").has_value());
}
