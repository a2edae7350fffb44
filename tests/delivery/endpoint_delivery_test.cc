// Delivery to an endpoint: each record is taken by it or in the error output, and counted once, whatever fails.
#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/delivery/delivery_world.h"
#include "tests/delivery/endpoint_fixture.h"
#include "tests/delivery/lambda_fixture.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {
namespace {

using Fault = FaultyMetadata::Fault;

/// Takes requests but those that hold "bad", and says what it took.
class Receiver {
 public:
  explicit Receiver(int refuses_with = 400)
      : server_([this](const FakeEndpoint::Request& request) { return Take(request); }), refuses_with_(refuses_with) {}

  std::string Url() const { return server_.Url("/in"); }
  /// Attempts, and those of them that were taken.
  std::size_t attempts() const { return server_.Requests().size(); }
  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    for (const auto& request : server_.Requests()) ids.push_back(ReadEndpointRequest(request.body).id);
    return ids;
  }
  /// Values in order; a request that came again counts once, as its id says.
  Texts Taken() const {
    const std::lock_guard lock(mutex_);
    Texts values;
    for (const std::string& id : order_) values.insert(values.end(), taken_.at(id).begin(), taken_.at(id).end());
    return values;
  }
  void Close(bool closed) { closed_ = closed; }
  /// Only the request with this number, from 0, is taken; the others find it closed.
  std::function<bool(std::size_t)> open = [](std::size_t) { return true; };

 private:
  FakeEndpoint::Answer Take(const FakeEndpoint::Request& request) {
    const EndpointRequestSeen seen = ReadEndpointRequest(request.body);
    const bool bad = std::ranges::any_of(seen.values, [](const std::string& value) { return value.contains("bad"); });
    if (closed_ || !open(server_.Requests().size() - 1))
      return EndpointAnswer(seen.id, 503, R"(,"errorMessage":"closed")");
    if (bad) return EndpointAnswer(seen.id, refuses_with_, R"(,"errorMessage":"bad record")");
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = taken_.emplace(seen.id, seen.values);
    if (is_new) order_.push_back(seen.id);
    if (place->second != seen.values) ++changed;  // the same id has the same records
    return EndpointAnswer(seen.id);
  }

  mutable std::mutex mutex_;
  std::map<std::string, Texts> taken_;
  Texts order_;
  std::atomic<bool> closed_ = false;
  FakeEndpoint server_;
  const int refuses_with_;

 public:
  std::atomic<int> changed = 0;
};

Texts Values(World& world, const std::string& key_part) {
  Texts values;
  for (const auto& [key, bytes] : world.Lake()) {
    if (!key.contains(key_part)) continue;
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t end = bytes.find('\n', begin);
      const auto line = ParseJsonTree(bytes.substr(begin, end - begin), "line");
      REQUIRE(line.has_value());
      values.push_back(*protocol::DecodeBase64(line->Find("rawData")->value.text));
      begin = end + 1;
    }
  }
  return values;
}

void Put(World& world, const std::string& value) { world.log.Append(0, value, world.env.clock().WallMs()); }

}  // namespace

TEST_CASE("Endpoint: all records arrive in order, and nothing is in the lake", "[delivery]") {
  Receiver receiver;
  World world(EndpointDeliveryConfig(receiver.Url()), 1);
  Texts expected;
  for (int i = 0; i < 250; ++i) {
    Put(world, JsonRecord(i, 10'000));
    expected.push_back(JsonRecord(i, 10'000));
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.Taken() == expected);
  CHECK(receiver.attempts() == 3);  // of a MiB each
  CHECK(world.Lake().empty());
  CHECK(world.stream->status().checkpoint.totals.sent == 250);
  tools::VerifyReport report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.sent == 250);
  CHECK(report.in_lake == 0);
}

TEST_CASE("Endpoint: a backup has all records, also those that are taken", "[delivery]") {
  Receiver receiver;
  DeliveryConfig config = EndpointDeliveryConfig(receiver.Url(), 0);
  config.backup = BackupConfig{.bucket = config.bucket, .prefix = "all/"};
  World world(config, 1);
  std::set<std::string> all;
  for (int i = 0; i < 150; ++i) {
    Put(world, i == 120 ? std::string("bad") : JsonRecord(i, 10'000));  // in the second delivery
    all.insert(world.log.shard(0).back().value);
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  std::set<std::string> found;
  for (const auto& [key, bytes] : world.Lake()) {
    std::istringstream lines(key.starts_with("all/") ? bytes : "");
    for (std::string line; std::getline(lines, line);) found.insert(line);
  }
  CHECK((found == all));
  CHECK(receiver.Taken().size() + Values(world, "failed").size() == 150);
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.in_backup == 150);
  CHECK(report.sent == receiver.Taken().size());
}

TEST_CASE("Endpoint: many small records are cut at 10,000, and each request has an id of its own", "[delivery]") {
  Receiver receiver;
  World world(EndpointDeliveryConfig(receiver.Url()), 1);
  for (int i = 0; i < 10'001; ++i) Put(world, "x");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.Taken().size() == 10'001);
  REQUIRE(receiver.attempts() == 2);
  CHECK(receiver.Ids()[0] != receiver.Ids()[1]);
}

TEST_CASE("Endpoint: one that is away is tried again with pauses that double, then the records are errors",
          "[delivery]") {
  Receiver receiver;
  receiver.Close(true);
  World world(EndpointDeliveryConfig(receiver.Url(), 300), 1);
  for (int i = 0; i < 5; ++i) Put(world, JsonRecord(i));
  REQUIRE(world.Start().ok());
  std::vector<std::int64_t> waits;
  while (!world.delivered()) {
    const std::int64_t wait_ms = world.stream->Step();
    const DeliveryStatus status = world.stream->status();
    if (status.mode == DeliveryMode::kFailing) {
      waits.push_back(wait_ms);
      CHECK(status.last_error.contains(
          "HttpEndpoint.DestinationException: The endpoint answers with status 503: closed"));
      CHECK(status.last_error.contains("the endpoint has not taken 5 records, which go to the error output in"));
    }
    world.env.manual_clock().AdvanceMs(wait_ms);
  }
  REQUIRE(waits.size() == 9);  // 1, 2, .. 64, 120 s, and what is left
  std::int64_t whole_ms = 1000, sum_ms = 0;
  for (std::size_t i = 0; i < waits.size(); ++i, whole_ms = std::min<std::int64_t>(2 * whole_ms, 120'000)) {
    if (i + 1 < waits.size()) CHECK(waits[i] >= whole_ms * 85 / 100);
    CHECK(waits[i] <= whole_ms * 115 / 100);
    sum_ms += waits[i];
  }
  CHECK(sum_ms == 300'000);
  CHECK(receiver.attempts() == 10);
  const Texts ids = receiver.Ids();
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 1);
  CHECK(Values(world, "errors/http-endpoint-failed/").size() == 5);
  const std::string line = world.Lake().begin()->second;
  CHECK(line.contains(R"("attemptsMade":10,)"));
  CHECK(line.contains(R"("errorCode":"HttpEndpoint.DestinationException")"));
  CHECK(line.contains(R"("subsequenceNumber":0,"dataId":")"));
  CHECK(line.contains(fmt::format(R"("attemptEndingTimestamp":{})", world.env.clock().WallMs())));
  tools::VerifyReport report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.in_errors == 5);
  CHECK(report.sent == 0);
}

TEST_CASE("Endpoint: one that comes back takes what waited", "[delivery]") {
  Receiver receiver;
  receiver.open = [](std::size_t attempt) { return attempt >= 3; };
  World world(EndpointDeliveryConfig(receiver.Url()), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.Taken() == Texts{"a"});
  CHECK(receiver.attempts() == 4);
  CHECK(world.Lake().empty());
  CHECK(world.stream->status().failures == 3);
}

TEST_CASE("Endpoint: a request that was taken is not sent again while the next one is tried", "[delivery]") {
  Receiver receiver;
  receiver.open = [](std::size_t attempt) { return attempt == 0 || attempt >= 4; };
  DeliveryConfig config = EndpointDeliveryConfig(receiver.Url());
  World world(config, 1);
  for (int i = 0; i < 10'005; ++i) Put(world, "x");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.attempts() == 5);
  CHECK(receiver.Taken().size() == 10'005);
  const Texts ids = receiver.Ids();
  CHECK(std::ranges::count(ids, ids[0]) == 1);
  CHECK(std::ranges::count(ids, ids[1]) == 4);
}

TEST_CASE("Endpoint: without retries one attempt decides", "[delivery]") {
  Receiver receiver;
  World world(EndpointDeliveryConfig(receiver.Url(), 0), 1);
  Put(world, "bad");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.attempts() == 1);
  CHECK(Values(world, "http-endpoint-failed") == Texts{"bad"});
  CHECK(world.stream->status().failures == 0);
}

TEST_CASE("Endpoint: 413 is not tried again", "[delivery]") {
  Receiver receiver(413);
  World world(EndpointDeliveryConfig(receiver.Url(), 7200), 1);
  Put(world, "bad");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.attempts() == 1);
  CHECK(Values(world, "http-endpoint-failed") == Texts{"bad"});
}

TEST_CASE("Endpoint: a request that is never taken does not take the time of the others", "[delivery]") {
  Receiver receiver;
  World world(EndpointDeliveryConfig(receiver.Url(), 60), 1);
  for (int i = 0; i < 30'000; ++i) Put(world, i == 15'000 ? "bad" : "x");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(Values(world, "http-endpoint-failed").size() == 10'000);
  CHECK(receiver.Taken().size() == 20'000);
  CHECK(world.stream->status().checkpoint.totals.sent == 20'000);
  tools::VerifyReport report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.sent == 20'000);
  CHECK(report.in_errors == 10'000);
}

TEST_CASE("Endpoint: one that is away costs a delivery of many requests its time once", "[delivery]") {
  Receiver receiver;
  receiver.Close(true);
  World world(EndpointDeliveryConfig(receiver.Url(), 60), 1);
  for (int i = 0; i < 30'000; ++i) Put(world, "x");
  REQUIRE(world.Start().ok());
  const std::int64_t begin_ms = world.env.clock().WallMs();
  REQUIRE(world.Run());
  CHECK(world.env.clock().WallMs() - begin_ms < 130'000);  // the interval of the hints, and the time of the retries
  CHECK(Values(world, "http-endpoint-failed").size() == 30'000);
}

TEST_CASE("Endpoint: a failing power or commit at any time changes nothing of what is proven", "[delivery]") {
  const auto fill = [](World& world) {
    for (int i = 0; i < 10'003; ++i) Put(world, i == 10'001 ? "bad" : "x");
  };
  const auto check = [](World& world, const Receiver& receiver) {
    CHECK(receiver.changed == 0);
    CHECK(receiver.Taken().size() == 10'000);
    CHECK(Values(world, "http-endpoint-failed") == Texts{"x", "bad", "x"});
    CHECK(world.stream->status().checkpoint.totals.sent == 10'000);
    CHECK(world.stream->status().checkpoint.totals.errors == 3);
    CHECK(Proof(world).Verify().ok());
  };
  SECTION("power") {
    for (int nth = 1;; ++nth) {
      Receiver receiver;
      World world(EndpointDeliveryConfig(receiver.Url(), 2), 1);
      fill(world);
      REQUIRE(world.Start().ok());
      if (!world.LosesPower(nth)) break;  // past the last call
      INFO("power off at call " << nth);
      world.env.PowerOn({});
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
      check(world, receiver);
      REQUIRE(nth < 500);
    }
  }
  SECTION("commits") {
    for (const Fault fault : {Fault::kBefore, Fault::kAfter}) {
      for (int nth = 1; nth <= 3; ++nth) {  // intent, intent with what was given up, checkpoint
        for (const bool restart : {false, true}) {
          Receiver receiver;
          World world(EndpointDeliveryConfig(receiver.Url(), 2), 1);
          fill(world);
          REQUIRE(world.Start().ok());
          world.metadata.FailCommit(nth, fault);
          while (world.metadata.failures() == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
          if (restart) REQUIRE(world.Start().ok());
          REQUIRE(world.Run());
          check(world, receiver);
        }
      }
    }
  }
}

TEST_CASE("Endpoint: after a restart what was given up stays so, though the endpoint would take it now", "[delivery]") {
  Receiver receiver;
  receiver.Close(true);
  World world(EndpointDeliveryConfig(receiver.Url(), 0), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  world.metadata.FailCommit(3, Fault::kBefore);  // the checkpoint
  while (world.metadata.failures() == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
  receiver.Close(false);
  const auto lake = world.Lake();
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(world.Lake() == lake);
  CHECK(receiver.attempts() == 1);
  CHECK(Values(world, "http-endpoint-failed") == Texts{"a"});
}

TEST_CASE("Endpoint: a delivery that was decided goes to the endpoint that is configured now", "[delivery]") {
  Receiver gone, here;
  gone.Close(true);
  World world(EndpointDeliveryConfig(gone.Url(), 7200), 1);
  Put(world, "a");
  REQUIRE(world.Start().ok());
  while (world.stream->status().mode != DeliveryMode::kFailing)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  DeliveryConfig changed = world.config;
  changed.endpoint.url = here.Url();
  REQUIRE(world.stream->Reconfigure(changed).has_value());
  REQUIRE(world.Run());
  CHECK(here.Taken() == Texts{"a"});
  CHECK(here.Ids().front() == gone.Ids().front());
}

TEST_CASE("Endpoint: what a Lambda has made is sent, and made once, also over retries and a restart", "[delivery]") {
  FakeEndpoint lambda(
      [](const FakeEndpoint::Request& request) { return FakeEndpoint::Answer{.body = Exclaim(request.body)}; });
  Receiver receiver;
  receiver.open = [](std::size_t attempt) { return attempt >= 2; };
  DeliveryConfig config = EndpointDeliveryConfig(receiver.Url());
  config.processors = {LambdaOf(lambda.Url())};
  World world(config, 1);
  for (const char* value : {"a", "drop", "fail", "b"}) Put(world, value);
  REQUIRE(world.Start().ok());
  while (world.stream->status().mode != DeliveryMode::kFailing)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(receiver.Taken() == Texts{"a!", "b!"});
  CHECK(receiver.attempts() == 3);
  CHECK(lambda.Requests().size() == 1);
  CHECK(Values(world, "processing-failed") == Texts{"fail"});
  tools::VerifyReport report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.sent == 2);
  CHECK(report.in_errors == 1);
  CHECK(report.filtered == 1);
}

TEST_CASE("Endpoint: what was changed on its way is in the error output as it came", "[delivery]") {
  FakeEndpoint lambda(
      [](const FakeEndpoint::Request& request) { return FakeEndpoint::Answer{.body = Exclaim(request.body)}; });
  Receiver receiver;
  receiver.Close(true);
  DeliveryConfig config = EndpointDeliveryConfig(receiver.Url(), 0);
  config.processors = {LambdaOf(lambda.Url())};
  World world(config, 1);
  Put(world, "a");
  Put(world, "fail");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(Values(world, "http-endpoint-failed") == Texts{"a"});
  CHECK(Values(world, "processing-failed") == Texts{"fail"});
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Endpoint: verify tells a ledger that counts more or less than was sent", "[delivery]") {
  Receiver receiver;
  World world(EndpointDeliveryConfig(receiver.Url()), 1);
  for (const char* value : {"a", "b"}) Put(world, value);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  for (const std::uint64_t sent : {1u, 3u}) {
    Proof proof(world);
    proof.document().entries.front().sent = sent;
    const tools::VerifyReport report = proof.Verify();
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems.front().kind == "ledger damaged");
  }
}

TEST_CASE("Endpoint: an interrupt cuts a request off, which is no attempt", "[delivery]") {
  std::atomic<World*> asked = nullptr;
  FakeEndpoint hangs([&](const FakeEndpoint::Request&) {
    asked.load()->stream->Interrupt(true);
    return FakeEndpoint::Answer{.body = {}, .how = FakeEndpoint::Answer::How::kNever};
  });
  World world(EndpointDeliveryConfig(hangs.Url(), 0), 1);
  asked = &world;
  Put(world, "a");
  REQUIRE(world.Start().ok());
  while (world.stream->status().mode != DeliveryMode::kFailing)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  CHECK(world.stream->status().last_error.contains("cut off"));
  CHECK_FALSE(world.delivered());
  CHECK(world.Lake().empty());
}

TEST_CASE("Endpoint: an answer that takes long holds no thread, and is come back for", "[delivery]") {
  std::atomic<bool> answers = false;
  FakeEndpoint slow([&](const FakeEndpoint::Request& request) {
    answers.wait(false);
    return TakeAll(request);
  });
  World world(EndpointDeliveryConfig(slow.Url(), 0), 1);
  world.processors.endpoint_timeout_ms = 5000;
  Put(world, "a");
  REQUIRE(world.Start().ok());
  while (slow.Requests().empty()) world.env.manual_clock().AdvanceMs(world.stream->Step());
  CHECK(world.stream->Step() > 0);
  CHECK_FALSE(world.delivered());
  CHECK(world.stream->status().mode == DeliveryMode::kActive);
  answers = true;
  answers.notify_all();
  REQUIRE(world.Run());
  CHECK(slow.Requests().size() == 1);
  CHECK(world.stream->status().checkpoint.totals.sent == 1);
  CHECK(world.Lake().empty());
}

TEST_CASE("Endpoint: another address counts while the first has not answered", "[delivery]") {
  FakeEndpoint hangs([](const FakeEndpoint::Request&) {
    return FakeEndpoint::Answer{.body = {}, .how = FakeEndpoint::Answer::How::kNever};
  });
  Receiver receiver;
  World world(EndpointDeliveryConfig(hangs.Url(), 0), 1);
  world.processors.endpoint_timeout_ms = 60'000;
  Put(world, "a");
  REQUIRE(world.Start().ok());
  while (hangs.Requests().empty()) world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(world.stream->Reconfigure(EndpointDeliveryConfig(receiver.Url())).has_value());
  REQUIRE(world.Run());
  CHECK(receiver.Taken() == Texts{"a"});
  CHECK(world.Lake().empty());
}

TEST_CASE("Endpoint: a lake becomes an endpoint and a lake again, and what was decided goes where it was to go",
          "[delivery]") {
  Receiver receiver;
  World world(RawConfig(), 1);
  REQUIRE(world.Start().ok());
  const auto decide = [&](const std::string& value) {
    Put(world, value);
    Decide(world);
  };
  decide("a");
  REQUIRE(world.stream->Reconfigure(EndpointDeliveryConfig(receiver.Url())).has_value());
  REQUIRE(world.Run());
  CHECK(receiver.attempts() == 0);
  decide("b");
  REQUIRE(world.stream->Reconfigure(RawConfig()).has_value());
  REQUIRE(world.Run());
  decide("c");
  REQUIRE(world.Run());
  CHECK(receiver.Taken() == Texts{"b"});
  std::string lake;
  for (const auto& [key, bytes] : world.Lake()) lake += bytes;
  CHECK(lake == "a\nc\n");
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.sent == 1);
  CHECK(report.in_lake == 2);
  CHECK(VerifyReportText(report).contains("sent         1 (acknowledged by an endpoint that it had before"));
}

}  // namespace sluice::delivery
