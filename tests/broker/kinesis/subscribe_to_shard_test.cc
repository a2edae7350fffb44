// SubscribeToShard: what is pushed, from where, and how a subscription ends.
#include "protocol/sequence_number.h"
#include "tests/broker/kinesis/consumers_fixture.h"

namespace sluice::broker::kinesis {
namespace {

std::string At(std::string_view type, std::string_view number) {
  return fmt::format(R"("Type":"{}_SEQUENCE_NUMBER","SequenceNumber":"{}")", type, number);
}

TEST_CASE("SubscribeToShard: records as they come, then where to go on", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  const std::string arn = core.Arn("a");
  const auto stream = core.MustSubscribe(arn, R"("Type":"LATEST")");
  std::string number;
  for (const char* data : {"one", "two", "three"}) {
    number = core.Put("key", data).At("SequenceNumber");
    const Reply event = core.NextRecords(*stream);
    CHECK(event.At("Records") == "1");
    CHECK(DataOf(event, 0) == data);
    CHECK(event.At("Records.0.PartitionKey") == "key");
    CHECK(event.At("Records.0.SequenceNumber") == number);
    CHECK(event.At("MillisBehindLatest") == "0");
    CHECK(event.At("ContinuationSequenceNumber") > number);
  }
}

TEST_CASE("SubscribeToShard: without records an event says so, with the same place", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string number = core.Put("key", "before").At("SequenceNumber");
  const auto stream = core.MustSubscribe(core.Arn("a"), R"("Type":"LATEST")");
  std::string last = number;
  for (int i = 0; i < 3; ++i) {
    const Reply event = core.NextEvent(*stream);
    CHECK(event.At("Records") == "0");
    CHECK(event.At("MillisBehindLatest") == "0");
    CHECK(event.At("ContinuationSequenceNumber") >= last);
    last = event.At("ContinuationSequenceNumber");
  }
  CHECK(last > number);
}

TEST_CASE("SubscribeToShard: begins at any of the five places", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  std::vector<std::string> numbers;
  std::int64_t third_s = 0;
  for (int i = 0; i < 4; ++i) {
    core.PassSeconds(10);
    if (i == 2) third_s = core.clock().WallMs() / 1000;
    numbers.push_back(core.Put("key", std::to_string(i)).At("SequenceNumber"));
  }
  const auto first_of = [&](std::string_view position) {
    core.PassSeconds(5);  // the subscription before may be replaced
    const auto stream = core.MustSubscribe(arn, position);
    core.Put("key", "last");
    return DataOf(core.NextRecords(*stream), 0);
  };
  CHECK(first_of(R"("Type":"TRIM_HORIZON")") == "0");
  CHECK(first_of(R"("Type":"LATEST")") == "last");
  CHECK(first_of(At("AT", numbers[1])) == "1");
  CHECK(first_of(At("AFTER", numbers[1])) == "2");
  CHECK(first_of(fmt::format(R"("Type":"AT_TIMESTAMP","Timestamp":{})", third_s)) == "2");
}

TEST_CASE("SubscribeToShard: going on at or after a continuation number loses and repeats nothing", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  const char* type = GENERATE("AT", "AFTER");
  const bool restart = GENERATE(false, true);
  std::string place = At(type, core.MustRun("DescribeStream", R"({"StreamName":"orders"})")
                                   .At("StreamDescription.Shards.0.SequenceNumberRange.StartingSequenceNumber"));
  for (int i = 0; i < 6; ++i) {
    if (i % 2 == 0) core.Put("key", std::to_string(i));
    const auto stream = core.MustSubscribe(arn, place);
    if (i % 2 == 1) core.Put("key", std::to_string(i));
    const Reply event = core.NextRecords(*stream);
    CHECK(event.At("Records") == "1");
    CHECK(DataOf(event, 0) == std::to_string(i));
    place = At(type, event.At("ContinuationSequenceNumber"));
    const Reply idle = core.NextEvent(*stream);
    CHECK(idle.At("Records") == "0");
    place = At(type, idle.At("ContinuationSequenceNumber"));
    if (restart) {
      core.Restart();
      CHECK(core.EndOf(*stream) == "end");
    }
    core.PassSeconds(6);
  }
}

TEST_CASE("SubscribeToShard: large and compressed records come from the blocking pool, in order", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string large(900'000, 'x');
  for (int i = 0; i < 5; ++i) core.Put("key", std::to_string(i) + large);
  const auto stream = core.MustSubscribe(core.Arn("a"), R"("Type":"TRIM_HORIZON")");
  std::size_t next = 0;
  std::int64_t behind = 1;
  while (next < 5) {
    const Reply event = core.NextRecords(*stream);
    const std::size_t records = std::stoul(event.At("Records"));
    CHECK(records == 1);  // a page has about a MiB
    CHECK(DataOf(event, 0) == std::to_string(next) + large);
    next += records;
    behind = std::stol(event.At("MillisBehindLatest"));
    CHECK((behind == 0) == (next == 5));
  }
}

TEST_CASE("SubscribeToShard: reads nothing more while the client does not take what was written", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), 1, {.idle_ms = 60'000});  // no event but for records
  const auto stream = core.MustSubscribe(core.Arn("a"), R"("Type":"LATEST")");
  stream->room = false;
  for (const char* data : {"one", "two", "three"}) core.Put("key", data);
  core.Records(core.Iterator(R"("ShardIteratorType":"LATEST")"));  // another turn of every loop
  const bool read_before = !stream->empty();                       // the read that waited already
  std::size_t records = read_before ? std::stoul(core.NextRecords(*stream).At("Records")) : 0;
  CHECK(records <= 1);
  CHECK(stream->empty());
  stream->room = true;
  stream->Tell(aws::StreamNews::kRoom);
  records += std::stoul(core.NextRecords(*stream).At("Records"));
  CHECK(records == 3);
}

TEST_CASE("SubscribeToShard: ends when its time is over, when the port stops, and with the broker", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto stream = core.MustSubscribe(core.Arn("a"), R"("Type":"LATEST")");
  core.Put("key", "one");
  CHECK(DataOf(core.NextRecords(*stream), 0) == "one");
  SECTION("time") {
    core.PassSeconds(299);
    core.Put("key", "two");
    CHECK(DataOf(core.NextRecords(*stream), 0) == "two");
    core.PassSeconds(1);
  }
  SECTION("port") { stream->Tell(aws::StreamNews::kStopping); }
  SECTION("broker") { core.Restart(); }
  CHECK(core.EndOf(*stream) == "end");
}

TEST_CASE("SubscribeToShard: ends at the end of a closed shard, and names its children", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), 1, {.idle_ms = 60'000});  // no event but for news
  const std::string arn = core.Arn("a");
  const auto live = core.MustSubscribe(arn, R"("Type":"LATEST")");
  core.Put("key", "one");
  CHECK(DataOf(core.NextRecords(*live), 0) == "one");
  core.MustRun("SplitShard",
               R"({"StreamName":"orders","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"7"})");
  const auto ends = [&](FakeStream& stream) {
    const Reply last = core.NextEvent(stream);
    CHECK(last.At("Records") == "0");
    CHECK(last.At("ContinuationSequenceNumber").empty());
    CHECK(last.At("MillisBehindLatest") == "0");
    CHECK(last.At("ChildShards") == "2");
    CHECK(last.At("ChildShards.1.ShardId") == "shardId-000000000002");
    CHECK(last.At("ChildShards.1.ParentShards.0") == "shardId-000000000000");
    CHECK(core.EndOf(stream) == "end");
  };
  ends(*live);
  ends(*core.MustSubscribe(arn, R"("Type":"LATEST")"));
  const auto whole = core.MustSubscribe(arn, R"("Type":"TRIM_HORIZON")");
  const Reply event = core.NextEvent(*whole);
  CHECK(DataOf(event, 0) == "one");
  CHECK(event.At("ChildShards") == "2");
  CHECK(event.At("ContinuationSequenceNumber").empty());
  CHECK(core.EndOf(*whole) == "end");
}

TEST_CASE("SubscribeToShard: asks the stream's policy", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  core.MustRun("PutResourcePolicy", fmt::format(R"({{"ResourceARN":"{}","Policy":"{}"}})", kOrdersArn,
                                                R"({\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",)"
                                                R"(\"Principal\":\"*\",\"Action\":\"kinesis:SubscribeToShard\",)"
                                                R"(\"Resource\":\"*\"}})"));
  const auto [reply, stream] = core.SubscribeAt(arn, R"("Type":"LATEST")");
  CHECK(stream == nullptr);
  CHECK(reply.type() == "AccessDeniedException");
}

TEST_CASE("SubscribeToShard: a second one is refused at first, and takes over after five seconds", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  const std::string arn = core.Arn("a");
  const std::string another = "Another active subscription exists for this consumer: " + arn;
  const auto first = core.MustSubscribe(arn, R"("Type":"LATEST")");
  core.PassSeconds(4);
  const Reply refused = core.SubscribeAt(arn, R"("Type":"LATEST")").first;
  CHECK(refused.type() == "ResourceInUseException");
  CHECK(refused.message() == another);
  core.MustSubscribe(core.Arn("b"), R"("Type":"LATEST")");  // of another consumer
  core.PassSeconds(1);
  const auto second = core.MustSubscribe(arn, R"("Type":"LATEST")");
  CHECK(core.EndOf(*first) == "ResourceInUseException: " + another);
  core.Put("key", "one");
  CHECK(DataOf(core.NextRecords(*second), 0) == "one");
}

TEST_CASE("SubscribeToShard: one whose client has gone makes room at once", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  const auto first = core.MustSubscribe(arn, R"("Type":"LATEST")");
  first->Tell(aws::StreamNews::kGone);
  const auto second = core.MustSubscribe(arn, R"("Type":"LATEST")");
  core.Put("key", "one");
  CHECK(DataOf(core.NextRecords(*second), 0) == "one");
}

TEST_CASE("SubscribeToShard: what retention has removed is passed over", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string number = core.Put("key", "0").At("SequenceNumber");
  const std::string mib((1u << 20) - 3, 'x');
  for (int i = 0; i < 3; ++i) core.Put("key", mib);
  core.Restart();
  const ShardId shard{(*core.catalog().Find("orders"))->id, ShardIndex(0)};
  core.store().ApplyRetention(shard, {.age_ms_max = {}, .bytes_max = 1});
  const Offset oldest = core.store().OpenShard(shard)->oldest();
  REQUIRE(oldest > Offset(0));
  const auto stream = core.MustSubscribe(core.Arn("a"), At("AT", number));
  const std::string first = core.NextRecords(*stream).At("Records.0.SequenceNumber");
  CHECK(protocol::ParseSequenceNumber(first)->offset == oldest);
}

TEST_CASE("SubscribeToShard: refuses before the stream begins", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  const auto error = [&](std::string_view position, std::string_view shard = "shardId-000000000000") {
    const auto [reply, stream] = core.SubscribeAt(arn, position, shard);
    CHECK(stream == nullptr);
    return reply.type() + ": " + reply.message();
  };
  constexpr std::string_view kLatest = R"("Type":"LATEST")";
  CHECK(error(kLatest, "shardId-999999999999") ==
        "ResourceNotFoundException: Could not find shard shardId-999999999999 in stream orders under account "
        "000000000000.");
  CHECK(error(kLatest, "shardId-000000000001").starts_with("ResourceNotFoundException: Shard shardId-000000000001"));
  CHECK(error(R"("Type":"AT_SEQUENCE_NUMBER")").starts_with("InvalidArgumentException: Must either specify"));
  CHECK(error(R"("Type":"AT_TIMESTAMP")").starts_with("InvalidArgumentException: Must specify timestampInMillis"));
  CHECK(error(At("AFTER", "5")).find("used in SubscribeToShard on shard") != std::string::npos);
  CHECK(error(R"("Type":"NOWHERE")").starts_with("ValidationException"));
  const Reply dry = core.Subscribe(fmt::format(R"({{"ConsumerARN":"{}","ShardId":"0","StartingPosition":{{"Type":)"
                                               R"("LATEST"}},"DryRun":true}})",
                                               arn))
                        .first;
  CHECK(dry.type() == "DryRunOperationException");
  core.MustRun("DeregisterStreamConsumer", fmt::format(R"({{"ConsumerARN":"{}"}})", arn));
  CHECK(error(kLatest) ==
        "ResourceNotFoundException: Consumer a under stream orders not found for account 000000000000.");
}

}  // namespace
}  // namespace sluice::broker::kinesis
