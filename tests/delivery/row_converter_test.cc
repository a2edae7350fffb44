// JSON records become rows: every type, what is coerced, and what is refused with its reason.
#include "broker/delivery/row_converter.h"

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/delivery/converted_rows.h"

using namespace sluice;
using namespace sluice::delivery;

TEST_CASE("RowConverter Add: takes scalars in any order, missing and null", "[delivery]") {
  Rows rows("struct<a:int,b:string,c:double,d:boolean>");
  CHECK(rows(R"({"a":1,"b":"x","c":1.5,"d":true})") == R"({"a":1,"b":"x","c":1.5,"d":true})");
  CHECK(rows(R"({"d":false,"c":-0.25e1,"b":"","a":-7})") == R"({"a":-7,"b":"","c":-2.5,"d":false})");
  CHECK(rows(R"( { "b" : "y" , "z" : [1,{"q":2}] , "a" : null } )") == R"({"a":null,"b":"y","c":null,"d":null})");
  CHECK(rows("{}") == R"({"a":null,"b":null,"c":null,"d":null})");
  CHECK(rows(R"({"a":1,"a":2})") == R"({"a":2,"b":null,"c":null,"d":null})");
}

TEST_CASE("RowConverter Add: takes numbers and booleans out of strings", "[delivery]") {
  Rows rows("struct<a:int,c:double,d:boolean,e:bigint>");
  CHECK(rows(R"({"a":"12","c":"1e2","d":"true","e":"-9223372036854775808"})") ==
        R"({"a":12,"c":100,"d":true,"e":-9223372036854775808})");
  CHECK(rows(R"({"a":12.0,"c":7,"e":1e3})") == R"({"a":12,"c":7,"d":null,"e":1000})");
}

TEST_CASE("RowConverter Add: strings keep escapes, take scalars and objects as text", "[delivery]") {
  Rows rows("struct<s:string>");
  CHECK(rows(R"({"s":"a\"b\\c\u00e9\n"})") == "{\"s\":\"a\\\"b\\\\c\u00e9\\u000a\"}");
  CHECK(rows(R"({"s":12.50})") == R"({"s":"12.50"})");
  CHECK(rows(R"({"s":true})") == R"({"s":"true"})");
  CHECK(rows(R"({"s":{"a": [1, "]}"]} })") == R"({"s":"{\"a\": [1, \"]}\"]}"})");
  CHECK(rows(R"({"s":"white space"   })") == R"({"s":"white space"})");
}

TEST_CASE("RowConverter Add: nested columns", "[delivery]") {
  Rows rows("struct<l:array<int>,m:map<string,double>,k:map<int,string>,s:struct<x:int,y:array<struct<z:string>>>>");
  CHECK(rows(R"({"l":[1,null,3],"m":{"a":1,"b\n":2.5},"k":{"5":"five"},"s":{"y":[{"z":"q"},{}],"x":1}})") ==
        R"({"l":[1,null,3],"m":{"a":1,"b\u000a":2.5},"k":{"5":"five"},"s":{"x":1,"y":[{"z":"q"},{"z":null}]}})");
  CHECK(rows(R"({"l":[],"m":{},"s":{}})") == R"({"l":[],"m":{},"k":null,"s":{"x":null,"y":null}})");
  CHECK(rows(R"({"s":null,"l":null})") == R"({"l":null,"m":null,"k":null,"s":null})");
}

TEST_CASE("RowConverter Add: of a map's key that is there twice, the last value counts", "[delivery]") {
  Rows rows("struct<m:map<string,int>,k:map<int,array<struct<x:string,y:map<string,boolean>>>>>");
  CHECK(rows(R"({"m":{"a":1,"b":2,"a":3}})") == R"({"m":{"b":2,"a":3},"k":null})");
  CHECK(rows(R"({"m":{"a":1,"\u0061":null,"":4}})") == R"({"m":{"a":null,"":4},"k":null})");
  CHECK(rows(R"({"m":{"a":null,"b":null,"a":5,"c":6}})") == R"({"m":{"b":null,"a":5,"c":6},"k":null})");
  CHECK(
      rows(
          R"({"k":{"1":[{"x":"gone","y":{"t":true}},{}],"2":[{"x":"two"}],"1.0":[{"x":"one","y":{"u":true,"u":false}}]}})") ==
      R"({"m":null,"k":{"2":[{"x":"two","y":null}],"1":[{"x":"one","y":{"u":false}}]}})");
  CHECK(rows(R"({"k":{"7":null,"7":[],"7":null},"m":{"a":1}})") == R"({"m":{"a":1},"k":{"7":null}})");
  CHECK(rows(R"({"m":{"x":1,"x":2},"k":{"1":"no list"}})").starts_with(kData));
  CHECK(rows(R"({"m":{"x":1,"y":2}})") == R"({"m":{"x":1,"y":2},"k":null})");
}

TEST_CASE("RowConverter Add: a failed record leaves nothing behind, at any depth", "[delivery]") {
  Rows rows("struct<a:int,s:struct<x:int,y:array<struct<z:int>>>,l:array<array<int>>>");
  CHECK(rows(R"({"a":1,"s":{"x":1,"y":[{"z":1},{"z":"no"}]}})") ==
        kData + "Column 's.y.element.z' of type int does not take \"no\".");
  CHECK(rows(R"({"l":[[1,2],[3,"x"]],"a":5})") ==
        kData + "Column 'l' of type array<array<int>> does not take [[1,2],[3,\"x\"]].");
  CHECK(rows(R"({"a":2,"s":{"x":3,"y":[{"z":4}]},"l":[[5]]})") == R"({"a":2,"s":{"x":3,"y":[{"z":4}]},"l":[[5]]})");
}

TEST_CASE("RowConverter Add: bad records are errors of their own", "[delivery]") {
  Rows rows("struct<a:int,b:string>");
  auto starts = [&](std::string_view record, const std::string& with) {
    std::string got = rows(record);
    INFO(got);
    CHECK(got.starts_with(with));
  };
  starts("", kData + "Expected a JSON object, got an empty record.");
  starts(" \n\t", kData + "Expected a JSON object, got an empty record.");
  starts("[1,2]", kData + "Expected a JSON object, got an array.");
  starts("12", kData + "Expected a JSON object, got a primitive.");
  starts("\"text\"", kData + "Expected a JSON object, got a primitive.");
  starts("plain text", kParse);
  starts(R"({"a":1)", kParse);
  starts(R"({"a":1,})", kParse);
  starts(R"({"a" 1})", kParse);
  starts(R"({"a":tru})", kParse);
  starts(R"({"a":nul})", kParse);
  starts(R"({"a":01})", kParse);
  starts(R"({"b":"no end})", kParse);
  starts(R"({"b":"\x"})", kParse);
  starts("{\"b\":\"\xff\xfe\"}", kParse);
  starts("{\"b\":\"a\x01\"}", kParse);
  starts(R"({"a":1} x)", kParse);
  starts(R"({"a":1}{"a":)", kParse);
  starts(R"({"a":1}[2])", kParse);
  starts(R"({"a":1}[2]{"a":3})", kData + "Expected a JSON object, got an array.");
  starts(R"({"a":"abc"})", kData + "Column 'a' of type int does not take \"abc\".");
  starts(R"({"a":2147483648})", kData + "Column 'a' of type int does not take 2147483648.");
  starts(R"({"a":1.5})", kData);
  starts(R"({"a":[1]})", kData + "Column 'a' of type int does not take [1].");
  starts(R"({"a":{"b":1}})", kData);
  CHECK(rows(R"({"a":1,"b":"x"})") == R"({"a":1,"b":"x"})");
}

TEST_CASE("RowConverter Add: several objects in one record", "[delivery]") {
  Rows rows("struct<a:int>");
  CHECK(rows(R"({"a":1}{"a":2})") == R"({"a":1} {"a":2})");
  CHECK(rows("{\"a\":3}\n {\"a\":\"4\"}\n{\"a\":5}\n") == R"({"a":3} {"a":4} {"a":5})");
  CHECK(rows(R"({"a":6})") == R"({"a":6})");
  CHECK(rows(R"({"a":7}{"a":"bad"}{"a":8})").starts_with(kData));
  CHECK(rows(R"({"a":9})") == R"({"a":9})");
}

TEST_CASE("RowConverter Add: keys by OpenX rules", "[delivery]") {
  ConverterOptions options;
  options.column_to_key = {{"ts", "timestamp"}};
  options.dots_to_underscores = true;
  Rows rows("struct<ts:bigint,a_b:int,Upper:int>", options);
  CHECK(rows(R"({"timestamp":1,"a.b":2,"UPPER":3,"ts":9})") == R"({"ts":1,"a_b":2,"Upper":3})");
  CHECK(rows(R"({"TimeStamp":1,"A_B":2,"upper":3})") == R"({"ts":1,"a_b":2,"Upper":3})");
  CHECK(rows(R"({"a\u002eb":4})") == R"({"ts":null,"a_b":4,"Upper":null})");

  options.column_to_key = {{"uPPer", "up"}, {"TS", "time"}, {"ts", "timestamp"}};
  Rows any_case("struct<ts:bigint,Upper:int>", options);
  CHECK(any_case(R"({"timestamp":1,"time":2,"UP":3,"Upper":4})") == R"({"ts":1,"Upper":3})");

  ConverterOptions exact;
  exact.case_insensitive = false;
  Rows cased("struct<a:int,A:int>", exact);
  CHECK(cased(R"({"A":1,"a":2})") == R"({"a":2,"A":1})");
}

TEST_CASE("RowConverter New: refuses what cannot work", "[delivery]") {
  CHECK_FALSE(RowConverter::New(Schema{}, {}));
  CHECK_FALSE(RowConverter::New(SchemaOf("struct<a:int,A:int>"), {}));
  ConverterOptions options;
  options.timestamp_formats = {"yyyy-QQ"};
  CHECK_FALSE(RowConverter::New(SchemaOf("struct<a:int>"), options));
}

TEST_CASE("RowConverter Add: timestamps and dates", "[delivery]") {
  Rows rows("struct<t:timestamp,d:date>");
  auto time = [&](const std::string& json) { return rows("{\"t\":" + json + "}"); };
  auto is = [](const std::string& text) { return "{\"t\":\"" + text + "\",\"d\":null}"; };
  CHECK(time(R"("2024-02-29T23:59:59.123456789Z")") == is("2024-02-29T23:59:59.123456Z"));
  CHECK(time(R"("2024-02-29 23:59:59.5")") == is("2024-02-29T23:59:59.500000Z"));
  CHECK(time(R"("2024-03-01T01:00:00+02:00")") == is("2024-02-29T23:00:00Z"));
  CHECK(time("1700000000") == is("2023-11-14T22:13:20Z"));
  CHECK(time("1700000000123") == is("2023-11-14T22:13:20.123000Z"));
  CHECK(time("1700000000.123456") == is("2023-11-14T22:13:20.123456Z"));
  CHECK(time(R"("1700000000")") == is("2023-11-14T22:13:20Z"));
  CHECK(time("0") == is("1970-01-01T00:00:00Z"));
  CHECK(time("-1") == is("1969-12-31T23:59:59Z"));
  CHECK(time(R"("0001-01-01T00:00:00Z")") == is("0001-01-01T00:00:00Z"));
  CHECK(time(R"("9999-12-31T23:59:59.999999Z")") == is("9999-12-31T23:59:59.999999Z"));
  for (const char* bad : {R"("2023-02-29T00:00:00Z")", R"("2024-13-01T00:00:00Z")", R"("2024-01-01T24:00:00Z")",
                          R"("yesterday")", R"("2024-01-01T00:00:00.1234567890Z")", "true", "[]"}) {
    INFO(bad);
    CHECK(time(bad).starts_with(kData));
  }
  CHECK(rows(R"({"d":"2024-02-29"})") == R"({"t":null,"d":"2024-02-29"})");
  CHECK(rows(R"({"d":"1969-12-31T12:00:00Z"})") == R"({"t":null,"d":"1969-12-31"})");
  CHECK(rows(R"({"d":"2023-02-29"})").starts_with(kData));
  CHECK(rows(R"({"d":20240229})").starts_with(kData));
}

TEST_CASE("RowConverter Add: Hive's timestamp formats", "[delivery]") {
  ConverterOptions options;
  options.timestamp_formats = {"dd/MMM/yyyy:HH:mm:ss Z", "yyyy-MM-dd'T'hh:mm:ss.SSS a", "millis"};
  Rows rows("struct<t:timestamp>", options);
  CHECK(rows(R"({"t":"17/May/2015:10:05:03 +0200"})") == R"({"t":"2015-05-17T08:05:03Z"})");
  CHECK(rows(R"({"t":"2024-01-02T12:30:00.250 AM"})") == R"({"t":"2024-01-02T00:30:00.250000Z"})");
  CHECK(rows(R"({"t":1000})") == R"({"t":"1970-01-01T00:00:01Z"})");
  CHECK(rows(R"({"t":"17/Foo/2015:10:05:03 +0200"})").starts_with(kData));
}

TEST_CASE("RowConverter Add: decimals are exact", "[delivery]") {
  Rows rows("struct<m:decimal(10,2),w:decimal(38,0),t:tinyint,s:smallint>");
  auto money = [&](const std::string& json) {
    std::string got = rows("{\"m\":" + json + "}");
    return got.starts_with("{\"m\":") ? got.substr(5, got.find(',') - 5) : got.substr(0, kData.size());
  };
  CHECK(money("12.5") == "12.50");
  CHECK(money("\"-0.005\"") == "-0.01");
  CHECK(money("0.004") == "0.00");
  CHECK(money("1e3") == "1000.00");
  CHECK(money("99999999.99") == "99999999.99");
  CHECK(money("99999999.995") == kData);
  CHECK(money("100000000") == kData);
  CHECK(money("\"abc\"") == kData);
  CHECK(rows(R"({"w":99999999999999999999999999999999999999})").find("99999999999999999999999999999999999999") !=
        std::string::npos);
  CHECK(rows(R"({"w":-100000000000000000000000000000000000000})").starts_with(kData));
  CHECK(rows(R"({"t":-128,"s":32767})") == R"({"m":null,"w":null,"t":-128,"s":32767})");
  CHECK(rows(R"({"t":128})").starts_with(kData));
  CHECK(rows(R"({"s":-32769})").starts_with(kData));
}

TEST_CASE("RowConverter Add: binary is base64", "[delivery]") {
  Rows rows("struct<b:binary>");
  CHECK(rows(R"({"b":"AAEC/w=="})") == R"({"b":"AAEC/w=="})");
  CHECK(rows(R"({"b":"not base64!"})").starts_with(kData));
}

TEST_CASE("RowConverter Add: what does not fit goes to the overflow column, counted", "[delivery]") {
  Rows rows("struct<a:bigint,s:struct<x:int>,l:array<struct<y:int>>>", {}, true);
  CHECK(rows(R"({"a":1})") == R"({"a":1,"s":null,"l":null,"_overflow":null})");
  CHECK(rows(R"({"a":"abc","new":[1,{"k":"}"}],"n":null})") ==
        R"({"a":null,"s":null,"l":null,"_overflow":"{\"a\":\"abc\",\"new\":[1,{\"k\":\"}\"}]}"})");
  CHECK(rows.converter().overflow_fields() == 2);
  CHECK(rows(R"({"s":{"x":1.5,"z":true},"a":3})") ==
        R"({"a":3,"s":{"x":null},"l":null,"_overflow":"{\"s.x\":1.5,\"s.z\":true}"})");
  CHECK(rows.converter().overflow_fields() == 4);
  CHECK(rows(R"({"l":[{"y":1},{"y":2,"z":3}],"a":5})") ==
        R"({"a":5,"s":null,"l":null,"_overflow":"{\"l\":[{\"y\":1},{\"y\":2,\"z\":3}]}"})");
  CHECK(rows.converter().overflow_fields() == 5);
  CHECK(rows(R"({"new":[1,tru]})").starts_with(kParse));
  CHECK(rows(R"({"new":1}{"a")").starts_with(kParse));
  CHECK(rows(R"({"n\w":1})").starts_with(kParse));
  CHECK(rows.converter().overflow_fields() == 5);
}

TEST_CASE("RowConverter Add: whole numbers that a double would round go to the overflow column", "[delivery]") {
  Rows rows("struct<d:double,l:array<double>>", {}, true);
  CHECK(rows(R"({"d":9007199254740992})") == R"({"d":9007199254740992,"l":null,"_overflow":null})");
  CHECK(rows(R"({"d":9007199254740993})") == R"({"d":null,"l":null,"_overflow":"{\"d\":9007199254740993}"})");
  CHECK(rows(R"({"d":"-9007199254740993"})") == R"({"d":null,"l":null,"_overflow":"{\"d\":\"-9007199254740993\"}"})");
  CHECK(rows(R"({"d":18446744073709551615,"l":[1,9007199254740993]})") ==
        R"({"d":null,"l":null,"_overflow":"{\"d\":18446744073709551615,\"l\":[1,9007199254740993]}"})");
  CHECK(rows(R"({"d":100000000000000000000,"l":[1e300,0.1234567890123456789]})") ==
        R"({"d":1e+20,"l":[1e+300,0.12345678901234568],"_overflow":null})");
  CHECK(rows.converter().overflow_fields() == 4);
  CHECK(rows(R"({"d":01234567890123456789})").starts_with(kParse));
  Rows declared("struct<d:double>");
  CHECK(declared(R"({"d":9007199254740993})") == R"({"d":9007199254740992})");
}

TEST_CASE("RowConverter Add: of keys that differ only in case the last one counts, the others overflow", "[delivery]") {
  Rows rows("struct<a:int,s:struct<x:int>,l:array<struct<x:int>>>", {}, true);
  CHECK(rows(R"({"a":1,"A":2})") == R"({"a":2,"s":null,"l":null,"_overflow":"{\"a\":1}"})");
  CHECK(rows(R"({"A":1,"a":null})") == R"({"a":null,"s":null,"l":null,"_overflow":"{\"A\":1}"})");
  CHECK(rows(R"({"A":null,"a":1})") == R"({"a":1,"s":null,"l":null,"_overflow":null})");
  CHECK(rows(R"({"a":"no","A":2})") == R"({"a":2,"s":null,"l":null,"_overflow":"{\"a\":\"no\"}"})");
  CHECK(rows(R"({"s":{"X":1,"x":2,"X":3}})") ==
        R"({"a":null,"s":{"x":3},"l":null,"_overflow":"{\"s.X\":1,\"s.x\":2}"})");
  CHECK(rows(R"({"s":{"x":1},"S":{"x":2}})") == R"({"a":null,"s":{"x":2},"l":null,"_overflow":"{\"s\":{\"x\":1}}"})");
  CHECK(rows(R"({"l":[{"x":1,"X":2}]})") ==
        R"({"a":null,"s":null,"l":null,"_overflow":"{\"l\":[{\"x\":1,\"X\":2}]}"})");
  CHECK(rows(R"({"a":1})") == R"({"a":1,"s":null,"l":null,"_overflow":null})");
  CHECK(rows.converter().overflow_fields() == 7);
  Rows declared("struct<a:int>");
  CHECK(declared(R"({"a":1,"A":2})") == R"({"a":2})");
}

TEST_CASE("RowConverter Add: depth and size are bounded", "[delivery]") {
  Rows rows("struct<a:string,l:array<struct<x:int,y:int,z:int>>>", {}, true);
  auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(rows("{\"a\":" + nested(64) + "}").starts_with("{"));
  const std::string deep = kParse + "The JSON document was too deep (too many nested objects and arrays)";
  CHECK(rows("{\"a\":" + nested(65) + "}") == deep);
  CHECK(rows("{\"new\":" + nested(100'000) + "}") == deep);
  CHECK(rows(nested(100'000)) == deep);
  CHECK(rows("[1, \"" + std::string(70, '[') + "\", x]").find("improper structure") != std::string::npos);

  std::string many = "{\"l\":[{}";
  for (int i = 0; i < 3'000'000; ++i) many += ",{}";
  CHECK(rows(many + "]}").starts_with(kData + "The record holds more than"));

  ConverterOptions options;
  options.record_bytes_max = 10;
  Rows small("struct<a:int>", options);
  CHECK(small(R"({"a":1234})") == R"({"a":1234})");
  CHECK(small(R"({"a":12345})").starts_with(kData + "The record has 11 bytes"));
}

TEST_CASE("RowConverter Add: keys that change from record to record", "[delivery]") {
  Rows rows("struct<a:int,b:int,c:int>");
  for (int i = 0; i < 300; ++i) {
    std::string n = std::to_string(i);
    switch (i % 3) {
      case 0:
        CHECK(rows("{\"a\":" + n + ",\"k" + n + "\":0,\"c\":1}") == "{\"a\":" + n + ",\"b\":null,\"c\":1}");
        break;
      case 1:
        CHECK(rows("{\"c\":1,\"b\":" + n + "}") == "{\"a\":null,\"b\":" + n + ",\"c\":1}");
        break;
      default:
        CHECK(rows("{\"" + std::string(200, 'x') + "\":1,\"ab\":2,\"b\":" + n + "}") ==
              "{\"a\":null,\"b\":" + n + ",\"c\":null}");
    }
  }
}
