// Documents: what the two readers take and refuse, and that what the writers write is read back as the same.
#include "protocol/aws/document.h"

#include <rapidcheck.h>

#include <memory>
#include <string>
#include <string_view>

#include "protocol/aws/writer.h"
#include "protocol/base64.h"
#include "tests/catch.h"
#include "tests/protocol/aws/show.h"

namespace sluice::protocol::aws {
namespace {

/// What the document says, or why it is refused. Behind the text stands what would be an error if it were looked at.
std::string ShowJson(std::string_view json) {
  const std::string padded = std::string(json) + std::string(Document::kPaddingBytes, '}');
  Document document;
  const Status status = document.ReadJson(std::string_view(padded).substr(0, json.size()));
  return status.ok() ? Show(document.root()) : status.message();
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string ShowCbor(std::string_view hex) {
  const std::string cbor = Unhex(hex);
  Document document;
  const Status status = document.ReadCbor(cbor);
  return status.ok() ? Show(document.root()) : status.message();
}

TEST_CASE("Document::ReadJson: every kind of value", "[aws]") {
  CHECK(ShowJson("{}") == "{}");
  CHECK(ShowJson(R"( {"a" : "x" , "b":[1,-2,true,false,null,{}], "c":{"d":[]}} )") ==
        R"({"a": "x", "b": [1, -2, true, false, null, {}], "c": {"d": []}})");
  CHECK(
      ShowJson(R"({"a":1.5,"b":1e3,"c":9223372036854775807,"d":9223372036854775808,"e":1234567890123456789012})") ==
      R"({"a": 1.5, "b": 1000.0, "c": 9223372036854775807, "d": 9.223372036854776e+18, "e": 1.2345678901234568e+21})");
}

/// The same of a form.
std::string ShowForm(std::string_view form) {
  Document document;
  const Status status = document.ReadForm(form);
  return status.ok() ? Show(document.root()) : status.message();
}

TEST_CASE("Document::ReadForm: structures and lists out of the names of fields", "[aws]") {
  CHECK(ShowForm("a=1&b=x+y%2B%c3%bc") == "{\"a\": \"1\", \"b\": \"x y+\u00fc\"}");
  CHECK(ShowForm("l.member.10=z&m.k.member.1.x=2&l.member.2=y&m.v=1") ==
        R"({"l": ["y", "z"], "m": {"k": [{"x": "2"}], "v": "1"}})");
  CHECK(ShowForm("a=1&a=2") == R"({"a": "2"})");
  CHECK(ShowForm("a=1&&list=&b") == R"({"a": "1"})");
  CHECK(ShowForm("a=b=c") == R"({"a": "b=c"})");
}

TEST_CASE("Document::ReadForm: refuses what does not fit together", "[aws]") {
  const std::string wrong = "not a form: ";
  CHECK(ShowForm("") == wrong + "it is empty");
  CHECK(ShowForm("=1") == wrong + "a value without a name");
  CHECK(ShowForm("a=1&a.b=2") == wrong + "a value that has members too");
  CHECK(ShowForm("a.member.x=1") == wrong + "an element of a list without a number");
  CHECK(ShowForm("a.member.1=1&a.member.01=1") == wrong + "two elements of a list with one number");
  CHECK(ShowForm("a=%f") == wrong + "an escape that is none, or a text that is not UTF-8");
  CHECK(ShowForm("a=%ff") == wrong + "an escape that is none, or a text that is not UTF-8");
  CHECK(ShowForm("member.1=a") == wrong + "no members");
  std::string deep = "a";
  for (std::size_t i = 0; i < Document::kDepthMax; ++i) deep += ".a";
  CHECK(ShowForm(deep + "=1") == wrong + "nested too deep");
  std::string many;
  for (std::size_t i = 0; i <= Document::kValuesMax; ++i) many += "a" + std::to_string(i) + "=1&";
  CHECK(ShowForm(many) == wrong + "more values than a request may have");
}

TEST_CASE("Document::ReadJson: escapes in names and texts, space behind texts", "[aws]") {
  CHECK(ShowJson("{\"a\\u0062\":\"x\\ty\\u00e9\" \t\r\n, \"c\": \"d\\\\\"}") ==
        "{\"ab\": \"x\ty\u00e9\", \"c\": \"d\\\"}");
}

TEST_CASE("Document::ReadJson: refuses what is not one JSON object", "[aws]") {
  for (const char* wrong : {"",
                            " ",
                            "{",
                            "}",
                            "[]",
                            "\"a\"",
                            "1",
                            "null",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "{\"a\":\"b}",
                            "{\"a\":1}{}",
                            "{\"a\":1} x",
                            "{a:1}",
                            "{\"a\":tru}",
                            "{\"a\":nul}",
                            "{\"a\":01}",
                            "{\"a\":1.}",
                            "{\"a\":-}",
                            "{\"a\":\"\\x\"}",
                            "{\"a\":\"\\ud800\"}",
                            "{\"a\":\"\n\"}",
                            "{\"a\":\"\xff\"}",
                            "{\"a\":[1,2}",
                            "{\"a\":\"b\"c}"}) {
    INFO(wrong);
    CHECK(ShowJson(wrong).starts_with("not a JSON document: "));
  }
}

TEST_CASE("Document: bounds of depth and count", "[aws]") {
  const auto nested = [](std::size_t lists) {
    return "{\"a\":" + std::string(lists, '[') + std::string(lists, ']') + "}";
  };
  CHECK(ShowJson(nested(Document::kDepthMax - 1)).starts_with("{"));
  CHECK(ShowJson(nested(Document::kDepthMax)) == "not a JSON document: nested too deep");
  CHECK(ShowJson(nested(100'000)).starts_with("not a JSON document: "));

  const auto nested_cbor = [](std::size_t lists, std::string_view open) {
    std::string hex = "a16161";
    for (std::size_t i = 0; i < lists; ++i) hex += open;
    return hex + "80";
  };
  CHECK(ShowCbor(nested_cbor(Document::kDepthMax - 2, "81")).starts_with("{"));
  CHECK(ShowCbor(nested_cbor(Document::kDepthMax - 1, "81")) == "not a CBOR document: nested too deep");
  CHECK(ShowCbor(nested_cbor(100'000, "c2")) == "not a CBOR document: nested too deep");

  const auto wide = [](std::size_t elements) {
    std::string json = "{\"a\":[1";
    for (std::size_t i = 1; i < elements; ++i) json += ",1";
    return json + "]}";
  };
  CHECK(ShowJson(wide(Document::kValuesMax - 3)).starts_with("{"));  // the map, the name and the list are values too
  CHECK(ShowJson(wide(Document::kValuesMax - 2)) == "not a JSON document: more values than a request may have");
}

TEST_CASE("Document: is empty-handed after a refusal and can be filled again", "[aws]") {
  Document document;
  const std::string bad = "{\"a\":[1,2" + std::string(Document::kPaddingBytes, ' ');
  const std::string good = "{\"b\":\"c\"}" + std::string(Document::kPaddingBytes, ' ');
  CHECK_FALSE(document.ReadJson(std::string_view(bad).substr(0, 9)).ok());
  REQUIRE(document.ReadJson(std::string_view(good).substr(0, 9)).ok());
  CHECK(Show(document.root()) == R"({"b": "c"})");
  REQUIRE(document.ReadCbor("\xa0").ok());
  CHECK(Show(document.root()) == "{}");
}

TEST_CASE("Value::Find: the last member of a name, none where it is null", "[aws]") {
  Document document;
  const std::string json = R"({"a":1,"b":null,"a":{"a":2}})" + std::string(Document::kPaddingBytes, ' ');
  REQUIRE(document.ReadJson(std::string_view(json).substr(0, json.size() - Document::kPaddingBytes)).ok());
  REQUIRE(document.root().Find("a").has_value());
  CHECK(Show(*document.root().Find("a")) == R"({"a": 2})");
  CHECK_FALSE(document.root().Find("b").has_value());
  CHECK_FALSE(document.root().Find("c").has_value());
  CHECK(document.root().size() == 3);
}

// From RFC 8949 appendix A, as members of a map.
TEST_CASE("Document::ReadCbor: examples of the RFC", "[aws]") {
  const auto member = [](std::string_view hex) {
    const std::string shown = ShowCbor("a16161" + std::string(hex));
    return shown.starts_with("{\"a\": ") ? shown.substr(6, shown.size() - 7) : shown;
  };
  CHECK(member("00") == "0");
  CHECK(member("17") == "23");
  CHECK(member("1818") == "24");
  CHECK(member("1903e8") == "1000");
  CHECK(member("1a000f4240") == "1000000");
  CHECK(member("1b000000e8d4a51000") == "1000000000000");
  CHECK(member("1bffffffffffffffff") == "1.8446744073709552e+19");
  CHECK(member("3bffffffffffffffff") == "-1.8446744073709552e+19");
  CHECK(member("20") == "-1");
  CHECK(member("3903e7") == "-1000");
  CHECK(member("f93c00") == "1.0");
  CHECK(member("f97bff") == "65504.0");
  CHECK(member("f90001") == "5.960464477539063e-08");
  CHECK(member("f9c400") == "-4.0");
  CHECK(member("fa47c35000") == "100000.0");
  CHECK(member("fb3ff199999999999a") == "1.1");
  CHECK(member("f4") == "false");
  CHECK(member("f5") == "true");
  CHECK(member("f6") == "null");
  CHECK(member("f7") == "null");
  CHECK(member("c11a514b67b0") == "1(1363896240)");
  CHECK(member("c1fb41d452d9e8000000") == "1(1363896224)");
  CHECK(member("d818456449455446") == "h'6449455446'");  // tag 24 has no meaning here
  CHECK(member("4401020304") == "h'01020304'");
  CHECK(member("64f0908591") == "\"\xf0\x90\x85\x91\"");
  CHECK(member("8301820203820405") == "[1, [2, 3], [4, 5]]");
  CHECK(member("a26161016162820203") == R"({"a": 1, "b": [2, 3]})");
  CHECK(member("5f42010243030405ff") == "h'0102030405'");
  CHECK(member("7f657374726561646d696e67ff") == "\"streaming\"");
  CHECK(member("9fff") == "[]");
  CHECK(member("9f018202039f0405ffff") == "[1, [2, 3], [4, 5]]");
  CHECK(member("bf6346756ef563416d7421ff") == R"({"Fun": true, "Amt": -2})");
}

TEST_CASE("Document::ReadCbor: refuses what is not one CBOR map", "[aws]") {
  for (const char* wrong : {"",
                            "80",
                            "01",
                            "6161",
                            "f6",
                            "a1",
                            "a161",
                            "a16161",
                            "a1616118",
                            "a16161190",
                            "a1616161",
                            "a161615f41",
                            "a161615f6161ff",
                            "a161617f7f6161ffff",
                            "a16161ff",
                            "a16161f0",
                            "a161611c",
                            "a161611f",
                            "a161613f",
                            "a16161df01",
                            "bf",
                            "bf6161ff",
                            "bf6161",
                            "a10101",
                            "a000",
                            "a161619b7fffffffffffffff01",
                            "a161615b7fffffffffffffff01",
                            "a16161c16161",
                            "a16161c1f97e00",
                            "a16161c11bffffffffffffffff",
                            "a16161c11f",
                            "a1616161ff",             // texts that are no UTF-8: as a value,
                            "a161ff01",               // as a name,
                            "a161617f61c361c3ff"}) {  // in pieces
    INFO(wrong);
    CHECK(ShowCbor(wrong).starts_with("not a CBOR document: "));
  }
}

/// Writes the same random answer with both writers, and what documents should say of it.
class RandomAnswer {
 public:
  RandomAnswer() { Map(4); }

  std::string json() { return json_->Take(); }
  std::string cbor() { return cbor_->Take(); }
  std::string shown_json;
  std::string shown_cbor;

 private:
  template <typename Write>
  void Both(const Write& write) {
    write(*json_);
    write(*cbor_);
  }
  void Shown(const std::string& json, const std::string& cbor) {
    shown_json += json;
    shown_cbor += cbor;
  }

  void Any(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
      case 0: {
        const std::string text = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
        Both([&](Writer& writer) { writer.Text(text); });
        return Shown(fmt::format("\"{}\"", text), fmt::format("\"{}\"", text));
      }
      case 1: {
        const auto value = *rc::gen::arbitrary<std::int64_t>();
        Both([&](Writer& writer) { writer.Integer(value); });
        return Shown(std::to_string(value), std::to_string(value));
      }
      case 2: {
        const auto value = *rc::gen::arbitrary<bool>();
        Both([&](Writer& writer) { writer.Boolean(value); });
        return Shown(value ? "true" : "false", value ? "true" : "false");
      }
      case 3: {
        const auto bytes = *rc::gen::arbitrary<std::string>();
        Both([&](Writer& writer) { writer.Bytes(bytes); });
        std::string hex;
        for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
        return Shown(fmt::format("\"{}\"", EncodeBase64(bytes)), fmt::format("h'{}'", hex));
      }
      case 4: {
        const auto ms = *rc::gen::inRange<std::int64_t>(-100'000, 4'000'000'000'000);
        Both([&](Writer& writer) { writer.Timestamp(ms); });
        return Shown(ShowReal(static_cast<double>(ms) / 1000), fmt::format("1({})", ms));
      }
      case 5: {
        const double value = *rc::gen::inRange(-1000, 1000) + 0.25;
        Both([&](Writer& writer) { writer.Real(value); });
        return Shown(ShowReal(value), ShowReal(value));
      }
      case 6:
        return List(depth - 1);
      default:
        return Map(depth - 1);
    }
  }

  void List(int depth) {
    Both([](Writer& writer) { writer.BeginList(); });
    Shown("[", "[");
    const int elements = *rc::gen::inRange(0, 4);
    for (int i = 0; i < elements; ++i) {
      if (i > 0) Shown(", ", ", ");
      Any(depth);
    }
    Both([](Writer& writer) { writer.EndList(); });
    Shown("]", "]");
  }

  void Map(int depth) {
    Both([](Writer& writer) { writer.BeginMap(); });
    Shown("{", "{");
    const int members = *rc::gen::inRange(0, 4);
    for (int i = 0; i < members; ++i) {
      const std::string name = std::string(static_cast<std::size_t>(i) * 13, 'n') + std::to_string(i);
      Both([&](Writer& writer) { writer.Name(name); });
      const std::string shown = fmt::format("{}\"{}\": ", i > 0 ? ", " : "", name);
      Shown(shown, shown);
      Any(depth);
    }
    Both([](Writer& writer) { writer.EndMap(); });
    Shown("}", "}");
  }

  std::unique_ptr<Writer> json_ = Writer::New(Encoding::kJson);
  std::unique_ptr<Writer> cbor_ = Writer::New(Encoding::kCbor);
};

TEST_CASE("Writer: what is written is read back as the same, in both encodings", "[aws]") {
  CHECK(rc::check("any answer", [] {
    RandomAnswer answer;
    RC_ASSERT(ShowJson(answer.json()) == answer.shown_json);
    const std::string cbor = answer.cbor();
    Document document;
    RC_ASSERT(document.ReadCbor(cbor).ok());
    RC_ASSERT(Show(document.root()) == answer.shown_cbor);
  }));
}

TEST_CASE("Writer: times and lengths as AWS writes them", "[aws]") {
  const auto json = Writer::New(Encoding::kJson);
  json->BeginMap();
  json->Name("t").Timestamp(1'459'799'926'480);
  json->Name("s").Timestamp(1'789'779'975'000);
  json->EndMap();
  CHECK(json->size() == 39);
  CHECK(json->Take() == R"({"t":1459799926.480,"s":1789779975.000})");
  CHECK(json->size() == 0);

  const auto cbor = Writer::New(Encoding::kCbor);
  cbor->BeginMap();
  cbor->Name("t").Timestamp(1'459'799'926'480);
  cbor->Name("b").Bytes("xyz");
  cbor->Name("n").Integer(-1);
  cbor->EndMap();
  CHECK(cbor->Take() == Unhex("bf6174c11b00000153e2db26d061624378797a616e20ff"));
}

}  // namespace
}  // namespace sluice::protocol::aws
