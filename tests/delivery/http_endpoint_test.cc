// The contract of Firehose's HTTP endpoints: what a request is like, and which answers are a success.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "broker/delivery/endpoints/endpoint_registry.h"
#include "protocol/compression.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/endpoint_fixture.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kId = "11111111-2222-8333-8444-555555555555";

/// One endpoint beside its delivery stream.
struct Caller {
  explicit Caller(EndpointConfig config, std::int64_t timeout_ms = 10'000) : access_key(config.access_key) {
    host.reset(new ProcessorHost{
        .settings = {.endpoint_timeout_ms = timeout_ms, .stopping = &stopping}, .source = source, .run_id = "run"});
    DeliveryConfig delivery = RawConfig();
    delivery.endpoint = std::move(config);
    endpoint = FindEndpointKind("HttpEndpoint")->make(delivery, *host);
  }
  std::optional<RequestFailure> Send(const std::vector<std::string>& values) {
    WorkBatch batch;
    for (const std::string& value : values)
      batch.Add({.value = value, .key = "", .shard = ShardIndex(0), .offset = Offset(0)});
    return endpoint
        ->Send(
            {.id = std::string(kId), .made_ms = 1'600'000'000'123, .records = batch.records, .access_key = access_key})
        .failure;
  }

  const std::string access_key;
  std::atomic<bool> stopping = false;
  FakeLog log{1};
  FakeSource source{log};
  std::unique_ptr<ProcessorHost> host;
  std::unique_ptr<Endpoint> endpoint;
};

/// What comes of this answer.
std::optional<RequestFailure> Judged(FakeEndpoint::Answer answer) {
  FakeEndpoint server([&](const FakeEndpoint::Request&) { return answer; });
  return Caller({.url = server.Url("/in")}).Send({"x"});
}

}  // namespace

TEST_CASE("HttpEndpoint Send: a request as Firehose's", "[delivery]") {
  FakeEndpoint server(TakeAll);
  Caller caller({.url = server.Url("/in?token=t"),
                 .access_key = "key with spaces",
                 .attributes = {{"team", "a\"b"}, {"empty", ""}}});
  CHECK_FALSE(caller.Send({"one", "", std::string("\0\xFF", 2)}).has_value());
  REQUIRE(server.Requests().size() == 1);
  const FakeEndpoint::Request request = server.Requests().front();
  CHECK(request.target == "/in?token=t");
  CHECK(request.body == fmt::format(R"({{"requestId":"{}","timestamp":1600000000123,"records":[)"
                                    R"({{"data":"b25l"}},{{"data":""}},{{"data":"AP8="}}]}})",
                                    kId));
  CHECK(request.content_type == "application/json");
  CHECK(request.Header("content-length") == std::to_string(request.body.size()));
  CHECK(request.Header("content-encoding").empty());
  CHECK(request.Header("x-amz-firehose-protocol-version") == "1.0");
  CHECK(request.Header("x-amz-firehose-request-id") == kId);
  CHECK(request.Header("x-amz-firehose-source-arn") ==
        "arn:aws:firehose:us-east-1:000000000000:deliverystream/orders-lake");
  CHECK(request.Header("x-amz-firehose-access-key") == "key with spaces");
  CHECK(request.Header("x-amz-firehose-common-attributes") == R"({"commonAttributes":{"team":"a\"b","empty":""}})");
}

TEST_CASE("HttpEndpoint Send: without key and attributes there are no headers of them", "[delivery]") {
  FakeEndpoint server(TakeAll);
  CHECK_FALSE(Caller({.url = server.Url()}).Send({"one"}).has_value());
  const FakeEndpoint::Request request = server.Requests().front();
  for (const auto& [name, value] : request.headers) {
    CHECK(name != "x-amz-firehose-access-key");
    CHECK(name != "x-amz-firehose-common-attributes");
  }
}

TEST_CASE("HttpEndpoint Send: GZIP", "[delivery]") {
  std::string body;
  FakeEndpoint server([&](const FakeEndpoint::Request& request) {
    CHECK(protocol::Decompress(protocol::Compression::kGzip, request.body, 1u << 20, body).ok());
    return EndpointAnswer(kId);
  });
  CHECK_FALSE(Caller({.url = server.Url(), .gzip = true}).Send({"one"}).has_value());
  CHECK(server.Requests().front().Header("content-encoding") == "gzip");
  CHECK(ReadEndpointRequest(body).values == std::vector<std::string>{"one"});
}

TEST_CASE("HttpEndpoint Send: what is no success", "[delivery]") {
  using Answer = FakeEndpoint::Answer;
  const auto with = [](std::function<void(Answer&)> change) {
    Answer answer = EndpointAnswer(kId);
    change(answer);
    return answer;
  };
  const auto [answer, code, words] = GENERATE_COPY(table<Answer, std::string, std::string>({
      {with([](Answer& a) { a.status = 201; }), "HttpEndpoint.DestinationException", "status 201"},
      {with([](Answer& a) {
         a.status = 302;
         a.headers.emplace_back("Location", "http://127.0.0.1:1/");
       }),
       "HttpEndpoint.DestinationException", "status 302"},
      {EndpointAnswer(kId, 400, R"(,"errorMessage":"bad key")"), "HttpEndpoint.DestinationException",
       "The endpoint answers with status 400: bad key"},
      {with([](Answer& a) {
         a.status = 500;
         a.body = "<html>";
       }),
       "HttpEndpoint.DestinationException", "The endpoint answers with status 500: <html>"},
      {with([](Answer& a) { a.body = "{}"; }), "HttpEndpoint.InvalidResponseFromDestination", "its requestId is not"},
      {with([](Answer& a) { a.body = "[1]"; }), "HttpEndpoint.InvalidResponseFromDestination", "no JSON object"},
      {with([](Answer& a) { a.body = ""; }), "HttpEndpoint.InvalidResponseFromDestination", "no JSON object"},
      {EndpointAnswer("another"), "HttpEndpoint.InvalidResponseFromDestination", "its requestId is not"},
      {with([](Answer& a) { a.body = fmt::format(R"({{"requestId":"{}","timestamp":"1"}})", kId); }),
       "HttpEndpoint.InvalidResponseFromDestination", "its timestamp is no number"},
      {with([](Answer& a) { a.headers = {}; }), "HttpEndpoint.InvalidResponseFromDestination",
       "its Content-Type is ''"},
      {with([](Answer& a) { a.headers = {{"Content-Type", "text/html"}}; }),
       "HttpEndpoint.InvalidResponseFromDestination", "its Content-Type is 'text/html'"},
      {with([](Answer& a) { a.headers.emplace_back("Content-Encoding", "gzip"); }),
       "HttpEndpoint.InvalidResponseFromDestination", "its Content-Encoding is 'gzip'"},
      {with([](Answer& a) { a.body += std::string(1u << 20, ' '); }), "HttpEndpoint.ResponseTooLarge",
       "answers with more than 1048576 bytes"},
      {with([](Answer& a) { a.how = Answer::How::kCut; }), "HttpEndpoint.ConnectionFailed", "/in: "},
  }));
  const std::optional<RequestFailure> failure = Judged(answer);
  REQUIRE(failure.has_value());
  CHECK(failure->code == code);
  INFO(failure->message);
  CHECK(failure->message.contains(words));
  CHECK_FALSE(failure->permanent);
}

TEST_CASE("HttpEndpoint Send: a charset behind the type is a success, and 413 is for good", "[delivery]") {
  FakeEndpoint::Answer answer = EndpointAnswer(kId);
  answer.headers = {{"Content-Type", "Application/JSON; charset=utf-8"}};
  CHECK_FALSE(Judged(answer).has_value());
  const std::optional<RequestFailure> too_large = Judged(EndpointAnswer(kId, 413));
  REQUIRE(too_large.has_value());
  CHECK(too_large->permanent);
}

TEST_CASE("HttpEndpoint Send: nobody there, no answer in time, no secrets in the words", "[delivery]") {
  const auto nobody = Caller({.url = UrlOfNobody() + "in?token=secret"}).Send({"x"});
  REQUIRE(nobody.has_value());
  CHECK(nobody->code == "HttpEndpoint.ConnectionFailed");
  CHECK_FALSE(nobody->message.contains("secret"));
  FakeEndpoint silent([](const FakeEndpoint::Request&) {
    return FakeEndpoint::Answer{.body = {}, .how = FakeEndpoint::Answer::How::kNever};
  });
  const auto late = Caller({.url = silent.Url("/in")}, 100).Send({"x"});
  REQUIRE(late.has_value());
  CHECK(late->code == "HttpEndpoint.RequestTimeout");
}

}  // namespace sluice::delivery
