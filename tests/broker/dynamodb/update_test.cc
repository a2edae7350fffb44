// UpdateItem: expressions and the older form, and what they refuse.
#include <string>

#include "tests/broker/dynamodb/dynamodb_fixture.h"

namespace sluice::broker::dynamodb {
namespace {

class Updates {
 public:
  Updates() {
    core.MakeLeases();
    core.Put("leases",
             R"({"leaseKey":{"S":"a"},"n":{"N":"5"},"ss":{"SS":["x","y"]},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},
                           "m":{"M":{"k":{"S":"v"}}}})");
  }

  /// The item after an update, or the error.
  std::string Run(std::string_view expression, std::string_view values = "{}") {
    const Reply reply = core.Run(
        "UpdateItem", Request("\"UpdateExpression\":\"" + std::string(expression) + "\"" +
                              (values == "{}" ? "" : ",\"ExpressionAttributeValues\":" + std::string(values))));
    return reply.error ? reply.message() : reply.body;
  }
  std::string Older(std::string_view updates) {
    const Reply reply = core.Run("UpdateItem", Request("\"AttributeUpdates\":" + std::string(updates)));
    return reply.error ? reply.message() : reply.body;
  }

  DynamodbCore core;

 private:
  static std::string Request(const std::string& update) {
    return R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}},"ReturnValues":"UPDATED_NEW",)" + update + "}";
  }
};

TEST_CASE("UpdateItem: SET, REMOVE, ADD and DELETE", "[dynamodb]") {
  Updates updates;
  CHECK(updates.Run("SET n = n + :1, x = if_not_exists(x, :1)", R"({":1":{"N":"1"}})") ==
        R"({"Attributes":{"n":{"N":"6"},"x":{"N":"1"}}})");
  CHECK(updates.Run("SET n = :1 - n REMOVE x", R"({":1":{"N":"1"}})") == R"({"Attributes":{"n":{"N":"-5"}}})");
  CHECK(
      updates.Run("set l = list_append(l, :l), m.k2 = :s, l2 = list_append(:l, if_not_exists(l2, :l))",
                  R"({":l":{"L":[{"N":"4"}]},":s":{"S":"w"}})") ==
      R"({"Attributes":{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"4"}]},"l2":{"L":[{"N":"4"},{"N":"4"}]},"m":{"M":{"k2":{"S":"w"}}}}})");
  CHECK(updates.Run("REMOVE l[0], l[2], m.k, none SET l[1] = :1, l[9] = :1", R"({":1":{"N":"7"}})").contains("l"));
  CHECK(
      updates.core.Get("leases", R"({"leaseKey":{"S":"a"}})").contains(R"("l":{"L":[{"N":"7"},{"N":"4"},{"N":"7"}]})"));
  CHECK(updates.Run("ADD n :1, ss :s, counter :1 DELETE none :s", R"({":1":{"N":"1"},":s":{"SS":["y","z"]}})") ==
        R"({"Attributes":{"counter":{"N":"1"},"n":{"N":"-4"},"ss":{"SS":["x","y","z"]}}})");
  CHECK(updates.Run("DELETE ss :s", R"({":s":{"SS":["y","z"]}})") == R"({"Attributes":{"ss":{"SS":["x"]}}})");
  CHECK(updates.Run("DELETE ss :s", R"({":s":{"SS":["x"]}})") == "{}");
  CHECK_FALSE(updates.core.Get("leases", R"({"leaseKey":{"S":"a"}})").contains("\"ss\""));
}

TEST_CASE("UpdateItem: all values are those before it", "[dynamodb]") {
  Updates updates;
  CHECK(updates.Run("SET n = x, x = n REMOVE ss") ==
        "The provided expression refers to an attribute that does not exist in the item");
  updates.Run("SET x = :1", R"({":1":{"N":"1"}})");
  CHECK(updates.Run("SET n = x, x = n") == R"({"Attributes":{"n":{"N":"1"},"x":{"N":"5"}}})");
}

TEST_CASE("UpdateItem: what does not fit the item", "[dynamodb]") {
  Updates updates;
  const std::string before = updates.core.Get("leases", R"({"leaseKey":{"S":"a"}})");
  const std::string wrong_path = "The document path provided in the update expression is invalid for update";
  const std::string wrong_type = "An operand in the update expression has an incorrect data type";
  CHECK(updates.Run("SET none.a = :1", R"({":1":{"N":"1"}})") == wrong_path);
  CHECK(updates.Run("SET n.a = :1", R"({":1":{"N":"1"}})") == wrong_path);
  CHECK(updates.Run("SET m[0] = :1", R"({":1":{"N":"1"}})") == wrong_path);
  CHECK(updates.Run("REMOVE none.a") == wrong_path);
  CHECK(updates.Run("SET n = n + :s", R"({":s":{"S":"1"}})") == wrong_type);
  CHECK(updates.Run("SET n = list_append(n, n)") == wrong_type);
  CHECK(updates.Run("ADD m :1", R"({":1":{"N":"1"}})") == wrong_type);
  CHECK(updates.Run("ADD ss :1", R"({":1":{"NS":["1"]}})") == wrong_type);
  CHECK(
      updates.Run("SET leaseKey = :1", R"({":1":{"S":"b"}})") ==
      "One or more parameter values were invalid: Cannot update attribute leaseKey. This attribute is part of the key");
  CHECK(updates.Run("SET n = :1 SET x = :1", R"({":1":{"N":"1"}})")
            .contains(R"(The "SET" section can only be used once)"));
  CHECK(updates.Run("SET m = :1, m.k = :1", R"({":1":{"N":"1"}})").contains("Two document paths overlap"));
  CHECK(updates.Run("ADD n :1", R"({":1":{"S":"1"}})")
            .contains("Incorrect operand type for operator or function; operator: ADD, operand type: S"));
  CHECK(updates.Run("SET n").contains("Syntax error"));
  CHECK(updates.Run("n = :1", R"({":1":{"N":"1"}})").contains("Syntax error"));
  CHECK(updates.core.Get("leases", R"({"leaseKey":{"S":"a"}})") == before);
}

TEST_CASE("UpdateItem: lists cannot grow without end", "[dynamodb]") {
  Updates updates;
  std::string answer;
  for (int i = 0; i < 20; ++i) answer = updates.Run("SET l = list_append(l, list_append(l, l))");
  CHECK(answer.contains("exceeded the maximum allowed size"));
}

TEST_CASE("UpdateItem: the older form, as KCL changes a lease", "[dynamodb]") {
  Updates updates;
  CHECK(updates
            .Older(R"({"owner":{"Action":"PUT","Value":{"S":"w"}},"n":{"Action":"ADD","Value":{"N":"1"}},
                          "ss":{"Action":"DELETE"},"l":{"Action":"ADD","Value":{"L":[{"N":"4"}]}}})")
            .contains(R"("n":{"N":"6"},"owner":{"S":"w"})"));
  CHECK(updates.Older(R"({"s2":{"Action":"ADD","Value":{"SS":["a","b"]}}})") ==
        R"({"Attributes":{"s2":{"SS":["a","b"]}}})");
  CHECK(updates.Older(R"({"s2":{"Action":"DELETE","Value":{"SS":["a"]}}})") == R"({"Attributes":{"s2":{"SS":["b"]}}})");
  CHECK(updates.Older(R"({"x":{"Action":"PUT"}})").contains("Only DELETE action is allowed"));
  CHECK(updates.Older(R"({"x":{"Action":"ADD","Value":{"S":"a"}}})").contains("not supported for the type S"));
  const std::string renew = R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}},"Expected":{"owner":{"Value":{"S":")";
  const std::string rest = R"("},"Exists":true}},"AttributeUpdates":{"n":{"Action":"PUT","Value":{"N":"7"}}}})";
  CHECK(updates.core.Fails("UpdateItem", renew + "other" + rest) ==
        "ConditionalCheckFailedException: The conditional request failed");
  CHECK(updates.core.MustRun("UpdateItem", renew + "w" + rest) == "{}");
}

TEST_CASE("UpdateItem: makes an item that is not there", "[dynamodb]") {
  Updates updates;
  CHECK(updates.core.MustRun("UpdateItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"new"}},
          "UpdateExpression":"SET n = :1","ExpressionAttributeValues":{":1":{"N":"1"}},"ReturnValues":"ALL_NEW"})") ==
        R"({"Attributes":{"leaseKey":{"S":"new"},"n":{"N":"1"}}})");
  CHECK(updates.core.MustRun("UpdateItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"new"}},
          "UpdateExpression":"REMOVE n","ReturnValues":"ALL_OLD"})") ==
        R"({"Attributes":{"leaseKey":{"S":"new"},"n":{"N":"1"}}})");
  updates.core.Restart();
  CHECK(updates.core.Get("leases", R"({"leaseKey":{"S":"new"}})") == R"({"Item":{"leaseKey":{"S":"new"}}})");
}

}  // namespace
}  // namespace sluice::broker::dynamodb
