// A stream with a consumer, for the tests of enhanced fan-out.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {

inline constexpr std::string_view kOrdersArn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

struct ConsumersCore : KinesisCore {
  explicit ConsumersCore(Encoding encoding = Encoding::kJson, std::size_t loops = 1,
                         SubscriptionOptions options = {.idle_ms = 5})
      : KinesisCore(encoding, loops, {}, {}, options), encoding_of(encoding) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  }
  Reply Register(std::string_view name, std::string_view more = "") {
    return Run("RegisterStreamConsumer",
               fmt::format(R"({{"StreamARN":"{}","ConsumerName":"{}"{}}})", kOrdersArn, name, more));
  }
  /// The ARN of a new consumer.
  std::string Arn(std::string_view name) {
    const Reply reply = Register(name);
    REQUIRE(!reply.error);
    return reply.At("Consumer.ConsumerARN");
  }
  /// `position`: R"("Type":"LATEST")", say.
  std::pair<Reply, std::shared_ptr<FakeStream>> SubscribeAt(std::string_view arn, std::string_view position,
                                                            std::string_view shard = "shardId-000000000000") {
    return Subscribe(
        fmt::format(R"({{"ConsumerARN":"{}","ShardId":"{}","StartingPosition":{{{}}}}})", arn, shard, position));
  }
  /// A subscription that begins, behind its first message.
  std::shared_ptr<FakeStream> MustSubscribe(std::string_view arn, std::string_view position) {
    auto [reply, stream] = SubscribeAt(arn, position);
    INFO(reply.type() << ": " << reply.message());
    REQUIRE(stream != nullptr);
    const auto first = stream->Next();
    REQUIRE(first.has_value());
    CHECK(first->headers.at(":event-type") == "initial-response");
    CHECK(Json(first->payload) == "{}");
    return std::move(stream);
  }
  std::string Json(const std::string& payload) const {
    return encoding_of == Encoding::kCbor ? CborAsJson(payload) : payload;
  }
  /// The next event, with or without records.
  Reply NextEvent(FakeStream& stream) {
    const auto event = stream.Next();
    REQUIRE(event.has_value());
    REQUIRE(event->headers.contains(":event-type"));
    CHECK(event->headers.at(":event-type") == "SubscribeToShardEvent");
    CHECK(event->headers.at(":content-type") ==
          (encoding_of == Encoding::kCbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1"));
    return {Json(event->payload), std::nullopt};
  }
  /// The next event with records.
  Reply NextRecords(FakeStream& stream) {
    for (;;) {
      Reply event = NextEvent(stream);
      if (event.At("Records") != "0") return event;
    }
  }
  /// Passes over events until the stream ends; the type of the exception that ended it, and its message.
  std::string EndOf(FakeStream& stream) {
    std::string end = "end";
    while (const auto event = stream.Next()) {
      const auto type = event->headers.find(":exception-type");
      if (type == event->headers.end()) continue;
      CHECK(event->headers.at(":message-type") == "exception");
      end = type->second + ": " + Reply{Json(event->payload), std::nullopt}.At("message");
    }
    return end;
  }
  void PassSeconds(std::int64_t seconds) { clock().AdvanceMs(seconds * 1'000); }

  const Encoding encoding_of;
};

inline std::string DataOf(const Reply& event, std::size_t record) {
  return *protocol::DecodeBase64(event.At(fmt::format("Records.{}.Data", record)));
}

}  // namespace sluice::broker::kinesis
