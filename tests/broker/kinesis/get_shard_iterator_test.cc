// GetShardIterator: the five types, and what AWS says of arguments that do not fit.
#include "protocol/sequence_number.h"
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kShard = "shardId-000000000000";

struct OrdersCore : KinesisCore {
  explicit OrdersCore(Encoding encoding = Encoding::kJson, std::size_t loops = 1) : KinesisCore(encoding, loops) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  }
  Reply Get(std::string_view place, std::string_view shard = kShard) {
    std::string json = R"({"StreamName":"orders","ShardId":")";
    return Run("GetShardIterator", json.append(shard).append("\",").append(place).append("}"));
  }
  /// Puts into shard 0.
  std::string PutNumber(std::string_view data) {
    return MustRun("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","ExplicitHashKey":"0","Data":")" +
                                    protocol::EncodeBase64(data) + "\"}")
        .At("SequenceNumber");
  }
  /// The data of the records from a place on, as base64 with spaces between.
  std::string DataFrom(std::string_view place) {
    const Reply reply = Records(Iterator(place));
    std::string all;
    for (int i = 0; i < std::stoi(reply.At("Records")); ++i) {
      if (i > 0) all += ' ';
      all += *protocol::DecodeBase64(reply.At("Records." + std::to_string(i) + ".Data"));
    }
    return all;
  }
};

TEST_CASE("GetShardIterator: all types begin where they say", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.clock().AdvanceMs(5'000);
  const std::string a = core.PutNumber("a");
  core.clock().AdvanceMs(5'000);
  const std::string b = core.PutNumber("b");
  core.clock().AdvanceMs(5'000);
  core.PutNumber("c");
  core.clock().AdvanceMs(5'000);
  CHECK(core.DataFrom(R"("ShardIteratorType":"TRIM_HORIZON")") == "a b c");
  CHECK(core.DataFrom(R"("ShardIteratorType":"LATEST")").empty());
  CHECK(core.DataFrom(R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":")" + b + "\"") == "b c");
  CHECK(core.DataFrom(R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":")" + b + "\"") == "c");
  // The clock began at 1,700,000,000: a, b, c came after 5, 10 and 15 seconds.
  const std::string at_time = R"("ShardIteratorType":"AT_TIMESTAMP","Timestamp":)";
  CHECK(core.DataFrom(at_time + "1700000010") == "b c");
  CHECK(core.DataFrom(at_time + "1700000010.001") == "c");
  CHECK(core.DataFrom(at_time + "1600000000") == "a b c");
  CHECK(core.DataFrom(at_time + "1700000015.001").empty());
  CHECK(a < b);
}

TEST_CASE("GetShardIterator: a shard's starting number is before its first record", "[kinesis]") {
  OrdersCore core;
  const std::string start = core.MustRun("ListShards", R"({"StreamName":"orders"})")
                                .At("Shards.0.SequenceNumberRange.StartingSequenceNumber");
  const std::string at = R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":")" + start + "\"";
  const std::string after = R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":")" + start + "\"";
  CHECK(core.DataFrom(after).empty());
  const std::string first = core.PutNumber("a");  // in the second in which the stream was made
  CHECK(start < first);
  CHECK(core.DataFrom(at) == "a");
  CHECK(core.DataFrom(after) == "a");
}

TEST_CASE("GetShardIterator: shard ids are read leniently", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  constexpr std::string_view kLatest = R"("ShardIteratorType":"LATEST")";
  for (const std::string_view good : {"shardId-1", "x-1", "1", "shardId-000000000001"}) {
    CHECK(!core.Get(kLatest, good).error);
  }
  for (const std::string_view bad : {"shardId-", "one", "shardId-2147483648", "0x1", "-"}) {
    CHECK(core.Get(kLatest, bad).error ==
          ApiError("ResourceNotFoundException",
                   "Could not find shard " + std::string(bad) + " in stream orders under account 000000000000."));
  }
  CHECK(core.Get(kLatest, "shardId-5").error ==
        ApiError("ResourceNotFoundException",
                 "Shard shardId-000000000005 in stream orders under account 000000000000 does not exist"));
}

TEST_CASE("GetShardIterator: type and other members belong together", "[kinesis]") {
  OrdersCore core;
  const auto message = [&](std::string_view place) { return core.Get(place).message(); };
  const std::string must =
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
      "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ";
  CHECK(message(R"("ShardIteratorType":"LATEST","StartingSequenceNumber":"0")") ==
        must + "LATEST and also a StartingSequenceNumber.");
  CHECK(message(R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER")") ==
        must + "AFTER_SEQUENCE_NUMBER and no StartingSequenceNumber.");
  CHECK(message(R"("ShardIteratorType":"AT_TIMESTAMP")") ==
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp "
        "parameter.");
  CHECK(message(R"("ShardIteratorType":"AT_TIMESTAMP","Timestamp":1700000000.001)") ==
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: "
        "1700000000001, currentTimestampInMillis: 1700000000000");
  CHECK(core.Get(R"("ShardIteratorType":"EARLIEST")").type() == "ValidationException");
}

TEST_CASE("GetShardIterator: numbers of other places are refused", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string number = core.PutNumber("a");
  const auto error = [&](const std::string& start, std::string_view shard = kShard) {
    return core.Get(R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":")" + start + "\"", shard)
        .error;
  };
  const auto invalid = [](const std::string& start, std::string_view why) {
    return ApiError("InvalidArgumentException", "StartingSequenceNumber " + start +
                                                    " used in GetShardIterator on shard shardId-000000000000 in "
                                                    "stream orders under account 000000000000 is invalid" +
                                                    std::string(why) + ".");
  };
  constexpr std::string_view kForeign = " because it did not come from this stream";
  CHECK(error("0") == invalid("21267647932558653966460912964485513216", kForeign));
  CHECK(error(std::string(56, '9')) == invalid(std::string(56, '9'), ""));
  CHECK(error(number, "shardId-1") ==
        ApiError("InvalidArgumentException",
                 "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it was used in a call to a "
                 "shard with shardId-000000000001"));
  core.clock().AdvanceMs(2'000);
  core.MustRun("CreateStream", R"({"StreamName":"others","ShardCount":1})");
  const std::string foreign = core.Put("k", "", "others").At("SequenceNumber");
  CHECK(error(foreign) == invalid(foreign, kForeign));
  // A record that is not there yet: of this shard, one further.
  const auto parsed = *protocol::ParseSequenceNumber(number);
  const std::string next = protocol::ToDecimal({parsed.shard_created_s, parsed.shard, parsed.offset + 1, 1});
  CHECK(error(next) == invalid(next, ""));
}

TEST_CASE("GetShardIterator: iterators have AWS's length", "[kinesis]") {
  KinesisCore core;
  const auto bytes = [&](const std::string& name) {
    core.MustRun("CreateStream", R"({"StreamName":")" + name + R"(","ShardCount":1})");
    return protocol::DecodeBase64(core.Iterator(R"("ShardIteratorType":"LATEST")", kShard, name))->size();
  };
  CHECK(bytes(std::string(24, 'a')) == 200);
  CHECK(bytes(std::string(35, 'a')) == 216);
  CHECK(bytes(std::string(128, 'a')) == 312);
}

TEST_CASE("GetShardIterator: DryRun gives none, and tells what is wrong as without it", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string place =
      GENERATE(R"("ShardIteratorType":"LATEST")", R"("ShardIteratorType":"AT_TIMESTAMP","Timestamp":1700000000)");
  CHECK(core.Get(place + R"(,"DryRun":true)").error ==
        ApiError("DryRunOperationException",
                 "DryRunOperation validation succeeded while calling GetShardIterator operation.: Request would have "
                 "succeeded, but DryRun flag is set."));
  CHECK(!core.Get(place + R"(,"DryRun":false)").At("ShardIterator").empty());
  CHECK(core.Get(place + R"(,"DryRun":true)", "shardId-000000000005").type() == "ResourceNotFoundException");
  CHECK(core.Get(R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","DryRun":true)").type() == "InvalidArgumentException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
