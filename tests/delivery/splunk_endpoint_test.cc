// Splunk's collector: requests, acknowledgements that take time, and what is no success.
#include <atomic>
#include <functional>
#include <mutex>

#include "broker/delivery/endpoints/endpoint_registry.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/endpoint_fixture.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {
namespace {

using Texts = std::vector<std::string>;
using Answer = FakeEndpoint::Answer;
using Request = FakeEndpoint::Request;

/// A collector that gives every request an ackId from 0, and says of them what `acknowledges` does.
class Collector {
 public:
  std::string Url() const { return server_.Url(); }
  std::vector<Request> Requests() const { return server_.Requests(); }
  Texts Bodies() const {
    Texts bodies;
    for (const Request& request : Requests()) {
      if (!IsAsk(request)) bodies.push_back(request.body);
    }
    return bodies;
  }
  std::size_t asks() const { return Requests().size() - Bodies().size(); }

  /// By the number of the question, from 0.
  std::function<bool(std::size_t)> acknowledges = [](std::size_t) { return true; };
  /// Instead of taking a request; by its number.
  std::function<std::optional<Answer>(std::size_t)> refuses = [](std::size_t) { return std::nullopt; };

 private:
  static bool IsAsk(const Request& request) { return request.target.contains("/services/collector/ack"); }
  Answer Take(const Request& request) {
    if (IsAsk(request)) {
      const bool yes = acknowledges(asks() - 1);
      const std::size_t ack = Bodies().size() - 1;
      CHECK(request.body == fmt::format(R"({{"acks":[{}]}})", ack));
      return {.body = fmt::format(R"({{"acks":{{"{}":{}}}}})", ack, yes)};
    }
    const std::size_t number = Bodies().size() - 1;
    if (auto refused = refuses(number)) return *refused;
    return {.body = fmt::format(R"({{"text":"Success","code":0,"ackId":{}}})", number)};
  }

  FakeEndpoint server_{[this](const Request& request) { return Take(request); }};
};

DeliveryConfig SplunkConfig(std::string url, std::uint64_t retry_s = 300) {
  DeliveryConfig config = RawConfig();
  config.endpoint = {.type = "Splunk", .url = std::move(url), .access_key = "token", .retry_s = retry_s};
  return config;
}

void Put(World& world, const std::string& value) { world.log.Append(0, value, world.env.clock().WallMs()); }

std::string ErrorLines(World& world) {
  std::string lines;
  for (const auto& [key, bytes] : world.Lake()) {
    if (key.starts_with("all/")) continue;  // of a backup
    CHECK(key.starts_with("errors/splunk-failed/"));
    lines += bytes;
  }
  return lines;
}

}  // namespace

TEST_CASE("Splunk: the indexer that took a request is asked for its acknowledgement", "[delivery]") {
  Collector collector;
  collector.refuses = [](std::size_t) {
    return Answer{.body = R"({"text":"Success","code":0,"ackId":0})", .headers = {{"Set-Cookie", "AWSELB=7f; PATH=/"}}};
  };
  World world(SplunkConfig(collector.Url()), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const std::vector<Request> requests = collector.Requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].Header("cookie").empty());
  CHECK(requests[1].Header("cookie") == "AWSELB=7f");
}

TEST_CASE("Splunk: records go out one behind the other, and count when they are acknowledged", "[delivery]") {
  Collector collector;
  collector.acknowledges = [](std::size_t ask) { return ask == 2; };
  World world(SplunkConfig(collector.Url() + "/"), 1);
  for (const char* value : {"a", "", "b"}) Put(world, value);
  REQUIRE(world.Start().ok());
  std::vector<std::int64_t> waits;
  while (!world.delivered()) {
    const std::int64_t wait_ms = world.stream->Step();
    if (!collector.Bodies().empty()) waits.push_back(wait_ms);
    CHECK(world.stream->status().mode == DeliveryMode::kActive);
    CHECK(world.stream->status().checkpoint.totals.sent == (world.delivered() ? 3u : 0u));
    world.env.manual_clock().AdvanceMs(wait_ms);
  }
  CHECK(waits == std::vector<std::int64_t>{1000, 2000, 4000, 0});
  CHECK(collector.Bodies() == Texts{"a\n\nb\n"});
  const std::vector<Request> requests = collector.Requests();
  const std::string channel = requests[0].Header("x-splunk-request-channel");
  CHECK(channel.size() == 36);
  CHECK(requests[0].target == "/services/collector/raw?channel=" + channel);
  CHECK(requests[0].Header("authorization") == "Splunk token");
  CHECK(requests[1].target == "/services/collector/ack?channel=" + channel);
  CHECK(requests[1].Header("x-splunk-request-channel") == channel);
  CHECK(requests[1].Header("authorization") == "Splunk token");
  CHECK(world.Lake().empty());
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Splunk: events, with what stands between them", "[delivery]") {
  Collector collector;
  DeliveryConfig config = SplunkConfig(collector.Url());
  config.endpoint.splunk_events = true;
  config.delimiter = "|";
  config.delimiter_after_last = false;
  World world(config, 1);
  Put(world, R"({"event":1})");
  Put(world, R"({"event":2})");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(collector.Bodies() == Texts{R"({"event":1}|{"event":2})"});
  CHECK(collector.Requests().front().target.starts_with("/services/collector/event?channel="));
}

TEST_CASE("Splunk: what is not acknowledged in time is sent again, and the waiting is no time of retries",
          "[delivery]") {
  Collector collector;
  collector.acknowledges = [&](std::size_t) { return collector.Bodies().size() == 3; };
  World world(SplunkConfig(collector.Url(), 10), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  const std::int64_t begin_ms = world.env.clock().WallMs();
  REQUIRE(world.Run());
  CHECK(collector.Bodies() == Texts{"a\n", "a\n", "a\n"});
  CHECK(world.Lake().empty());
  CHECK(world.env.clock().WallMs() - begin_ms > 360'000);
  CHECK(world.stream->status().failures == 2);
}

TEST_CASE("Splunk: what is never acknowledged goes to the error output", "[delivery]") {
  Collector collector;
  collector.acknowledges = [](std::size_t) { return false; };
  World world(SplunkConfig(collector.Url(), 0), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(collector.Bodies().size() == 1);
  const std::string lines = ErrorLines(world);
  CHECK(lines.starts_with(R"({"attemptsMade":0,)"));  // as Firehose counts what was not acknowledged
  CHECK(lines.contains(R"("errorCode":"Splunk.AckTimeout")"));
  CHECK(lines.contains(R"("rawData":"YQ==","EventId":")"));
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Splunk: with AllEvents all records are in the backup, taken or not, and what was not is an error besides",
          "[delivery]") {
  Collector collector;
  collector.refuses = [&](std::size_t) {
    return collector.Bodies().back().contains("bad")
               ? std::optional(Answer{.status = 400, .body = R"({"text":"Invalid data format","code":6})"})
               : std::nullopt;
  };
  DeliveryConfig config = SplunkConfig(collector.Url());
  config.backup = BackupConfig{.error_prefix = config.error_prefix, .bucket = config.bucket, .prefix = "all/"};
  World world(config, 1);
  std::string all;
  for (const std::string& value : {JsonRecord(1, 800'000), JsonRecord(2, 800'000), std::string("bad")}) {
    Put(world, value);
    all += value + "\n";
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  std::string backup;
  for (const LedgerEntry& entry : world.Ledger()) {
    for (const DeliveredObject& object : entry.objects) {
      if (object.backup) backup += world.Lake().at(object.key);
    }
  }
  CHECK((backup == all));
  CHECK(world.stream->status().checkpoint.totals.sent == 2);
  CHECK(ErrorLines(world).contains(R"("rawData":"YmFk")"));
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_backup == 3);
}

TEST_CASE("Splunk: failures in Firehose's words, and which of them are tried again", "[delivery]") {
  const auto [status, body, code, again] = GENERATE(table<int, std::string, std::string, bool>({
      {403, R"({"text":"Token disabled","code":1})", "Splunk.DisabledToken", true},
      {401, R"({"text":"Invalid authorization","code":3})", "Splunk.InvalidToken", true},
      {400, R"({"text":"Invalid data format","code":6})", "Splunk.InvalidDataFormat", false},
      {400, R"({"text":"Incorrect index","code":7})", "Splunk.InvalidIndex", true},
      {503, R"({"text":"Server is busy","code":9})", "Splunk.IndexerBusy", true},
      {400, R"({"text":"ACK is disabled","code":14})", "Splunk.DisabledAck", true},
      {404, "", "Splunk.URLNotFound", true},
      {413, "", "Splunk.ServerError.ContentTooLarge", false},
      {500, "<html>", "Splunk.ServerError", true},
      {200, R"({"text":"Success","code":0})", "Splunk.DisabledAck", false},
      {200, R"({"text":"Success","code":"0","ackId":1})", "Splunk.ServerError", true},
      {201, R"({"text":"Success","code":0,"ackId":1})", "Splunk.ServerError", true},
  }));
  Collector collector;
  collector.refuses = [&, refusal = Answer{.status = status, .body = body}](std::size_t) { return refusal; };
  World world(SplunkConfig(collector.Url(), 1), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK((collector.Bodies().size() > 1) == again);
  CHECK(collector.asks() == 0);
  INFO(ErrorLines(world));
  CHECK(ErrorLines(world).contains(fmt::format(R"("errorCode":"{}")", code)));
}

TEST_CASE("Splunk: a restart while an acknowledgement is waited for sends again", "[delivery]") {
  Collector collector;
  collector.acknowledges = [&](std::size_t) { return collector.Bodies().size() == 2; };
  World world(SplunkConfig(collector.Url()), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  while (collector.asks() == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(collector.Bodies() == Texts{"a\n", "a\n"});
  CHECK(world.Lake().empty());
}

TEST_CASE("Splunk: a question that fails is asked again", "[delivery]") {
  std::atomic<int> asked = 0;
  FakeEndpoint server([&](const Request& request) -> Answer {
    if (!request.target.contains("/ack")) return {.body = R"({"code":0,"ackId":7})"};
    switch (asked++) {
      case 0:
        return {.status = 503, .body = ""};
      case 1:
        return {.body = "no json"};
      case 2:
        return {.body = R"({"acks":{"8":true}})"};
      default:
        return {.body = R"({"acks":{"7":true}})"};
    }
  });
  World world(SplunkConfig(server.Url()), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(asked == 4);
  CHECK(world.stream->status().checkpoint.totals.sent == 1);
}

}  // namespace sluice::delivery
