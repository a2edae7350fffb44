// GetRecords: pages, iterators that only go forward, and records of every door.
#include <set>

#include "protocol/batch.h"
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kTrimHorizon = R"("ShardIteratorType":"TRIM_HORIZON")";
constexpr std::string_view kLatest = R"("ShardIteratorType":"LATEST")";

struct OrdersCore : KinesisCore {
  explicit OrdersCore(Encoding encoding = Encoding::kJson, std::size_t loops = 1) : KinesisCore(encoding, loops) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  }
  ShardId shard() { return {(*catalog().Find("orders"))->id, ShardIndex(0)}; }
};

/// A batch of the native door: records "v0", "v1", .. with keys "k0", ..
std::string NativeBatch(int records, protocol::Compression compression = protocol::Compression::kNone) {
  protocol::BatchBuilder builder(compression);
  for (int i = 0; i < records; ++i) builder.Add(1'700'000'000'000, "k" + std::to_string(i), "v" + std::to_string(i));
  std::string batch;
  builder.Finish(batch);
  return batch;
}

TEST_CASE("GetRecords: gives what was put", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.clock().AdvanceMs(1'234);
  const std::string bytes("\x00\xff\n", 3);
  const std::string number = core.Put("ключ", bytes).At("SequenceNumber");
  const Reply page = core.Records(core.Iterator(kTrimHorizon));
  CHECK(page.body.starts_with(R"({"Records":[{"SequenceNumber":")" + number +
                              R"(","ApproximateArrivalTimestamp":1700000001.234,"Data":"AP8K","PartitionKey":"ключ"}],)"
                              R"("NextShardIterator":")"));
  CHECK(page.At("MillisBehindLatest") == "0");
  CHECK(page.At("ChildShards").empty());
}

TEST_CASE("GetRecords: Limit ends a page within a batch", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Append(core.shard(), NativeBatch(10));
  core.Append(core.shard(), NativeBatch(4));
  std::string iterator = core.Iterator(kTrimHorizon);
  std::string keys;
  for (const std::size_t expected : {3, 3, 3, 3, 2, 0}) {
    const Reply page = core.Records(iterator, 3);
    CHECK(page.At("Records") == std::to_string(expected));
    for (std::size_t i = 0; i < expected; ++i) keys += page.At("Records." + std::to_string(i) + ".PartitionKey");
    iterator = page.At("NextShardIterator");
  }
  CHECK(keys == "k0k1k2k3k4k5k6k7k8k9k0k1k2k3");
}

TEST_CASE("GetRecords: every answer has another iterator, and none goes backwards", "[kinesis]") {
  OrdersCore core;
  std::set<std::string> seen;
  std::string iterator = core.Iterator(kLatest);
  for (int i = 0; i < 5; ++i) {
    CHECK(seen.insert(iterator).second);
    iterator = core.Records(iterator).At("NextShardIterator");
  }
  core.Put("k", "one");
  const Reply page = core.Records(iterator);
  CHECK(page.At("Records.0.Data") == "b25l");
  CHECK(core.Records(page.At("NextShardIterator")).At("Records") == "0");
  CHECK(core.Records(iterator).At("Records.0.Data") == "b25l");  // an iterator may be used twice
}

TEST_CASE("GetRecords: a page has ten MiB at most, but one record", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1,"MaxRecordSizeInKiB":10240})");
  const std::string mib((1u << 20) - 1, 'x');
  for (int i = 0; i < 12; ++i) core.Put("k", mib);
  const Reply first = core.Records(core.Iterator(kTrimHorizon));
  CHECK(first.At("Records") == "10");
  const Reply second = core.Records(first.At("NextShardIterator"));
  CHECK(second.At("Records") == "2");
}

TEST_CASE("GetRecords: batches of native clients, compressed and without keys", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Append(core.shard(), NativeBatch(2, GENERATE(protocol::Compression::kZstd, protocol::Compression::kGzip)));
  protocol::BatchBuilder builder;
  builder.Add(0, std::nullopt, "no key");
  builder.Add(0, "", "empty key");
  builder.Add(0, "\xff\xfe", std::nullopt);
  std::string batch;
  builder.Finish(batch);
  core.Append(core.shard(), batch);
  const Reply page = core.Records(core.Iterator(kTrimHorizon));
  CHECK(page.At("Records") == "5");
  CHECK(page.At("Records.1.PartitionKey") == "k1");
  CHECK(page.At("Records.1.Data") == "djE=");
  CHECK(page.At("Records.2.PartitionKey") == page.At("Records.2.SequenceNumber"));
  CHECK(page.At("Records.3.PartitionKey") == page.At("Records.3.SequenceNumber"));
  CHECK(page.At("Records.4.PartitionKey") == "//4=");
  CHECK(page.At("Records.4.Data").empty());
}

TEST_CASE("GetRecords: MillisBehindLatest in whole seconds, 0 only at the end", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Put("k", "a");
  core.clock().AdvanceMs(8'500);
  core.Put("k", "b");
  const std::string iterator = core.Iterator(kTrimHorizon);
  const Reply first = core.Records(iterator, 1);
  CHECK(first.At("MillisBehindLatest") == "9000");
  CHECK(core.Records(first.At("NextShardIterator"), 1).At("MillisBehindLatest") == "0");
  core.Put("k", "c");
  CHECK(core.Records(first.At("NextShardIterator"), 1).At("MillisBehindLatest") == "1000");
}

TEST_CASE("GetRecords: an iterator expires after five minutes", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string iterator = core.Iterator(kLatest);
  core.clock().AdvanceMs(300'000);
  core.Records(iterator);
  core.clock().AdvanceMs(1'000);
  CHECK(core.Run("GetRecords", R"({"ShardIterator":")" + iterator + "\"}").error ==
        ApiError("ExpiredIteratorException",
                 "Iterator expired. The iterator was created at time Tue Nov 14 22:13:20 UTC 2023 while right now it "
                 "is Tue Nov 14 22:18:21 UTC 2023 which is further in the future than the tolerated delay of 300000 "
                 "milliseconds."));
}

TEST_CASE("GetRecords: refuses what is no iterator of this broker", "[kinesis]") {
  OrdersCore core;
  KinesisCore other;
  other.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  std::string changed = core.Iterator(kLatest);
  changed[40] = changed[40] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {std::string("AAAA"), std::string("no base64"), changed, other.Iterator(kLatest)}) {
    CHECK(core.Run("GetRecords", R"({"ShardIterator":")" + bad + "\"}").error ==
          ApiError("InvalidArgumentException", "Invalid ShardIterator."));
  }
  CHECK(!core.Run("GetRecords", R"({"ShardIterator":"\")" + core.Iterator(kLatest) + R"(\""})").error);
}

TEST_CASE("GetRecords: the stream of StreamARN is the iterator's", "[kinesis]") {
  OrdersCore core;
  const auto get = [&](std::string_view stream) {
    return core.Run("GetRecords", R"({"ShardIterator":")" + core.Iterator(kLatest) +
                                      R"(","StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/)" +
                                      std::string(stream) + "\"}");
  };
  CHECK(!get("orders").error);
  CHECK(get("other").message() == "Input stream name orders doesn't match the inferred name in stream arn other");
}

TEST_CASE("GetRecords: an iterator lives over a restart and a new stream of the name", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Put("k", "a");
  core.Put("k", "b");
  const Reply first = core.Records(core.Iterator(kTrimHorizon), 1);
  const std::string iterator = first.At("NextShardIterator");
  core.Restart();
  CHECK(core.Records(iterator).At("Records.0.Data") == "Yg==");

  const auto gone = core.catalog().Delete("orders");
  REQUIRE(gone.has_value());
  core.shards().ForgetStream(*gone);
  CHECK(core.Run("GetRecords", R"({"ShardIterator":")" + iterator + "\"}").message() ==
        "Stream orders under account 000000000000 not found.");
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.Put("k", "new");
  CHECK(core.Records(iterator).At("Records.0.Data") == "bmV3");
}

TEST_CASE("GetRecords: records from the disk, and from behind what retention removed", "[kinesis]") {
  OrdersCore core(Encoding::kJson, GENERATE(1u, 2u));
  const std::string iterator = core.Iterator(kTrimHorizon);
  const std::string mib((1u << 20) - 1, 'x');
  for (int i = 0; i < 3; ++i) core.Put("k", mib);
  core.Restart();  // memory holds nothing of them now
  CHECK(core.Records(iterator).At("Records") == "3");
  core.store().ApplyRetention(core.shard(), {.age_ms_max = {}, .bytes_max = 1});
  const auto oldest = core.store().OpenShard(core.shard())->oldest();
  CHECK(core.Records(iterator).At("Records") == std::to_string(3 - oldest.value));
}

TEST_CASE("GetRecords: DryRun gives nothing, and tells what is wrong as without it", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Put("k", "a");
  const auto run = [&](const std::string& iterator, std::string_view dry_run = "true") {
    return core.Run("GetRecords", R"({"ShardIterator":")" + iterator + R"(","DryRun":)" + std::string(dry_run) + "}");
  };
  const std::string iterator = core.Iterator(kTrimHorizon);
  CHECK(run(iterator).error ==
        ApiError("DryRunOperationException",
                 "DryRunOperation validation succeeded while calling GetRecords operation.: Request would have "
                 "succeeded, but DryRun flag is set."));
  CHECK(run("AAAA").message() == "Invalid ShardIterator.");
  CHECK(run(iterator, "false").At("Records") == "1");
  core.clock().AdvanceMs(300'001);
  CHECK(run(iterator).type() == "ExpiredIteratorException");
}

TEST_CASE("GetRecords: a shard that the stream does not have", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  const std::string iterator = core.Iterator(kLatest, "shardId-000000000001");
  core.MustRun("DeleteStream", R"({"StreamName":"orders"})");
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  CHECK(core.Run("GetRecords", R"({"ShardIterator":")" + iterator + "\"}").error ==
        ApiError("ResourceNotFoundException",
                 "Shard shardId-000000000001 in stream orders under account 000000000000 does not exist"));
}

}  // namespace
}  // namespace sluice::broker::kinesis
