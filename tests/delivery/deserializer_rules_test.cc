// The rules of Firehose's two deserializers, one row each: what a record becomes, or that it becomes an error.
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "tests/delivery/converted_rows.h"

using namespace sluice;
using namespace sluice::delivery;

namespace {

ConverterOptions Plain() { return {}; }

ConverterOptions CaseCounts() {
  ConverterOptions options;
  options.case_insensitive = false;
  return options;
}

ConverterOptions Dots() {
  ConverterOptions options;
  options.dots_to_underscores = true;
  return options;
}

ConverterOptions Mapped() {
  ConverterOptions options;
  options.column_to_key = {{"ts", "timestamp"}, {"dotted", "a.b"}};
  return options;
}

ConverterOptions MappedCaseCounts() {
  ConverterOptions options = Mapped();
  options.case_insensitive = false;
  return options;
}

ConverterOptions Formats(std::vector<std::string> formats) {
  ConverterOptions options;
  options.timestamp_formats = std::move(formats);
  return options;
}

struct Rule {
  std::string_view what;
  ConverterOptions options;
  std::string_view columns;
  std::string_view record;
  std::string expected;  // rows, or how the error begins
};

const Rule kKeys[] = {
    {"case does not count", Plain(), "struct<userid:int>", R"({"UserID":1})", R"({"userid":1})"},
    {"nor in nested keys", Plain(), "struct<s:struct<userid:int>>", R"({"S":{"UserId":1}})", R"({"s":{"userid":1}})"},
    {"case counts", CaseCounts(), "struct<userid:int>", R"({"UserID":1,"userid":2})", R"({"userid":2})"},
    {"case counts, so the key is another", CaseCounts(), "struct<userid:int>", R"({"UserID":1})", R"({"userid":null})"},
    {"dots stay", Plain(), "struct<a_b:int>", R"({"a.b":1})", R"({"a_b":null})"},
    {"dots become underscores", Dots(), "struct<a_b:int,c_d_e:int>", R"({"a.b":1,"c.d.e":2})",
     R"({"a_b":1,"c_d_e":2})"},
    {"in nested keys too", Dots(), "struct<s:struct<a_b:int>>", R"({"s":{"a.b":1}})", R"({"s":{"a_b":1}})"},
    {"a mapped key", Mapped(), "struct<ts:bigint,dotted:int>", R"({"timestamp":1,"a.b":2})", R"({"ts":1,"dotted":2})"},
    {"a mapped column's own name is another key", Mapped(), "struct<ts:bigint>", R"({"ts":1})", R"({"ts":null})"},
    {"a mapped key in another case", Mapped(), "struct<ts:bigint>", R"({"TimeStamp":1})", R"({"ts":1})"},
    {"a mapped key whose case counts", MappedCaseCounts(), "struct<ts:bigint>", R"({"TimeStamp":1})", R"({"ts":null})"},
    {"a mapping without a column", Mapped(), "struct<x:int>", R"({"x":1,"timestamp":2})", R"({"x":1})"},
    {"keys without a column are dropped", Plain(), "struct<x:int>", R"({"y":[{"z":1}],"x":1})", R"({"x":1})"},
};

const Rule kRecords[] = {
    {"objects one behind the other", Plain(), "struct<x:int>", R"({"x":1}{"x":2})", R"({"x":1} {"x":2})"},
    {"with white space between", Plain(), "struct<x:int>", "{\"x\":1}\r\n\t {\"x\":2}\n", R"({"x":1} {"x":2})"},
    {"with a comma between", Plain(), "struct<x:int>", R"({"x":1},{"x":2})", kParse},
    {"one of them wrong", Plain(), "struct<x:int>", R"({"x":1}{"x":"a"})", kData + "Column 'x' of type int"},
    {"an array of objects", Plain(), "struct<x:int>", R"([{"x":1},{"x":2}])",
     kData + "Expected a JSON object, got an array."},
    {"an array behind an object", Plain(), "struct<x:int>", R"({"x":1}[])", kParse},
    {"a number", Plain(), "struct<x:int>", "1", kData + "Expected a JSON object, got a primitive."},
    {"null", Plain(), "struct<x:int>", "null", kData + "Expected a JSON object, got a primitive."},
    {"a text", Plain(), "struct<x:int>", R"("{\"x\":1}")", kData + "Expected a JSON object, got a primitive."},
    {"nothing", Plain(), "struct<x:int>", "", kData + "Expected a JSON object, got an empty record."},
    {"no JSON", Plain(), "struct<x:int>", "x=1", kParse},
    {"cut JSON", Plain(), "struct<x:int>", R"({"x":1)", kParse},
    {"a byte order mark", Plain(), "struct<x:int>", "\xef\xbb\xbf{\"x\":1}", kParse},
};

std::string Is(std::string_view time) { return std::string(R"({"t":")") + std::string(time) + "\"}"; }
const std::string kNoTime = kData + "Column 't' of type timestamp does not take ";

struct TimeRule {
  std::string_view what;
  ConverterOptions options;
  std::string_view value;
  std::string expected;
};

const TimeRule kTimes[] = {
    {"ISO-8601", Plain(), R"("2017-02-07T15:13:01Z")", Is("2017-02-07T15:13:01Z")},
    {"one digit of fraction", Plain(), R"("2017-02-07T15:13:01.5Z")", Is("2017-02-07T15:13:01.500000Z")},
    {"three", Plain(), R"("2017-02-07T15:13:01.039Z")", Is("2017-02-07T15:13:01.039000Z")},
    {"six", Plain(), R"("2017-02-07T15:13:01.039256Z")", Is("2017-02-07T15:13:01.039256Z")},
    {"nine", Plain(), R"("2017-02-07T15:13:01.039256899Z")", Is("2017-02-07T15:13:01.039256Z")},
    {"ten", Plain(), R"("2017-02-07T15:13:01.0392568990Z")", kNoTime},
    {"an offset", Plain(), R"("2017-02-07T15:13:01+02:00")", Is("2017-02-07T13:13:01Z")},
    {"no zone", Plain(), R"("2017-02-07T15:13:01")", Is("2017-02-07T15:13:01Z")},
    {"a blank", Plain(), R"("2017-02-07 15:13:01")", Is("2017-02-07T15:13:01Z")},
    {"a blank and a fraction", Plain(), R"("2017-02-07 15:13:01.14")", Is("2017-02-07T15:13:01.140000Z")},
    {"seconds", Plain(), "1518033528", Is("2018-02-07T19:58:48Z")},
    {"seconds as text", Plain(), R"("1518033528")", Is("2018-02-07T19:58:48Z")},
    {"milliseconds", Plain(), "1518033528123", Is("2018-02-07T19:58:48.123000Z")},
    {"seconds with a fraction", Plain(), "1518033528.123", Is("2018-02-07T19:58:48.123000Z")},
    {"with an exponent", Plain(), "1.518033528e9", Is("2018-02-07T19:58:48Z")},
    {"before 1970", Plain(), "-1.5", Is("1969-12-31T23:59:58.500000Z")},
    {"a day alone", Plain(), R"("2017-02-07")", kNoTime},
    {"no such day", Plain(), R"("2017-02-29T00:00:00Z")", kNoTime},
    {"true", Plain(), "true", kNoTime},
    {"an object", Plain(), "{}", kNoTime},

    {"Timestamp.valueOf", Plain(), R"("2017-2-7 15:13:1")", Is("2017-02-07T15:13:01Z")},
    {"one digit everywhere", Plain(), R"(" 2017-2-7 1:2:3.000000001 ")", Is("2017-02-07T01:02:03Z")},
    {"with a T it is ISO-8601", Plain(), R"("2017-2-7T15:13:01")", kNoTime},
    {"without a zone", Plain(), R"("2017-2-7 15:13:01Z")", kNoTime},
    {"of four digits of a year", Plain(), R"("17-02-07 15:13:01")", kNoTime},

    {"millis", Formats({"millis"}), "1518033528123", Is("2018-02-07T19:58:48.123000Z")},
    {"millis, however small", Formats({"millis"}), "1000", Is("1970-01-01T00:00:01Z")},
    {"millis as text", Formats({"millis"}), R"("-1000")", Is("1969-12-31T23:59:59Z")},
    {"a quote in quotes", Formats({"yyyy-MM-dd h 'o''clock' a"}), R"("2018-02-07 7 o'clock PM")",
     Is("2018-02-07T19:00:00Z")},
    {"quotes by themselves", Formats({"yyyy''MM''''dd"}), R"("2018'02''07")", Is("2018-02-07T00:00:00Z")},
    {"millis with a fraction", Formats({"millis"}), "1518033528123.75", Is("2018-02-07T19:58:48.123000Z")},
    {"millis with a fraction as text", Formats({"millis"}), R"("-1000.0")", Is("1969-12-31T23:59:59Z")},
    {"millis with an exponent are no millis", Formats({"millis"}), "1.518033528e9", Is("2018-02-07T19:58:48Z")},
    {"millis without digits behind the point", Formats({"millis"}), R"("1000.")", kNoTime},
    {"millis out of range", Formats({"millis"}), "9223372036854775807", kNoTime},
    {"a pattern", Formats({"dd/MM/yyyy HH:mm"}), R"("07/02/2017 15:13")", Is("2017-02-07T15:13:00Z")},
    {"the second of two", Formats({"dd/MM/yyyy", "yyyyMMdd'T'HHmmss.SSSZ"}), R"("20170207T151301.250+0100")",
     Is("2017-02-07T14:13:01.250000Z")},
    {"a month's name", Formats({"EEE MMM d HH:mm:ss Z yyyy"}), R"("Tue Feb 7 15:13:01 +0000 2017")",
     Is("2017-02-07T15:13:01Z")},
    {"half of a day", Formats({"yyyy-MM-dd hh:mm a"}), R"("2017-02-07 12:05 AM")", Is("2017-02-07T00:05:00Z")},
    {"a pattern and millis", Formats({"yyyy", "millis"}), "1000", Is("1970-01-01T00:00:01Z")},
    {"none of them, but the default", Formats({"dd/MM/yyyy"}), R"("2017-02-07 15:13:01")", Is("2017-02-07T15:13:01Z")},
    {"none of them", Formats({"dd/MM/yyyy"}), R"("07.02.2017")", kNoTime},
    {"text behind a pattern's end", Formats({"dd/MM/yyyy"}), R"("07/02/2017 x")", kNoTime},
};

void Check(const Rule& rule) {
  INFO(rule.what);
  Rows rows(rule.columns, rule.options);
  const std::string got = rows(rule.record);
  INFO(got);
  const bool error = rule.expected.starts_with("DataFormatConversion.");
  CHECK((error ? got.starts_with(rule.expected) : got == rule.expected));
}

}  // namespace

TEST_CASE("Deserializers: keys", "[delivery]") {
  for (const Rule& rule : kKeys) Check(rule);
}

TEST_CASE("Deserializers: what a record is", "[delivery]") {
  for (const Rule& rule : kRecords) Check(rule);
}

TEST_CASE("Deserializers: timestamps", "[delivery]") {
  for (const TimeRule& rule : kTimes) {
    const std::string record = "{\"t\":" + std::string(rule.value) + "}";
    Check({rule.what, rule.options, "struct<t:timestamp>", record, rule.expected});
  }
}
