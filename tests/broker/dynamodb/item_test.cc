// PutItem, GetItem, DeleteItem: values of all types, keys, conditions in both forms.
#include <string>

#include "tests/broker/dynamodb/dynamodb_fixture.h"

namespace sluice::broker::dynamodb {
namespace {

constexpr std::string_view kKey = R"({"leaseKey":{"S":"a"}})";

TEST_CASE("PutItem: values of all types come back as they are", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const std::string item =
      R"({"b":{"B":"AAH/"},"bs":{"BS":["AA==","AQ=="]},"empty":{"S":""},"leaseKey":{"S":"a"},"list":{"L":[{"N":"1"},{"L":[]}]},)"
      R"("map":{"M":{"\"q\"":{"S":"ü\n"}}},"n":{"N":"-1.5"},"ns":{"NS":["-2","10"]},"nul":{"NULL":true},)"
      R"("ss":{"SS":["a","b"]},"yes":{"BOOL":false}})";
  core.Put("leases", item);
  const std::string answer = core.Get("leases", kKey);
  CHECK(answer ==
        R"({"Item":)" + std::string(R"({"b":{"B":"AAH/"},"bs":{"BS":["AA==","AQ=="]},"empty":{"S":""},)") +
            R"("leaseKey":{"S":"a"},"list":{"L":[{"N":"1"},{"L":[]}]},"map":{"M":{"\"q\"":{"S":"ü\u000a"}}},)" +
            R"("n":{"N":"-1.5"},"ns":{"NS":["-2","10"]},"nul":{"NULL":true},"ss":{"SS":["a","b"]},)" +
            R"("yes":{"BOOL":false}}})");
  core.Restart();
  CHECK(core.Get("leases", kKey) == answer);
  core.MustRun("DeleteItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}}})");
  core.MustRun("DeleteItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}}})");
  CHECK(core.Get("leases", kKey) == "{}");
  core.Restart();
  CHECK(core.Get("leases", kKey) == "{}");
}

TEST_CASE("PutItem: values that are none", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const auto fails = [&](std::string_view value) {
    return core.Fails("PutItem",
                      R"({"TableName":"leases","Item":{"leaseKey":{"S":"a"},"x":)" + std::string(value) + "}}");
  };
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  CHECK(fails("{}") ==
        "ValidationException: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  CHECK(fails(R"({"S":"a","N":"1"})") ==
        "ValidationException: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
        "supported datatypes");
  CHECK(fails(R"({"NULL":false})") == invalid + "Null attribute value types must have the value of true");
  CHECK(fails(R"({"SS":[]})") == invalid + "An string set  may not be empty");
  CHECK(fails(R"({"NS":["1","1.0"]})") == invalid + "Input collection contains duplicates");
  CHECK(fails(R"({"N":"one"})") == "ValidationException: The parameter cannot be converted to a numeric value: one");
  CHECK(fails(R"({"S":1})").starts_with("SerializationException"));
  CHECK(fails(R"({"B":"!"})").starts_with("SerializationException"));
  CHECK(fails(R"("text")").starts_with("SerializationException"));
  CHECK(fails(R"({"S":")" + std::string(400 * 1024, 'x') + "\"}") ==
        "ValidationException: Item size has exceeded the maximum allowed size");
  std::string deep = R"({"S":"x"})";
  for (int i = 0; i < 29; ++i) deep = R"({"M":{"a":)" + deep + "}}";
  CHECK(fails(R"({"M":{"a":)" + deep + "}}") == "ValidationException: Nesting Levels have exceeded supported limits");
  core.Put("leases", R"({"leaseKey":{"S":"a"},"x":)" + deep + "}");
  core.Restart();
  CHECK(core.Get("leases", kKey).contains(deep));
}

TEST_CASE("PutItem: the key is there and of its type", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.MakeLog();
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  CHECK(core.Fails("PutItem", R"({"TableName":"leases","Item":{"x":{"S":"a"}}})") ==
        invalid + "Missing the key leaseKey in the item");
  CHECK(core.Fails("PutItem", R"({"TableName":"leases","Item":{"leaseKey":{"N":"1"}}})") ==
        invalid + "Type mismatch for key leaseKey expected: S actual: N");
  CHECK(core.Fails("PutItem", R"({"TableName":"leases","Item":{"leaseKey":{"S":""}}})").contains("empty string value"));
  CHECK(core.Fails("PutItem", R"({"TableName":"log","Item":{"stream":{"S":"a"}}})") ==
        invalid + "Missing the key at in the item");
  const std::string mismatch = "ValidationException: The provided key element does not match the schema";
  CHECK(core.Fails("GetItem", R"({"TableName":"log","Key":{"stream":{"S":"a"}}})") == mismatch);
  CHECK(core.Fails("GetItem", R"({"TableName":"leases","Key":{"leaseKey":{"N":"1"}}})") == mismatch);
  CHECK(core.Fails("DeleteItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"},"x":{"S":"a"}}})") == mismatch);
  CHECK(core.Fails("GetItem", R"({"TableName":"none","Key":{"leaseKey":{"S":"a"}}})") ==
        "ResourceNotFoundException: Requested resource not found");
}

TEST_CASE("PutItem: a condition that does not hold changes nothing", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const std::string failed = "ConditionalCheckFailedException: The conditional request failed";
  const std::string once =
      R"({"TableName":"leases","Item":{"leaseKey":{"S":"a"},"v":{"N":"1"}},"Expected":{"leaseKey":{"Exists":false}}})";
  core.MustRun("PutItem", once);
  CHECK(core.Fails("PutItem", once) == failed);
  const auto put = [](std::string_view condition) {
    return R"({"TableName":"leases","Item":{"leaseKey":{"S":"a"},"v":{"N":"2"}},)" + std::string(condition) + "}";
  };
  CHECK(core.Fails("PutItem", put(R"+("ConditionExpression":"attribute_not_exists(leaseKey)")+")) == failed);
  CHECK(core.Fails("PutItem", put(R"("Expected":{"v":{"Value":{"N":"2"}}})")) == failed);
  CHECK(core.Fails("PutItem", put(R"("Expected":{"v":{"Value":{"N":"1"}},"x":{"Value":{"N":"1"}}})")) == failed);
  CHECK(core.Get("leases", kKey).contains(R"("v":{"N":"1"})"));
  core.MustRun("PutItem", put(R"("Expected":{"v":{"Value":{"N":"1.0"}}})"));
  core.MustRun(
      "PutItem",
      put(R"("ConditionalOperator":"OR","Expected":{"v":{"Value":{"N":"9"}},"x":{"ComparisonOperator":"NULL"}})"));
  CHECK(core.Get("leases", kKey).contains(R"("v":{"N":"2"})"));
  CHECK(core.Fails("PutItem", put(R"("Expected":{},"ConditionExpression":"a = :v")")).contains("Can not use both"));
  CHECK(core.Fails("PutItem", put(R"("Expected":{"v":{"Exists":false,"Value":{"N":"1"}}})"))
            .ends_with("Value cannot be used when Exists is false for Attribute: v"));
}

TEST_CASE("DeleteItem: the item is in the answer and in the failure where that is asked for", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.Put("leases", R"({"leaseKey":{"S":"a"},"v":{"N":"1"}})");
  const Reply reply = core.Run("DeleteItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}},
    "ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":{"N":"2"}},
    "ReturnValuesOnConditionCheckFailure":"ALL_OLD"})");
  REQUIRE(reply.error);
  CHECK(
      reply.error->body ==
      R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed",)"
      R"("Item":{"leaseKey":{"S":"a"},"v":{"N":"1"}}})");
  CHECK(core.MustRun("DeleteItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}},"ReturnValues":"ALL_OLD"})") ==
        R"({"Attributes":{"leaseKey":{"S":"a"},"v":{"N":"1"}}})");
}

TEST_CASE("GetItem: projections in both forms", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.Put(
      "leases",
      R"({"leaseKey":{"S":"a"},"x":{"N":"1"},"m":{"M":{"a":{"N":"1"},"b":{"N":"2"}}},"l":{"L":[{"N":"1"},{"N":"2"}]}})");
  const auto get = [&](std::string_view more) {
    return core.MustRun("GetItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}},)" + std::string(more) + "}");
  };
  CHECK(get(R"("AttributesToGet":["x","none"])") == R"({"Item":{"x":{"N":"1"}}})");
  CHECK(get(R"("ProjectionExpression":"#x, m.b, l[1], none.a","ExpressionAttributeNames":{"#x":"x"})") ==
        R"({"Item":{"l":{"L":[{"N":"2"}]},"m":{"M":{"b":{"N":"2"}}},"x":{"N":"1"}}})");
}

}  // namespace
}  // namespace sluice::broker::dynamodb
