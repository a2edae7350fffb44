// PutRecords: results in the order of the request, and what refuses all of it.
#include <future>

#include "broker/reshard_plan.h"
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

std::string Record(std::string_view key, std::string_view data) {
  return R"({"PartitionKey":")" + std::string(key) + R"(","Data":")" + protocol::EncodeBase64(data) + "\"}";
}

std::string Request(const std::vector<std::string>& records) {
  std::string json = R"({"StreamName":"orders","Records":[)";
  for (const std::string& record : records) json += (json.ends_with('[') ? "" : ",") + record;
  return json + "]}";
}

struct OrdersCore : KinesisCore {
  explicit OrdersCore(Encoding encoding = Encoding::kJson, std::size_t loops = 1, AppendOptions options = {})
      : KinesisCore(encoding, loops, options) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":4})");
  }
};

TEST_CASE("PutRecords: each record has its own shard and number, in order", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  std::vector<std::string> records;
  for (int i = 0; i < 500; ++i) records.push_back(Record("user-" + std::to_string(i), std::to_string(i)));
  const Reply reply = core.MustRun("PutRecords", Request(records));
  CHECK(reply.At("FailedRecordCount") == "0");
  CHECK(reply.At("Records") == "500");
  CHECK(reply.At("Records.1.ShardId") == "shardId-000000000003");  // protocol/BATCH.md: user-1 of 4
  CHECK(reply.At("Records.2.ShardId") == "shardId-000000000000");
  for (int shard = 0; shard < 4; ++shard) {
    const std::string name = "shardId-00000000000" + std::to_string(shard);
    const Reply page = core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")", name));
    for (int i = 0; i < std::stoi(page.At("Records")); ++i) {
      const std::string record = "Records." + std::to_string(i);
      const std::string index = *protocol::DecodeBase64(page.At(record + ".Data"));
      if (page.At(record + ".SequenceNumber") != reply.At("Records." + index + ".SequenceNumber")) FAIL(index);
      if (name != reply.At("Records." + index + ".ShardId")) FAIL(index);
    }
  }
}

TEST_CASE("PutRecords: one bad record refuses the request", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string good = Record("k", "data");
  const auto error = [&](const std::string& bad) { return core.Run("PutRecords", Request({good, bad})).error; };
  CHECK(error(R"({"Data":""})") ==
        ApiError("ValidationException",
                 "1 validation error detected: Value null at 'records.2.member.partitionKey' failed to satisfy "
                 "constraint: Member must not be null"));
  CHECK(error(Record("k", std::string(1u << 20, 'x'))) ==
        ApiError("ValidationException",
                 "1 validation error detected: Value at 'records.2.member.data' failed to satisfy constraint: Member "
                 "must have length less than or equal to 1048576"));
  CHECK(error(R"({"PartitionKey":"k","Data":"","ExplicitHashKey":"340282366920938463463374607431768211456"})")->type ==
        "InvalidArgumentException");
  CHECK(core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")")).At("Records") == "0");
  CHECK(core.Run("PutRecords", Request(std::vector(501, good))).type() == "ValidationException");
  CHECK(core.Run("PutRecords", Request({})).type() == "ValidationException");
  KinesisCore empty;
  CHECK(empty.Run("PutRecords", Request({good})).type() == "ResourceNotFoundException");
}

TEST_CASE("PutRecords: null is no record", "[kinesis]") {
  OrdersCore core;
  CHECK(core.Run("PutRecords", Request({Record("k", ""), "null"})).message() ==
        "1 validation error detected: Value null at 'records.2.member' failed to satisfy constraint: Member must not "
        "be null");
}

TEST_CASE("PutRecords: ten MiB at most", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  std::vector<std::string> records(10, Record("k", std::string((1u << 20) - 1, 'x')));
  CHECK(core.MustRun("PutRecords", Request(records)).At("FailedRecordCount") == "0");
  records.push_back(Record("k", ""));
  CHECK(core.Run("PutRecords", Request(records)).error ==
        ApiError("InvalidArgumentException", "Records size exceeds 10 MB limit"));
}

TEST_CASE("PutRecords: batches stay below the broker's own limit", "[kinesis]") {
  AppendOptions options;
  options.batch_bytes_max = 64u << 10;
  OrdersCore core(Encoding::kJson, 1, options);
  const std::vector<std::string> records(10, Record("k", std::string(20'000, 'x')));
  const Reply reply = core.MustRun("PutRecords", Request(records));
  CHECK(reply.At("FailedRecordCount") == "0");
  for (int i = 1; i < 10; ++i) {
    CHECK(reply.At("Records." + std::to_string(i) + ".SequenceNumber") >
          reply.At("Records." + std::to_string(i - 1) + ".SequenceNumber"));
  }
  CHECK(core.Run("PutRecords", Request({Record("k", std::string(70'000, 'x'))})).type() == "ValidationException");
}

TEST_CASE("PutRecords: what the log does not take is told per record", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.writing_may_end = true;
  core.env().FailEvery(storage::MemoryEnv::Call::kWrite);
  const Reply reply = core.MustRun("PutRecords", Request({Record("k", "a"), Record("user-2", "b")}));
  CHECK(reply.At("FailedRecordCount") == "2");
  CHECK(reply.At("Records.1.ErrorCode") == "InternalFailure");
  CHECK(!reply.At("Records.1.ErrorMessage").empty());
  CHECK(reply.At("Records.1.SequenceNumber").empty());
  const Reply single = core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":""})");
  CHECK(single.type() == "InternalFailure");
  CHECK(single.error->http_status == 500);
}

TEST_CASE("PutRecords: records that meet a split go to the children, and no client learns of it", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  const StreamPtr stream = *core.catalog().Find("orders");
  const ShardId parent{stream->id, ShardIndex(0)};
  // The shard closes before the put, and is open no more when the put is answered.
  LoopShards& owner = core.shards().OwnerOf(parent);
  std::promise<Result<Offset>> drained;
  owner.loop().Post([&] { owner.BeginClose(parent, [&](Result<Offset> end) { drained.set_value(std::move(end)); }); });
  const Offset end = *drained.get_future().get();
  std::vector<std::string> records;
  for (int i = 0; i < 100; ++i) records.push_back(Record("user-" + std::to_string(i), std::to_string(i)));
  auto put = std::async(std::launch::async, [&] { return core.MustRun("PutRecords", Request(records)); });
  for (bool parked = false; !parked;) {
    std::promise<bool> answer;
    owner.loop().Post([&] { answer.set_value(!(*owner.Find(parent))->parked.empty()); });
    parked = answer.get_future().get();
  }
  const auto change = PlanSplit(*stream, parent.index, {std::uint64_t{1} << 61, 0});
  REQUIRE(core.catalog()
              .Change("orders", [&](StreamInfo& now) { return ApplyChanges(now, {*change}, {{parent.index, end}}, 0); })
              .has_value());
  owner.loop().Post([&] { owner.EndClose(parent, true); });
  const Reply reply = put.get();
  CHECK(reply.At("FailedRecordCount") == "0");
  int to_children = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = reply.At("Records." + std::to_string(i) + ".ShardId");
    CHECK(name != "shardId-000000000000");
    if (name < "shardId-000000000004") continue;
    ++to_children;
    const Reply page =
        core.Records(core.Iterator(R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":")" +
                                       reply.At("Records." + std::to_string(i) + ".SequenceNumber") + "\"",
                                   name),
                     1);
    CHECK(*protocol::DecodeBase64(page.At("Records.0.Data")) == std::to_string(i));
  }
  CHECK(to_children > 10);
}

TEST_CASE("PutRecords: DryRun puts nothing, and tells what is wrong as without it", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto run = [&](std::string request, std::string_view dry_run = "true") {
    request.pop_back();
    return core.Run("PutRecords", request.append(",\"DryRun\":").append(dry_run).append("}"));
  };
  CHECK(run(Request({Record("k", "a"), Record("k", "b")})).error ==
        ApiError("DryRunOperationException",
                 "DryRunOperation validation succeeded while calling PutRecords operation.: Request would have "
                 "succeeded, but DryRun flag is set."));
  CHECK(run(Request({Record("k", "a"), R"({"Data":""})"})).type() == "ValidationException");
  CHECK(run(R"({"StreamName":"gone","Records":[)" + Record("k", "a") + "]}").type() == "ResourceNotFoundException");
  for (int shard = 0; shard < 4; ++shard) {
    const std::string name = "shardId-00000000000" + std::to_string(shard);
    CHECK(core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")", name)).At("Records") == "0");
  }
  CHECK(run(Request({Record("k", "a")}), "false").At("FailedRecordCount") == "0");
}

}  // namespace
}  // namespace sluice::broker::kinesis
