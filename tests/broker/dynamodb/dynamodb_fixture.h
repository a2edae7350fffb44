// The DynamoDB operations over a metadata store in memory, called as the AWS port calls them.
//
//     DynamodbCore core;
//     core.MakeLeases();
//     CHECK(core.Run("GetItem", R"({"TableName":"leases","Key":{"leaseKey":{"S":"a"}}})").body == "{}");
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "broker/api/dynamodb/dynamodb_service.h"
#include "storage/env/memory_env.h"
#include "storage/metadata_store.h"
#include "tests/broker/kinesis/kinesis_fixture.h"
#include "tests/catch.h"

namespace sluice::broker::dynamodb {

using kinesis::Reply;

class DynamodbCore {
 public:
  ~DynamodbCore() { loops_.Stop(); }

  /// What a new start of the broker reads.
  void Restart() { service_ = Open(); }

  Reply Run(std::string_view operation, std::string json) {
    const auto found = std::ranges::find(service_.operations, operation, &aws::Operation::name);
    REQUIRE(found != service_.operations.end());
    const aws::Caller caller{.account = "000000000000", .region = "us-east-1", .access_key = "test"};
    const auto call =
        std::make_shared<kinesis::FakeCall>(protocol::aws::Encoding::kJson, std::move(json), caller, loops_.loop(0));
    auto wrong = protocol::aws::CheckTypes(call->input(), found->input());
    if (!wrong) wrong = protocol::aws::CheckConstraints(call->input(), found->input());
    if (wrong) return {"", std::move(wrong)};
    CHECK(found->thread == aws::OperationThread::kBlocking);
    found->run(call);
    return call->Wait().first;
  }
  /// A call that succeeds; its answer.
  std::string MustRun(std::string_view operation, std::string json) {
    Reply reply = Run(operation, std::move(json));
    INFO(operation << ": " << reply.type() << ": " << reply.message());
    REQUIRE(!reply.error);
    return reply.body;
  }
  /// "TYPE: MESSAGE" of a call that fails, without the namespace.
  std::string Fails(std::string_view operation, std::string json) {
    const Reply reply = Run(operation, std::move(json));
    INFO(reply.body);
    REQUIRE(reply.error);
    return reply.type().substr(reply.type().find('#') + 1) + ": " + reply.message();
  }

  /// A table as KCL makes it: "leases" with the hash key leaseKey.
  void MakeLeases() {
    MustRun("CreateTable", R"({"TableName":"leases","BillingMode":"PAY_PER_REQUEST",
      "KeySchema":[{"AttributeName":"leaseKey","KeyType":"HASH"}],
      "AttributeDefinitions":[{"AttributeName":"leaseKey","AttributeType":"S"}]})");
  }
  /// One with a range key: "log" with the key (stream, at).
  void MakeLog() {
    MustRun("CreateTable", R"({"TableName":"log","BillingMode":"PAY_PER_REQUEST",
      "KeySchema":[{"AttributeName":"stream","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}],
      "AttributeDefinitions":[{"AttributeName":"stream","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"}]})");
  }
  void Put(std::string_view table, std::string_view item) {
    MustRun("PutItem", R"({"TableName":")" + std::string(table) + R"(","Item":)" + std::string(item) + "}");
  }
  std::string Get(std::string_view table, std::string_view key) {
    return MustRun("GetItem", R"({"TableName":")" + std::string(table) + R"(","Key":)" + std::string(key) + "}");
  }

  storage::ManualClock& clock() { return env_.manual_clock(); }

 private:
  aws::Service Open() {
    auto service = DynamodbService({.metadata = *metadata_, .clock = env_.clock(), .random = env_.random()});
    REQUIRE(service.has_value());
    return std::move(*service);
  }

  storage::MemoryEnv env_{1};
  std::unique_ptr<storage::MetadataStore> metadata_ = storage::NewMemoryMetadataStore();
  EventLoops loops_{1};
  aws::Service service_ = Open();
};

}  // namespace sluice::broker::dynamodb
