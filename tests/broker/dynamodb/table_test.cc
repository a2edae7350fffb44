// Tables: their life, what is told of them, and the bounds.
#include <string>

#include "broker/api/dynamodb/table_store.h"
#include "tests/broker/dynamodb/dynamodb_fixture.h"

namespace sluice::broker::dynamodb {
namespace {

TEST_CASE("CreateTable: is there at once, and after a restart", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  CHECK(core.Fails("CreateTable", R"({"TableName":"leases","BillingMode":"PAY_PER_REQUEST",
    "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}]})") ==
        "ResourceInUseException: Table already exists: leases");
  const auto described = [&] { return core.Run("DescribeTable", R"({"TableName":"leases"})"); };
  CHECK(described().At("Table.TableStatus") == "ACTIVE");
  CHECK(described().At("Table.TableArn") == "arn:aws:dynamodb:us-east-1:000000000000:table/leases");
  CHECK(described().At("Table.BillingModeSummary.BillingMode") == "PAY_PER_REQUEST");
  CHECK(described().At("Table.TableSizeBytes") == "0");
  core.Put("leases", R"({"leaseKey":{"S":"ab"},"v":{"N":"100"}})");
  CHECK(described().At("Table.ItemCount") == "1");
  CHECK(described().At("Table.TableSizeBytes") == "13");  // 8 + 2, 1 + 2
  const std::string before = described().body;
  core.Restart();
  CHECK(described().body == before);
  CHECK(
      core.Run("GetItem",
               R"({"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/leases","Key":{"leaseKey":{"S":"ab"}}})")
          .At("Item.v.N") == "100");
}

TEST_CASE("DeleteTable: its items are gone, also from a new table of the name", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.Put("leases", R"({"leaseKey":{"S":"a"}})");
  CHECK(core.Run("DeleteTable", R"({"TableName":"leases"})").At("TableDescription.TableStatus") == "DELETING");
  CHECK(core.Fails("DescribeTable", R"({"TableName":"leases"})") ==
        "ResourceNotFoundException: Requested resource not found: Table: leases not found");
  CHECK(core.Fails("DeleteTable", R"({"TableName":"leases"})").starts_with("ResourceNotFoundException"));
  core.MakeLeases();
  core.Restart();
  CHECK(core.Get("leases", R"({"leaseKey":{"S":"a"}})") == "{}");
}

TEST_CASE("DeleteTable: a protected table stays", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.MustRun("UpdateTable", R"({"TableName":"leases","DeletionProtectionEnabled":true})");
  core.Restart();
  CHECK(core.Fails("DeleteTable", R"({"TableName":"leases"})").contains("protected against deletion"));
  core.MustRun("UpdateTable", R"({"TableName":"leases","DeletionProtectionEnabled":false})");
  core.MustRun("DeleteTable", R"({"TableName":"leases"})");
}

TEST_CASE("CreateTable: what is no table", "[dynamodb]") {
  DynamodbCore core;
  const auto fails = [&](std::string_view name, std::string_view keys, std::string_view more = "") {
    return core.Fails("CreateTable", R"({"TableName":")" + std::string(name) + R"(","BillingMode":"PAY_PER_REQUEST",
      "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"r","AttributeType":"N"}],"KeySchema":[)" +
                                         std::string(keys) + "]" + std::string(more) + "}");
  };
  const std::string hash = R"({"AttributeName":"k","KeyType":"HASH"})";
  CHECK(fails("ab", hash).contains("at least 3 characters"));
  CHECK(fails("a/b", hash).contains("has characters other than"));
  CHECK(fails("", hash).contains("Member must have length greater than or equal to 1"));
  CHECK(fails("abc", "").contains("one or two elements"));
  CHECK(fails("abc", R"({"AttributeName":"k","KeyType":"RANGE"})").contains("KeyType HASH"));
  CHECK(fails("abc", R"({"AttributeName":"x","KeyType":"HASH"})").contains("not defined in AttributeDefinitions"));
  CHECK(fails("abc", hash + "," + R"({"AttributeName":"k","KeyType":"RANGE"})").contains("have the same name"));
  CHECK(fails("abc", hash, R"(,"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1})")
            .contains("Neither"));
  CHECK(fails("abc", hash, R"(,"LocalSecondaryIndexes":[{}])").contains("not served here"));
  CHECK(core.MustRun("ListTables", "{}") == R"({"TableNames":[]})");
}

TEST_CASE("ListTables: pages", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  core.MakeLog();
  CHECK(core.MustRun("ListTables", R"({"Limit":1})") ==
        R"({"TableNames":["leases"],"LastEvaluatedTableName":"leases"})");
  CHECK(core.MustRun("ListTables", R"({"Limit":1,"ExclusiveStartTableName":"leases"})") == R"({"TableNames":["log"]})");
}

TEST_CASE("Tables: tags, time to live and backups are kept and told", "[dynamodb]") {
  DynamodbCore core;
  core.MakeLeases();
  const std::string arn = R"({"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/leases")";
  core.MustRun("TagResource", arn + R"(,"Tags":[{"Key":"team","Value":"x"},{"Key":"a","Value":"b"}]})");
  core.MustRun("UntagResource", arn + R"(,"TagKeys":["a"]})");
  core.MustRun("UpdateTimeToLive",
               R"({"TableName":"leases","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})");
  CHECK(core.Fails("UpdateTimeToLive",
                   R"({"TableName":"leases","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})") ==
        "ValidationException: TimeToLive is already enabled");
  core.MustRun("UpdateContinuousBackups",
               R"({"TableName":"leases","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}})");
  core.Restart();
  CHECK(core.MustRun("ListTagsOfResource", arn + "}") == R"({"Tags":[{"Key":"team","Value":"x"}]})");
  CHECK(core.Run("DescribeTimeToLive", R"({"TableName":"leases"})").At("TimeToLiveDescription.TimeToLiveStatus") ==
        "ENABLED");
  CHECK(core.Run("DescribeContinuousBackups", R"({"TableName":"leases"})")
            .At("ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus") == "ENABLED");
}

ItemChange PutOf(const TablePtr& table, std::string key, std::size_t bytes) {
  Item item{{"k", AttributeValue::String(key)}, {"v", AttributeValue::String(std::string(bytes, 'v'))}};
  return {table, key, [item](const Item*) -> ApiResult<std::optional<Item>> { return item; }};
}

TEST_CASE("TableStore: the bounds of tables and bytes, which deleting makes room under", "[dynamodb]") {
  storage::MemoryEnv env(1);
  const auto metadata = storage::NewMemoryMetadataStore();
  const TableLimits limits{.tables_max = 2, .bytes_max = 2'000};
  auto store = *TableStore::Open(*metadata, env.clock(), env.random(), limits);
  TableInfo info;
  info.keys.hash.name = "k";
  info.attributes["k"] = Type::kString;
  info.name = "one";
  const TablePtr one = *store->Create(info);
  info.name = "two";
  REQUIRE(store->Create(info).has_value());
  info.name = "three";
  CHECK(store->Create(info).error().type.ends_with("LimitExceededException"));
  const auto put = [&](const std::string& key, std::size_t bytes) {
    const auto change = PutOf(store->Find("one"), key, bytes);
    const auto outcomes = store->Write(std::span(&change, 1));
    return outcomes[0].error ? outcomes[0].error->message : std::string();
  };
  CHECK(put("a", 1'000) == "");
  CHECK(put("b", 1'000).contains("2000 bytes at most"));
  store = *TableStore::Open(*metadata, env.clock(), env.random(), limits);  // what is there counts after a restart too
  CHECK(put("b", 1'000).contains("2000 bytes at most"));
  CHECK(put("a", 100) == "");
  CHECK(put("b", 1'000) == "");
  REQUIRE(store->Drop("one").has_value());
  info.name = "one";
  REQUIRE(store->Create(info).has_value());
  CHECK(put("c", 1'800) == "");
}

TEST_CASE("TableStore: a write to a table that is dropped meanwhile", "[dynamodb]") {
  storage::MemoryEnv env(1);
  const auto metadata = storage::NewMemoryMetadataStore();
  auto store = *TableStore::Open(*metadata, env.clock(), env.random());
  TableInfo info;
  info.keys.hash.name = "k";
  info.attributes["k"] = Type::kString;
  info.name = "one";
  const TablePtr table = *store->Create(info);
  REQUIRE(store->Drop("one").has_value());
  const auto change = PutOf(table, "a", 1);
  CHECK(store->Write(std::span(&change, 1))[0].error == TableNotFound());
  CHECK(metadata->Scan("dynamodb/")->empty());
}

TEST_CASE("TableStore: what cannot be read stops the start and names the key", "[dynamodb]") {
  storage::MemoryEnv env(1);
  const auto metadata = storage::NewMemoryMetadataStore();
  const std::string text = GENERATE(R"({"format":2})", R"({"format":1,"TableName":"x"})", "{");
  REQUIRE(metadata->Commit(storage::Transaction().Put("dynamodb/table/leases", text)).ok());
  const auto store = TableStore::Open(*metadata, env.clock(), env.random());
  REQUIRE(!store.has_value());
  CHECK(store.error().message().contains("dynamodb/table/leases"));
}

}  // namespace
}  // namespace sluice::broker::dynamodb
