// Scan and Query: order, pages, filters, segments, indexes.
#include <set>
#include <string>

#include "tests/broker/dynamodb/dynamodb_fixture.h"

namespace sluice::broker::dynamodb {
namespace {

/// The values of the attribute "v" in the answer's items, one character each.
std::string Values(const Reply& reply) {
  INFO(reply.message());
  REQUIRE(!reply.error);
  std::string values;
  for (std::size_t i = 0; i < std::stoul(reply.At("Items")); ++i) {
    values += reply.At("Items." + std::to_string(i) + ".v.S");
  }
  return values;
}

/// The answer's LastEvaluatedKey as the next request's ExclusiveStartKey; empty where there is none.
std::string Next(const Reply& reply) {
  const std::size_t at = reply.body.find("\"LastEvaluatedKey\":");
  if (at == std::string::npos) return "";
  return ",\"ExclusiveStartKey\":" + reply.body.substr(at + 19, reply.body.size() - at - 20);
}

/// Items of stream "s" at -2, 1, 3, 10, 20 with the values a to e, and one of another stream.
void Fill(DynamodbCore& core) {
  core.MakeLog();
  const char* places[] = {"-2", "1", "3", "10", "20"};
  for (int i = 4; i >= 0; --i) {
    core.Put("log", R"({"stream":{"S":"s"},"at":{"N":")" + std::string(places[i]) + R"("},"v":{"S":")" +
                        static_cast<char>('a' + i) + "\"}}");
  }
  core.Put("log", R"({"stream":{"S":"s2"},"at":{"N":"5"},"v":{"S":"x"}})");
}

std::string QueryOf(std::string_view condition, std::string_view more = "") {
  std::string values = R"(":s":{"S":"s"})";
  if (condition.contains(":a")) values += R"(,":a":{"N":"1"})";
  if (condition.contains(":b")) values += R"(,":b":{"N":"10"})";
  return R"({"TableName":"log","KeyConditionExpression":")" + std::string(condition) +
         R"(","ExpressionAttributeNames":{"#at":"at"},"ExpressionAttributeValues":{)" + values + "}" +
         std::string(more) + "}";
}

TEST_CASE("Query: one hash key in the order of the range key", "[dynamodb]") {
  DynamodbCore core;
  Fill(core);
  const auto values = [&](std::string_view condition, std::string_view more = "") {
    return Values(core.Run("Query", QueryOf(condition, more)));
  };
  CHECK(values("stream = :s AND #at > :a") == "cde");
  CHECK(values("#at >= :a and stream = :s") == "bcde");
  CHECK(values("stream = :s AND #at < :a") == "a");
  CHECK(values("stream = :s AND #at = :b") == "d");
  CHECK(values("stream = :s AND #at BETWEEN :a AND :b") == "bcd");
  CHECK(values("stream = :s AND #at > :a", R"(,"ScanIndexForward":false)") == "edc");
  CHECK(Values(core.Run("Query", R"({"TableName":"log","KeyConditions":{"stream":{"ComparisonOperator":"EQ",
    "AttributeValueList":[{"S":"s"}]},"at":{"ComparisonOperator":"LE","AttributeValueList":[{"N":"3"}]}}})")) == "abc");
}

TEST_CASE("Query: pages in both directions", "[dynamodb]") {
  DynamodbCore core;
  Fill(core);
  const std::string direction = GENERATE("true", "false");
  std::string all;
  std::string start;
  int pages = 0;
  do {
    const Reply reply = core.Run("Query", R"({"TableName":"log","KeyConditionExpression":"stream = :s","Limit":2,
      "ExpressionAttributeValues":{":s":{"S":"s"}},"ScanIndexForward":)" +
                                              direction + start + "}");
    all += Values(reply);
    start = Next(reply);
    ++pages;
  } while (!start.empty());
  CHECK(all == (direction == "true" ? "abcde" : "edcba"));
  CHECK(pages == 3);
}

TEST_CASE("Query: conditions that are none of the key's", "[dynamodb]") {
  DynamodbCore core;
  Fill(core);
  const std::string unsupported = "ValidationException: Query key condition not supported";
  CHECK(core.Fails("Query", QueryOf("stream > :s AND #at = :a")) == unsupported);
  CHECK(core.Fails("Query", QueryOf("stream = :s OR #at = :a")) == unsupported);
  CHECK(core.Fails("Query", QueryOf("stream = :s AND #at <> :a")) == unsupported);
  CHECK(core.Fails("Query", QueryOf("stream = :s AND #at = :a AND #at = :b")) == unsupported);
  CHECK(core.Fails("Query",
                   R"({"TableName":"log","KeyConditionExpression":"#at = :a","ExpressionAttributeNames":{"#at":"at"},
    "ExpressionAttributeValues":{":a":{"N":"1"}}})") ==
        "ValidationException: Query condition missed key schema element: stream");
  CHECK(core.Fails("Query", R"({"TableName":"log"})").starts_with("ValidationException: Either the KeyConditions"));
}

TEST_CASE("Scan: pages, filters and counts", "[dynamodb]") {
  DynamodbCore core;
  Fill(core);
  std::string all;
  std::string start;
  do {
    const Reply reply = core.Run("Scan", R"({"TableName":"log","Limit":2,"FilterExpression":"v <> :c",
      "ExpressionAttributeValues":{":c":{"S":"c"}})" +
                                             start + "}");
    CHECK(reply.At("ScannedCount").size() == 1);
    all += Values(reply);
    start = Next(reply);
  } while (!start.empty());
  CHECK(all == "abdex");
  const Reply counted = core.Run("Scan", R"({"TableName":"log","Select":"COUNT","ScanFilter":
    {"v":{"ComparisonOperator":"IN","AttributeValueList":[{"S":"a"},{"S":"x"}]}}})");
  CHECK(counted.At("Count") == "2");
  CHECK(counted.At("ScannedCount") == "6");
  CHECK_FALSE(counted.body.contains("Items"));
  CHECK(core.Fails("Scan", R"({"TableName":"log","ExclusiveStartKey":{"stream":{"S":"s"}}})") ==
        "ValidationException: The provided starting key is invalid");
}

TEST_CASE("Scan: a page looks at one MiB", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  for (int i = 0; i < 5; ++i) {
    core.Put("leases",
             R"({"leaseKey":{"S":")" + std::to_string(i) + R"("},"v":{"S":")" + std::string(300'000, 'v') + "\"}}");
  }
  const Reply first = core.Run("Scan", R"({"TableName":"leases"})");
  CHECK(first.At("Count") == "4");
  REQUIRE(!Next(first).empty());
  const Reply second = core.Run("Scan", R"({"TableName":"leases")" + Next(first) + "}");
  CHECK(second.At("Count") == "1");
  CHECK(Next(second).empty());
}

TEST_CASE("Scan: segments share the items", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  for (int i = 0; i < 50; ++i) {
    core.Put("leases", R"({"leaseKey":{"S":"shardId-)" + std::to_string(i) + R"("},"v":{"S":"v"}})");
  }
  std::size_t items = 0;
  for (int segment = 0; segment < 3; ++segment) {
    std::string start;
    std::size_t of_segment = 0;
    do {
      const Reply reply = core.Run("Scan", R"({"TableName":"leases","TotalSegments":3,"Limit":7,"Segment":)" +
                                               std::to_string(segment) + start + "}");
      of_segment += Values(reply).size();
      start = Next(reply);
    } while (!start.empty());
    CHECK(of_segment > 5);
    items += of_segment;
  }
  CHECK(items == 50);
  CHECK(core.Fails("Scan", R"({"TableName":"leases","TotalSegments":3,"Segment":3})")
            .contains("is not less than TotalSegments: 3"));
  CHECK(core.Fails("Scan", R"({"TableName":"leases","Segment":3})").contains("TotalSegments parameter is required"));
}

TEST_CASE("Query: an index, as KCL finds the leases of a worker", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.Put("leases", R"({"leaseKey":{"S":"before"},"leaseOwner":{"S":"w"},"v":{"S":"v"}})");
  core.MustRun("UpdateTable", R"({"TableName":"leases",
    "AttributeDefinitions":[{"AttributeName":"leaseKey","AttributeType":"S"},{"AttributeName":"leaseOwner","AttributeType":"S"}],
    "GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"OwnerToKey","Projection":{"ProjectionType":"KEYS_ONLY"},
      "KeySchema":[{"AttributeName":"leaseOwner","KeyType":"HASH"},{"AttributeName":"leaseKey","KeyType":"RANGE"}]}}]})");
  core.Put("leases", R"({"leaseKey":{"S":"after"},"leaseOwner":{"S":"w"},"v":{"S":"v"}})");
  core.Put("leases", R"({"leaseKey":{"S":"other"},"leaseOwner":{"S":"w2"}})");
  core.Put("leases", R"({"leaseKey":{"S":"free"}})");
  core.Restart();
  const std::string query =
      R"({"TableName":"leases","IndexName":"OwnerToKey","KeyConditionExpression":"leaseOwner = :o",
    "ExpressionAttributeValues":{":o":{"S":"w"}})";
  CHECK(
      core.MustRun("Query", query + "}") ==
      R"({"Items":[{"leaseKey":{"S":"after"},"leaseOwner":{"S":"w"}},{"leaseKey":{"S":"before"},"leaseOwner":{"S":"w"}}],)"
      R"("Count":2,"ScannedCount":2})");
  const Reply page = core.Run("Query", query + R"(,"Limit":1})");
  CHECK(Next(page) == R"(,"ExclusiveStartKey":{"leaseKey":{"S":"after"},"leaseOwner":{"S":"w"}})");
  CHECK(core.Run("Query", query + Next(page) + "}").At("Items.0.leaseKey.S") == "before");
  CHECK(core.Run("Scan", R"({"TableName":"leases","IndexName":"OwnerToKey"})").At("Count") == "3");
  CHECK(core.Fails("PutItem", R"({"TableName":"leases","Item":{"leaseKey":{"S":"a"},"leaseOwner":{"N":"1"}}})") ==
        "ValidationException: One or more parameter values were invalid: Type mismatch for Index Key leaseOwner "
        "Expected: S "
        "Actual: N IndexName: OwnerToKey");
  CHECK(core.Fails("Query", R"({"TableName":"leases","IndexName":"none","KeyConditionExpression":"leaseOwner = :o",
    "ExpressionAttributeValues":{":o":{"S":"w"}}})") ==
        "ValidationException: The table does not have the specified index: none");
}

}  // namespace
}  // namespace sluice::broker::dynamodb
