// Conditions: what holds of an item, and what is said of those that are wrong.
#include <string>

#include "tests/broker/dynamodb/dynamodb_fixture.h"

namespace sluice::broker::dynamodb {
namespace {

constexpr std::string_view kItem = R"({"leaseKey":{"S":"a"},"n":{"N":"5"},"s":{"S":"hello"},"b":{"B":"AAH/"},
  "yes":{"BOOL":true},"none":{"NULL":true},"tags":{"SS":["x","y"]},"ns":{"NS":["1","2.0"]},
  "list":{"L":[{"N":"1"},{"S":"two"},{"M":{"deep":{"S":"here"}}}]},"map":{"M":{"a.b":{"N":"1"},"c":{"L":[{"N":"9"}]}}}})";
constexpr std::string_view kHolders = R"("ExpressionAttributeNames":{"#n":"n","#dot":"a.b"},"ExpressionAttributeValues":
  {":5":{"N":"5.0"},":6":{"N":"6"},":s":{"S":"hello"},":x":{"S":"x"},":t":{"S":"SS"},":2":{"N":"2"},":b":{"BOOL":true},
   ":he":{"S":"he"},":set":{"SS":["y","x"]}})";
// Uses every placeholder, which each expression must.
constexpr std::string_view kAll =
    " OR (leaseKey = :none AND #n = :5 AND map.#dot = :6 AND a = :s AND a = :x AND a = :t AND a = :2 AND a = :b AND a "
    "= :he "
    "AND a = :set)";

std::string Scan(std::string_view filter) {
  std::string holders(kHolders);
  holders.insert(holders.size() - 1, R"(,":none":{"S":"none"})");
  return R"({"TableName":"leases","Select":"COUNT","FilterExpression":"()" + std::string(filter) + ")" +
         std::string(kAll) + "\"," + holders + "}";
}

class OneItem {
 public:
  OneItem() {
    core_.MakeLeases();
    core_.Put("leases", kItem);
  }
  bool Holds(std::string_view filter) {
    const Reply reply = core_.Run("Scan", Scan(filter));
    INFO(reply.message());
    REQUIRE(!reply.error);
    return reply.At("Count") == "1";
  }

 private:
  DynamodbCore core_;
};

TEST_CASE("Conditions: what holds of an item", "[dynamodb]") {
  OneItem item;
  for (const char* filter : {
           "#n = :5",
           "n = :5",
           "n <> :6",
           "n < :6",
           "n <= :5",
           "n >= :5",
           ":6 > n",
           "n BETWEEN :2 AND :6",
           "n in (:2, :5)",
           "s IN (:s)",
           "attribute_exists(s)",
           "attribute_not_exists(nothing)",
           "nothing <> :5",
           "attribute_type(tags, :t)",
           "begins_with(s, :he)",
           "contains(s, :he)",
           "contains(tags, :x)",
           "contains(ns, :2)",
           "tags = :set",
           "size(s) = :5",
           "size(tags) = :2",
           "size(b) < :5",
           "size(list) > :2",
           "yes = :b",
           "list[0] < :2",
           "attribute_exists(list[2].deep)",
           "attribute_not_exists(list[3])",
           "map.#dot < :2",
           "attribute_exists(map.c[0])",
           "NOT n = :6",
           "not (n = :6 or s = :x)",
           "n = :6 OR s = :s AND n = :5",
           "(n = :6 OR s = :s) AND n = :5",
           "(((n = :5)))",
       }) {
    INFO(filter);
    CHECK(item.Holds(filter));
  }
}

TEST_CASE("Conditions: what does not hold of an item", "[dynamodb]") {
  OneItem item;
  for (const char* filter : {
           "n = :s",
           "n = :6",
           "nothing = :5",
           "nothing < :5",
           "n > :s",
           "n BETWEEN :6 AND :6",
           "n IN (:2, :s)",
           "attribute_exists(nothing)",
           "attribute_exists(s.deep)",
           "attribute_type(s, :t)",
           "begins_with(n, :he)",
           "contains(n, :5)",
           "contains(nothing, :x)",
           "size(n) = :5",
           "size(nothing) = :5",
           "list[1] = :2",
           "NOT n = :5",
           "n = :5 AND NOT s = :s",
       }) {
    INFO(filter);
    CHECK_FALSE(item.Holds(filter));
  }
}

TEST_CASE("Conditions: what is no expression is told in DynamoDB's words", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const auto wrong = [&](std::string_view expression, std::string_view holders = R"({":v":{"N":"1"}})") {
    return core.Fails("Scan", R"({"TableName":"leases","FilterExpression":")" + std::string(expression) +
                                  R"(","ExpressionAttributeValues":)" + std::string(holders) + "}");
  };
  const std::string invalid = "ValidationException: Invalid FilterExpression: ";
  CHECK(wrong("") == invalid + "The expression can not be empty;");
  CHECK(wrong("a ==") == invalid + R"(Syntax error; token: "=", near: "a ==")");
  CHECK(wrong("a = :v AND") == invalid + R"(Syntax error; token: "<EOF>", near: "a = :v AND")");
  CHECK(wrong("a = :v b") == invalid + R"(Syntax error; token: "b", near: "a = :v b")");
  CHECK(wrong("a ! :v") == invalid + R"(Syntax error; token: "!", near: "a ! :v")");
  CHECK(wrong("a = :w") ==
        invalid + "An expression attribute value used in expression is not defined; attribute value: :w");
  CHECK(wrong("#a = :v") ==
        invalid + "An expression attribute name used in the document path is not defined; attribute name: #a");
  CHECK(wrong("attribute_exists(:v)") ==
        invalid + "Operator or function requires a document path; operator or function: attribute_exists");
  CHECK(wrong("a < :v", R"({":v":{"BOOL":true}})") ==
        invalid + "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL");
  CHECK(wrong("attribute_type(a, :v)", R"({":v":{"S":"X"}})") ==
        invalid + "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
  CHECK(wrong("a = :v", R"({":v":{"N":"1"},":w":{"N":"1"}})") ==
        "ValidationException: Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}");
  CHECK(wrong("a = :v", R"({":v":{"N":"x"}})") ==
        "ValidationException: ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a "
        "numeric value: x for key :v");
  CHECK(wrong("a = :v", R"({"v":{"N":"1"}})") ==
        R"(ValidationException: ExpressionAttributeValues contains invalid key: Syntax error; key: "v")");
}

TEST_CASE("Conditions: size, depth and operators are bounded", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const auto wrong = [&](const std::string& expression) {
    return core.Fails("Scan", R"({"TableName":"leases","FilterExpression":")" + expression +
                                  R"(","ExpressionAttributeValues":{":v":{"N":"1"}}})");
  };
  core.MustRun("Scan", R"({"TableName":"leases","FilterExpression":")" + std::string(4090, ' ') +
                           R"(a = :v","ExpressionAttributeValues":{":v":{"N":"1"}}})");
  CHECK(wrong(std::string(4091, ' ') + "a = :v")
            .contains("Expression size has exceeded the maximum allowed size; expression size: 4097"));
  CHECK(wrong(std::string(64, '(') + "a = :v" + std::string(64, ')')).contains("nested too deep"));
  std::string chain = "a=:v";
  for (int i = 0; i < 150; ++i) chain += " OR a=:v";
  CHECK(wrong(chain).contains("too many operators"));
  std::string path = "a";
  for (int i = 0; i < 33; ++i) path += ".a";
  CHECK(wrong(path + " = :v").contains("nesting levels have exceeded"));
}

}  // namespace
}  // namespace sluice::broker::dynamodb
