// TransactWriteItems: all or none, of several tables.
#include <string>

#include "tests/broker/dynamodb/dynamodb_fixture.h"

namespace sluice::broker::dynamodb {
namespace {

TEST_CASE("TransactWriteItems: all actions, or none", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.MakeLog();
  core.Put("leases", R"({"leaseKey":{"S":"lock"},"ownerName":{"S":"w"}})");
  core.Put("leases", R"({"leaseKey":{"S":"old"}})");
  const auto move = [](std::string_view owner) {
    return R"({"TransactItems":[
      {"ConditionCheck":{"TableName":"leases","Key":{"leaseKey":{"S":"lock"}},"ConditionExpression":"ownerName = :o",
        "ExpressionAttributeValues":{":o":{"S":")" +
           std::string(owner) + R"+("}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}},
      {"Put":{"TableName":"log","Item":{"stream":{"S":"s"},"at":{"N":"1"}},"ConditionExpression":"attribute_not_exists(stream)"}},
      {"Delete":{"TableName":"leases","Key":{"leaseKey":{"S":"old"}}}},
      {"Update":{"TableName":"leases","Key":{"leaseKey":{"S":"new"}},"UpdateExpression":"SET n = :n",
        "ExpressionAttributeValues":{":n":{"N":"1"}}}}]})+";
  };
  const Reply refused = core.Run("TransactWriteItems", move("other"));
  REQUIRE(refused.error);
  CHECK(
      refused.error->body ==
      R"({"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled, please )"
      R"(refer cancellation reasons for specific reasons [ConditionalCheckFailed, None, None, None]","CancellationReasons":[)"
      R"({"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"leaseKey":{"S":"lock"},"ownerName":{"S":"w"}}},)"
      R"({"Code":"None"},{"Code":"None"},{"Code":"None"}]})");
  CHECK(core.Get("log", R"({"stream":{"S":"s"},"at":{"N":"1"}})") == "{}");
  CHECK(core.Get("leases", R"({"leaseKey":{"S":"old"}})") != "{}");
  CHECK(core.MustRun("TransactWriteItems", move("w")) == "{}");
  core.Restart();
  CHECK(core.Get("log", R"({"stream":{"S":"s"},"at":{"N":"1"}})") != "{}");
  CHECK(core.Get("leases", R"({"leaseKey":{"S":"old"}})") == "{}");
  CHECK(core.Get("leases", R"({"leaseKey":{"S":"new"}})") == R"({"Item":{"leaseKey":{"S":"new"},"n":{"N":"1"}}})");
  CHECK(core.Get("leases", R"({"leaseKey":{"S":"lock"}})").contains("ownerName"));
  CHECK(core.Run("TransactWriteItems", move("w")).message().ends_with("[None, ConditionalCheckFailed, None, None]"));
}

TEST_CASE("TransactWriteItems: what is no transaction", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const std::string remove = R"({"Delete":{"TableName":"leases","Key":{"leaseKey":{"S":"a"}}}})";
  CHECK(core.Fails("TransactWriteItems", R"({"TransactItems":[)" + remove + "," + remove + "]}") ==
        "ValidationException: Transaction request cannot include multiple operations on one item");
  CHECK(core.Fails("TransactWriteItems", R"({"TransactItems":[{}]})").starts_with("ValidationException"));
  CHECK(core.Fails("TransactWriteItems", R"({"TransactItems":[]})").contains("greater than or equal to 1"));
  CHECK(core.Fails("TransactWriteItems", R"({"TransactItems":[{"Delete":{"TableName":"none","Key":{"k":{"S":"a"}}}}]})")
            .starts_with("ResourceNotFoundException"));
}

}  // namespace
}  // namespace sluice::broker::dynamodb
