// Shapes: AWS's words for values of a wrong type and for broken constraints, and the values that operations read.
#include "protocol/aws/shape.h"

#include <memory>
#include <string>
#include <string_view>

#include "protocol/aws/writer.h"
#include "protocol/base64.h"
#include "tests/catch.h"

namespace sluice::protocol::aws {
namespace {

const Shape& Name() {
  static const Shape shape = Shape::Text().Length(1, 128).Pattern("[a-zA-Z0-9_.-]+");
  return shape;
}

/// Like CreateStream, PutRecords and AddTagsToStream in one.
const Shape& Input() {
  static const Shape count = Shape::Integer().Range(1, 100'000);
  static const Shape size = Shape::Long();
  static const Shape part = Shape::Double().Range(0, 1);
  static const Shape flag = Shape::Boolean();
  static const Shape when = Shape::Timestamp();
  static const Shape mode = Shape::Text().OneOf({"PROVISIONED", "ON_DEMAND"});
  static const Shape mode_details = Shape::Structure().Member("StreamMode", mode, Required::kYes);
  static const Shape data = Shape::Blob().Length(0, 6);
  static const Shape key = Shape::Text().Length(1, 4);
  static const Shape record =
      Shape::Structure().Member("Data", data, Required::kYes).Member("PartitionKey", key, Required::kYes);
  static const Shape records = Shape::List(record).Length(1, 2);
  static const Shape tag_key = Shape::Text().Length(1, 3);
  static const Shape tag_value = Shape::Text().Length(0, 2);
  static const Shape tags = Shape::Map(tag_key, tag_value).Length(1, 2);
  static const Shape tag_keys = Shape::List(tag_key).Length(1, 50);
  static const Shape shape = Shape::Structure()
                                 .Member("StreamName", Name())
                                 .Member("ShardCount", count)
                                 .Member("Size", size)
                                 .Member("Part", part)
                                 .Member("Flag", flag)
                                 .Member("When", when)
                                 .Member("StreamModeDetails", mode_details)
                                 .Member("Records", records)
                                 .Member("Tags", tags)
                                 .Member("TagKeys", tag_keys);
  return shape;
}

class Json {
 public:
  explicit Json(std::string text) : text_(std::move(text)) {
    const std::size_t size = text_.size();
    text_.append(Document::kPaddingBytes, ' ');
    REQUIRE(document_->ReadJson(std::string_view(text_).substr(0, size)).ok());
  }
  Value root() const { return document_->root(); }

 private:
  std::string text_;
  std::unique_ptr<Document> document_ = std::make_unique<Document>();
};

std::string TypeProblem(const std::string& json) {
  const Json input(json);
  const auto wrong = CheckTypes(input.root(), Input());
  if (!wrong) return "";
  CHECK(wrong->type == "SerializationException");
  return wrong->message;
}

std::string Problem(const std::string& json) {
  const Json input(json);
  REQUIRE_FALSE(CheckTypes(input.root(), Input()).has_value());
  const auto wrong = CheckConstraints(input.root(), Input());
  if (!wrong) return "";
  CHECK(wrong->type == "ValidationException");
  return wrong->message;
}

TEST_CASE("CheckTypes: what fits, null and members that nobody knows", "[aws]") {
  CHECK(TypeProblem("{}") == "");
  CHECK(TypeProblem(R"({"StreamName":null,"ShardCount":null,"Records":null,"Tags":null,"Other":{"x":[1]}})") == "");
  CHECK(TypeProblem(R"({"StreamName":"s","ShardCount":1.5,"Size":1,"Flag":true,"When":1.5,"Tags":{"a":"b"},
                        "Records":[{"Data":"Zm9v","PartitionKey":"k"}],"TagKeys":["a"]})") == "");
}

TEST_CASE("CheckTypes: members that nobody knows are null then", "[aws]") {
  const Json input(R"({"Other":1,"StreamName":"s","Records":[{"PartitionKey":"k","Other":{"x":[1]}}],"Other":[2]})");
  REQUIRE_FALSE(CheckTypes(input.root(), Input()).has_value());
  CHECK_FALSE(input.root().Find("Other").has_value());
  CHECK(input.root().Find("StreamName")->text() == "s");
  const Value record = (*input.root().Find("Records")->children().begin()).value;
  CHECK_FALSE(record.Find("Other").has_value());
  CHECK(record.Find("PartitionKey")->text() == "k");
}

TEST_CASE("CheckTypes: AWS's words", "[aws]") {
  const std::string number = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to ";
  CHECK(TypeProblem(R"({"StreamName":true})") == "class java.lang.Boolean can not be converted to an String");
  CHECK(TypeProblem(R"({"StreamName":1})") == number + "an String");
  CHECK(TypeProblem(R"({"ShardCount":"1"})") == "class java.lang.String can not be converted to an Integer");
  CHECK(TypeProblem(R"({"ShardCount":true})") == "class java.lang.Boolean can not be converted to an Integer");
  CHECK(TypeProblem(R"({"Size":true})") == "class java.lang.Boolean can not be converted to an Long");
  CHECK(TypeProblem(R"({"Part":"0.5"})") == "class java.lang.String can not be converted to an Double");
  CHECK(TypeProblem(R"({"Flag":"x"})") == "class java.lang.String can not be converted to an Boolean");
  CHECK(TypeProblem(R"({"When":"x"})") == "class java.lang.String can not be converted to milliseconds since epoch");
  CHECK(TypeProblem(R"({"StreamName":[]})") == "Start of list found where not expected");
  CHECK(TypeProblem(R"({"StreamName":{}})") == "Start of structure or map found where not expected.");
  CHECK(TypeProblem(R"({"Records":"x"})") == "Expected list or null");
  CHECK(TypeProblem(R"({"Records":{}})") == "Start of structure or map found where not expected.");
  CHECK(TypeProblem(R"({"Tags":"x"})") == "Expected map or null");
  CHECK(TypeProblem(R"({"Tags":[]})") == "Start of list found where not expected");
  CHECK(TypeProblem(R"({"StreamModeDetails":1})") == "Expected null");
  CHECK(TypeProblem(R"({"Records":[1]})") == "Expected null");
  CHECK(TypeProblem(R"({"Tags":{"a":1}})") == number + "an String");
}

TEST_CASE("CheckTypes: base64", "[aws]") {
  const auto data = [](const std::string& text) {
    return TypeProblem(R"({"Records":[{"Data":"Zm9v","PartitionKey":"k"},{"Data":)" + text + "}]}");
  };
  CHECK(data("true") == "class java.lang.Boolean can not be converted to a Blob");
  CHECK(data("1") == "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to a Blob");
  CHECK(data(R"("")") == "");
  CHECK(data(R"("abc")") ==
        "'abc' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3");
  CHECK(data(R"("ab$=")") == "'ab$=' can not be converted to a Blob: Invalid Base64 character: '$'");
  CHECK(data(R"("aab=")") == "'aab=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected");
}

TEST_CASE("CheckConstraints: AWS's words", "[aws]") {
  CHECK(Problem("{}") == "");
  CHECK(Problem(R"({"StreamName":"a-b_c.9","ShardCount":1})") == "");
  CHECK(Problem(R"({"StreamName":""})") ==
        "2 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must satisfy "
        "regular "
        "expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to satisfy constraint: Member must have "
        "length "
        "greater than or equal to 1");
  CHECK(Problem(R"({"ShardCount":0.9})") ==
        "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must have value "
        "greater "
        "than or equal to 1");
  CHECK(Problem(R"({"ShardCount":1e300})").ends_with("Member must have value less than or equal to 100000"));
  CHECK(Problem(R"({"Part":0.5})") == "");
  CHECK(Problem(R"({"Part":1})") == "");
  CHECK(Problem(R"({"Part":1.001})") ==
        "1 validation error detected: Value '1.001' at 'part' failed to satisfy constraint: Member must have value "
        "less than or equal to 1");
  CHECK(Problem(R"({"Part":-0.25})").ends_with("Member must have value greater than or equal to 0"));
  CHECK(Problem(R"({"StreamModeDetails":{}})") ==
        "1 validation error detected: Value null at 'streamModeDetails.streamMode' failed to satisfy constraint: "
        "Member must not "
        "be null");
  CHECK(Problem(R"({"StreamModeDetails":{"StreamMode":"X"}})") ==
        "1 validation error detected: Value 'X' at 'streamModeDetails.streamMode' failed to satisfy constraint: Member "
        "must "
        "satisfy enum value set: [PROVISIONED, ON_DEMAND]");
  CHECK(Problem(R"({"Records":[]})") ==
        "1 validation error detected: Value '[]' at 'records' failed to satisfy constraint: Member must have length "
        "greater than "
        "or equal to 1");
}

TEST_CASE("CheckConstraints: structures in lists by their place, blobs without their value", "[aws]") {
  CHECK(Problem(
            R"({"Records":[{"Data":"Zm9vYmFy","PartitionKey":"k"},{"Data":"Zm9vYmFyYg==","PartitionKey":"aaaaa"}]})") ==
        "2 validation errors detected: Value at 'records.2.member.data' failed to satisfy constraint: Member must have "
        "length "
        "less than or equal to 6; Value 'aaaaa' at 'records.2.member.partitionKey' failed to satisfy constraint: "
        "Member must "
        "have length less than or equal to 4");
  CHECK(Problem(R"({"Records":[{"Data":"Zm9v"}]})") ==
        "1 validation error detected: Value null at 'records.1.member.partitionKey' failed to satisfy constraint: "
        "Member must "
        "not be null");
  CHECK(Problem(R"({"Records":[{"Data":"","PartitionKey":"éééé"}]})") == "");  // characters, not bytes
}

TEST_CASE("CheckConstraints: simple values in lists and maps for the whole of it", "[aws]") {
  CHECK(Problem(R"({"TagKeys":["a","abcd"]})") ==
        "1 validation error detected: Value '[a, abcd]' at 'tagKeys' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 3, Member must have length greater than or equal "
        "to 1]");
  CHECK(Problem(R"({"Tags":{"abcd":"x"}})") ==
        "1 validation error detected: Value '{abcd=x}' at 'tags' failed to satisfy constraint: Map keys must satisfy "
        "constraint: "
        "[Member must have length less than or equal to 3, Member must have length greater than or equal to 1]");
  CHECK(Problem(R"({"Tags":{"a":"xyz"}})") ==
        "1 validation error detected: Value '{a=xyz}' at 'tags' failed to satisfy constraint: Map value must satisfy "
        "constraint: "
        "[Member must have length less than or equal to 2, Member must have length greater than or equal to 0]");
}

TEST_CASE("CheckConstraints: ten problems at most", "[aws]") {
  std::string json = R"({"Records":[{})";
  for (int i = 0; i < 9; ++i) json += ",{}";
  CHECK(Problem(json + "]}").starts_with("10 validation errors detected: Value at 'records' failed"));
}

TEST_CASE("CheckConstraints: patterns that RE2 has no words for, and those of keys", "[aws]") {
  static const Shape word = Shape::Text().Pattern("^(?!aws:)[a-z:]*$", "[a-z:]*", "(?s)aws:.*");
  static const Shape map = Shape::Map(word, word);
  static const Shape shape = Shape::Structure().Member("Word", word).Member("Map", map);
  const auto problem = [](std::string text) -> std::string {
    const Json json(std::move(text));
    const auto wrong = CheckConstraints(json.root(), shape);
    return wrong ? wrong->message : "";
  };
  CHECK(problem(R"({"Word":"aw","Map":{"a":"b"}})").empty());
  CHECK(problem(R"({"Word":"xaws:"})").empty());
  CHECK(problem(R"({"Word":"aws:"})") ==
        "1 validation error detected: Value 'aws:' at 'word' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: ^(?!aws:)[a-z:]*$");
  CHECK(problem(R"({"Word":"A"})").ends_with("pattern: ^(?!aws:)[a-z:]*$"));
  CHECK(problem(R"({"Map":{"aws:x":"b"}})") ==
        "1 validation error detected: Value '{aws:x=b}' at 'map' failed to satisfy constraint: Map keys must satisfy "
        "constraint: [Member must satisfy regular expression pattern: ^(?!aws:)[a-z:]*$]");
}

TEST_CASE("KnownJson: what the shape knows, in its order", "[aws]") {
  const Json json(
      R"({"TagKeys":["b",null,"a"],"Tags":{"b":"1","a":"2","b":"3","c":null},"More":{"x":1},"StreamName":"s",)"
      R"("Flag":true,"ShardCount":2.9,"Size":1e30,"Part":0.25,"Records":[{"Data":"Zm9v","PartitionKey":null,"Other":1}],)"
      R"("StreamModeDetails":{}})");
  CHECK(KnownJson(json.root(), Input()) ==
        R"({"StreamName":"s","ShardCount":2,"Size":9223372036854775807,"Part":0.25,"Flag":true,"StreamModeDetails":{},)"
        R"("Records":[{"Data":"Zm9v"}],"Tags":{"a":"2","b":"3"},"TagKeys":["b","a"]})");
}

std::string BytesOf(Value blob) {
  std::string bytes(BlobBytes(blob), '?');
  CopyBytes(blob, bytes.data());
  return bytes;
}

TEST_CASE("ToInteger, ToTimestampMs, ToBytes: both encodings", "[aws]") {
  const Json json(R"({"a":1.9,"b":1e300,"c":-5,"d":1459799926.480,"e":12,"f":"Zm9v"})");
  const auto at = [&](std::string_view name) { return json.root().Find(name).value(); };
  CHECK(ToInteger(at("a"), INT32_MAX) == 1);
  CHECK(ToInteger(at("b"), INT32_MAX) == INT32_MAX);
  CHECK(ToInteger(at("b"), INT64_MAX) == INT64_MAX);
  CHECK(ToInteger(at("c"), INT32_MAX) == -5);
  CHECK(ToTimestampMs(at("d")) == 1'459'799'926'480);
  CHECK(ToTimestampMs(at("e")) == 12'000);
  CHECK(BytesOf(at("f")) == "foo");

  const auto writer = Writer::New(Encoding::kCbor);
  writer->BeginMap();
  writer->Name("t").Timestamp(1'459'799'926'480);
  writer->Name("b").Bytes("xyz");
  writer->EndMap();
  const std::string bytes = writer->Take();
  Document cbor;
  REQUIRE(cbor.ReadCbor(bytes).ok());
  CHECK(ToTimestampMs(*cbor.root().Find("t")) == 1'459'799'926'480);
  CHECK(BytesOf(*cbor.root().Find("b")) == "xyz");
}

}  // namespace
}  // namespace sluice::protocol::aws
