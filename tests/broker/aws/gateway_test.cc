// The checks of the AWS port in their order, with every answer byte for byte.
#include "broker/api/aws/gateway.h"

#include <algorithm>
#include <future>
#include <regex>
#include <string>

#include "broker/api/aws/answers.h"
#include "protocol/compression.h"
#include "storage/env/posix_env.h"
#include "tests/broker/aws/test_service.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

constexpr std::string_view kDenied =
    "<AccessDeniedException>\n"
    "  <Message>Unable to determine service/operation name to be authorized</Message>\n"
    "</AccessDeniedException>\n";

class GatewayFixture {
 public:
  explicit GatewayFixture(AuthOptions auth = {.accept_any_signature = true}) : auth_(std::move(auth)) {}
  ~GatewayFixture() { loops_.Stop(); }

  HttpResponse Serve(HttpRequest request) {
    std::promise<HttpResponse> promise;
    request.body.reserve(request.body.size() + protocol::aws::Document::kPaddingBytes);
    loops_.loop(0).Post([&] {
      gateway_.Serve(std::move(request), [this, &promise](HttpResponse response) {
        CHECK(loops_.loop(0).InLoop());
        promise.set_value(std::move(response));
      });
    });
    return promise.get_future().get();
  }

  HeldCalls held;

 private:
  std::unique_ptr<storage::Env> env_ = storage::NewPosixEnv();
  EventLoops loops_{1};
  const AuthOptions auth_;
  const std::vector<Service> services_ = TestServices(held);
  Gateway gateway_{
      {.loops = loops_, .clock = env_->clock(), .random = env_->random(), .services = services_, .auth = auth_},
      loops_.loop(0)};
};

HttpRequest Request(std::string target, std::string body, std::string_view content_type = kAmzJson) {
  HttpRequest request{.method = "POST", .path = "/", .query = {}, .fields = {}, .body = std::move(body), .share = {}};
  if (!target.empty()) request.fields.Add("x-amz-target", target);
  if (!content_type.empty()) request.fields.Add("content-type", content_type);
  return request;
}

std::string_view Field(const HttpResponse& response, std::string_view name) {
  const auto fields = response.fields.all();
  const auto found = std::ranges::find(fields, name, &HttpField::name);
  return found == fields.end() ? std::string_view("none") : (*found).value;
}

/// "STATUS CONTENT-TYPE BODY".
std::string Shown(const HttpResponse& response) {
  return std::to_string(response.status) + " " + std::string(Field(response, "Content-Type")) + " " + response.body;
}

TEST_CASE("Gateway: an operation gets its input and answers in the client's encoding", "[aws]") {
  GatewayFixture gateway;
  const std::string name = GENERATE("Test_1.Echo", "Test_1.EchoBlocking");
  CHECK(Shown(gateway.Serve(Request(name, R"({"Text":"a"})"))) ==
        R"(200 application/x-amz-json-1.1 {"Text":"a","Account":"000000000000","Region":"us-east-1"})");
  CHECK(Shown(gateway.Serve(Request(name, R"({"Text":"a"})", "application/x-amz-json-1.1 ; charset=utf-8"))) ==
        R"(200 application/x-amz-json-1.1 {"Text":"a","Account":"000000000000","Region":"us-east-1"})");
  CHECK(Shown(gateway.Serve(Request(name,
                                    "\xa1\x64Text\x61"
                                    "a",
                                    kAmzCbor))) ==
        "200 application/x-amz-cbor-1.1 \xbf\x64Text\x61"
        "a\x67"
        "Account\x6c"
        "000000000000\x66Region\x69us-east-1\xff");
}

TEST_CASE("Gateway: no output, and errors of an operation", "[aws]") {
  GatewayFixture gateway;
  CHECK(Shown(gateway.Serve(Request("Test_1.Empty", "{}"))) == "200 application/x-amz-json-1.1 ");
  CHECK(Shown(gateway.Serve(Request("Test_1.Refuse", "{}"))) ==
        R"(400 application/x-amz-json-1.1 {"__type":"ResourceNotFoundException","message":"No such thing."})");
  CHECK(Shown(gateway.Serve(Request("Test_1.Refuse", "\xa0", kAmzCbor))) ==
        "400 application/x-amz-cbor-1.1 \xbf\x66__type\x78\x19ResourceNotFoundException\x67message\x6eNo such "
        "thing.\xff");
}

TEST_CASE("Gateway: every answer has its ids and the date", "[aws]") {
  GatewayFixture gateway;
  const HttpResponse first = gateway.Serve(Request("Test_1.Empty", "{}"));
  const HttpResponse second = gateway.Serve(Request("", "{}", ""));
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (const HttpResponse* response : {&first, &second}) {
    CHECK(std::regex_match(std::string(Field(*response, "x-amzn-RequestId")), uuid));
    CHECK(Field(*response, "x-amz-id-2").size() == 96);
    CHECK(Field(*response, "Date").ends_with(" GMT"));
    CHECK(Field(*response, "Access-Control-Allow-Origin") == "none");
  }
  CHECK(Field(first, "x-amzn-RequestId") != Field(second, "x-amzn-RequestId"));
  CHECK(Field(first, "x-amz-id-2") != Field(second, "x-amz-id-2"));
}

TEST_CASE("Gateway: answers a browser", "[aws]") {
  GatewayFixture gateway;
  HttpRequest request = Request("Test_1.Empty", "{}");
  request.fields.Add("origin", "https://example.org");
  SECTION("a request") {
    const HttpResponse response = gateway.Serve(std::move(request));
    CHECK(Shown(response) == "200 application/x-amz-json-1.1 ");
    CHECK(Field(response, "Access-Control-Allow-Origin") == "*");
    CHECK(Field(response, "Access-Control-Expose-Headers") ==
          "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
  }
  SECTION("a preflight request") {
    request.method = "OPTIONS";
    request.fields.Add("access-control-request-headers", "authorization,x-amz-target");
    request.fields.Add("access-control-request-method", "POST");
    const HttpResponse response = gateway.Serve(std::move(request));
    CHECK(Shown(response) == "200 none ");
    CHECK(Field(response, "Access-Control-Allow-Origin") == "*");
    CHECK(Field(response, "Access-Control-Allow-Headers") == "authorization,x-amz-target");
    CHECK(Field(response, "Access-Control-Allow-Methods") == "POST");
    CHECK(Field(response, "Access-Control-Max-Age") == "172800");
  }
}

TEST_CASE("Gateway: methods other than POST are denied", "[aws]") {
  GatewayFixture gateway;
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    HttpRequest request = Request("Test_1.Empty", "{}");
    request.method = method;
    CHECK(Shown(gateway.Serve(std::move(request))) == "403 none " + std::string(kDenied));
  }
}

TEST_CASE("Gateway: an empty body", "[aws]") {
  GatewayFixture gateway;
  CHECK(Shown(gateway.Serve(Request("Test_1.Empty", ""))) ==
        R"(400 application/x-amz-json-1.1 {"__type":"SerializationException"})");
  CHECK(Shown(gateway.Serve(Request("Test_1.None", ""))) ==
        R"(400 application/x-amz-json-1.1 {"__type":"UnknownOperationException"})");
  const std::string cbor = "400 application/x-amz-cbor-1.1 \xbf\x66__type";
  for (const std::string_view type : {kAmzCbor, kPlainJson, std::string_view("text/plain"), std::string_view()}) {
    CHECK(Shown(gateway.Serve(Request("Test_1.Empty", "", type))) == cbor + "\x76SerializationException\xff");
    CHECK(Shown(gateway.Serve(Request("", "", type))) == cbor + "\x78\x19UnknownOperationException\xff");
  }
}

TEST_CASE("Gateway: a content type that is none of ours", "[aws]") {
  GatewayFixture gateway;
  for (const std::string_view type :
       {"", "text/plain", "application/x-amz-json-1.0", "application/x-www-form-urlencoded"}) {
    CHECK(Shown(gateway.Serve(Request("", "{}", type))) == "403 none " + std::string(kDenied));
    CHECK(Shown(gateway.Serve(Request("Test_1.Empty", "{}", type))) == "404 none <UnknownOperationException/>\n");
  }
}

TEST_CASE("Gateway: a body that is no document", "[aws]") {
  GatewayFixture gateway;
  CHECK(Shown(gateway.Serve(Request("Test_1.Empty", "{"))) ==
        R"(400 application/x-amz-json-1.1 {"__type":"SerializationException"})");
  CHECK(Shown(gateway.Serve(Request("Test_1.Empty", "\xbf", kAmzCbor))) ==
        "400 application/x-amz-cbor-1.1 \xbf\x66__type\x76SerializationException\xff");
  CHECK(
      Shown(gateway.Serve(Request("Test_1.Empty", "{", kPlainJson))) ==
      R"(400 application/json {"Output":{"__type":"com.amazon.coral.service#SerializationException"},"Version":"1.0"})");
  CHECK(
      Shown(gateway.Serve(Request("Test_1.Empty", "{}", kPlainJson))) ==
      R"(404 application/json {"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"})");
}

TEST_CASE("Gateway: targets that are none", "[aws]") {
  GatewayFixture gateway;
  for (const char* target : {"", "Test_1", "Test_1.", "Test_1.empty", "Test_2.Empty", "Test_1.Empty.x"}) {
    CHECK(Shown(gateway.Serve(Request(target, "{}"))) ==
          R"(400 application/x-amz-json-1.1 {"__type":"UnknownOperationException"})");
  }
}

TEST_CASE("Gateway: the signature comes before the types, and the types before the constraints", "[aws]") {
  GatewayFixture strict(AuthOptions{});
  CHECK(
      Shown(strict.Serve(Request("Test_1.Echo", R"({"Text":1,"Count":99})"))) ==
      R"(400 application/x-amz-json-1.1 {"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"})");
  GatewayFixture open;
  CHECK(
      Shown(open.Serve(Request("Test_1.Echo", R"({"Text":1,"Count":99})"))) ==
      R"(400 application/x-amz-json-1.1 {"__type":"SerializationException","Message":"class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"})");
  CHECK(
      Shown(open.Serve(Request("Test_1.Echo", R"({"Count":99})"))) ==
      R"(400 application/x-amz-json-1.1 {"__type":"ValidationException","message":"2 validation errors detected: Value null at 'text' failed to satisfy constraint: Member must not be null; Value '99' at 'count' failed to satisfy constraint: Member must have value less than or equal to 10"})");
}

TEST_CASE("Gateway: a document that is no map reaches no operation", "[aws]") {
  GatewayFixture gateway;
  for (const char* body : {"null", "1", "\"a\"", "[]", "true"}) {
    INFO(body);
    CHECK(Shown(gateway.Serve(Request("Test_1.Empty", body)))
              .starts_with(R"(400 application/x-amz-json-1.1 {"__type":"SerializationException")"));
  }
}

TEST_CASE("Gateway: JSON 1.0, whose errors say which namespace they are of", "[aws]") {
  GatewayFixture gateway;
  const auto json = [&](std::string target, std::string body) {
    return Shown(gateway.Serve(Request(std::move(target), std::move(body), kAmzJson10)));
  };
  CHECK(json("Newer_2.Echo", R"({"Text":"a"})") ==
        R"(200 application/x-amz-json-1.0 {"Text":"a","Account":"000000000000","Region":"us-east-1"})");
  CHECK(json("Newer_2.Refuse", "{}") ==
        R"(400 application/x-amz-json-1.0 {"__type":"com.newer#TooMuch","message":"1 < 2 & 3"})");
  CHECK(json("Newer_2.None", "{}") ==
        R"(400 application/x-amz-json-1.0 {"__type":"com.amazon.coral.service#UnknownOperationException"})");
  CHECK(json("Newer_2.Echo", "{") ==
        R"(400 application/x-amz-json-1.0 {"__type":"com.amazon.coral.service#SerializationException"})");
  CHECK(json("Newer_2.Echo", "") ==
        R"(400 application/x-amz-json-1.0 {"__type":"com.amazon.coral.service#SerializationException"})");
  CHECK(
      json("Newer_2.Echo", R"({"Text":""})")
          .starts_with(R"(400 application/x-amz-json-1.0 {"__type":"com.amazon.coral.validate#ValidationException")"));
  CHECK(Shown(gateway.Serve(Request("Newer_2.Echo", "{}", kAmzJson))) == "404 none <UnknownOperationException/>\n");
}

TEST_CASE("Gateway: CBOR with the operation in the path", "[aws]") {
  GatewayFixture gateway;
  const auto rpc = [&](std::string path, std::string body) {
    HttpRequest request = Request("", std::move(body), kRpcCborType);
    request.path = std::move(path);
    return gateway.Serve(std::move(request));
  };
  const HttpResponse echoed = rpc("/below/service/Newer_2/operation/Echo", "\xbf\x64Text\x61z\xff");
  CHECK(
      echoed.body.starts_with("\xbf\x64Text\x61z\x67"
                              "Account"));
  CHECK(Field(echoed, "Content-Type") == "application/cbor");
  CHECK(Field(echoed, "smithy-protocol") == "rpc-v2-cbor");
  CHECK(Shown(rpc("/service/Newer_2/operation/Refuse", "\xa0")) ==
        "400 application/cbor \xbf\x66__type\x71"
        "com.newer#TooMuch\x67message\x69"
        "1 < 2 & 3\xff");
  CHECK(Shown(rpc("/service/Newer_2/operation/None", "\xa0")).starts_with("400 application/cbor"));
  CHECK(Shown(rpc("/service/Test_1/operation/Empty", "\xa0")) == "403 none " + std::string(kDenied));
  for (const char* path : {"/", "/service/Newer_2", "/service/Newer_2/operation", "/operation/Echo"}) {
    CHECK(Shown(rpc(path, "\xa0")) == "403 none " + std::string(kDenied));
  }
}

TEST_CASE("Gateway: forms, with answers in XML", "[aws]") {
  GatewayFixture gateway;
  const auto form = [&](std::string body) { return Shown(gateway.Serve(Request("", std::move(body), kFormType))); };
  CHECK(form("Action=Swallow&Version=2010-08-01&Text=a+b%21") ==
        "200 text/xml <SwallowResponse xmlns=\"http://newer/\"><ResponseMetadata/></SwallowResponse>\n");
  CHECK(form("Version=2010-08-01&Action=Refuse") ==
        "400 text/xml <ErrorResponse><Error><Type>Sender</Type><Code>TooMuch</Code><Message>1 &lt; 2 &amp; "
        "3</Message></Error></ErrorResponse>\n");
  CHECK(form("Action=Swallow&Version=2010-08-01").contains("<Code>ValidationException</Code>"));
  CHECK(form("Action=Swallow&Version=2010-08-01&Text.a=1").contains("<Code>SerializationException</Code>"));
  CHECK(form("Action=Swallow&Version=2010-08-01&Text=%zz").contains("<Code>SerializationException</Code>"));
  CHECK(form("Action=None&Version=2010-08-01").contains("<Code>UnknownOperationException</Code>"));
  CHECK(form("Action=Swallow&Version=2010-08-02").contains("<Code>UnknownOperationException</Code>"));
  CHECK(form("Version=2010-08-01") == "403 none " + std::string(kDenied));
}

TEST_CASE("Gateway: the code of forms, where a client asks for it", "[aws]") {
  GatewayFixture gateway;
  CHECK(Field(gateway.Serve(Request("Newer_2.Refuse", "{}", kAmzJson10)), "x-amzn-query-error") == "none");
  HttpRequest request = Request("Newer_2.Refuse", "{}", kAmzJson10);
  request.fields.Add("x-amzn-query-mode", "true");
  CHECK(Field(gateway.Serve(std::move(request)), "x-amzn-query-error") == "TooMuch;Sender");
}

TEST_CASE("Gateway: bodies that are compressed, where the service takes them", "[aws]") {
  GatewayFixture gateway;
  const auto packed = [&](std::string target, std::string_view content_type, const std::string& body) {
    std::string bytes;
    protocol::Compress(protocol::Compression::kGzip, body, bytes);
    HttpRequest request = Request(std::move(target), std::move(bytes), content_type);
    request.fields.Add("content-encoding", "gzip");
    return Shown(gateway.Serve(std::move(request)));
  };
  const std::string refused = R"({"__type":"com.amazon.coral.service#SerializationException"})";
  CHECK(packed("Newer_2.Echo", kAmzJson10, R"({"Text":"a"})").contains(R"({"Text":"a",)"));
  CHECK(packed("Newer_2.Echo", kAmzJson10, R"({"Text":")" + std::string(1 << 20, 'x') + "\"}").ends_with(refused));
  CHECK(packed("Test_1.Echo", kAmzJson, R"({"Text":"a"})").contains("SerializationException"));
  CHECK(packed("", kFormType, "Action=Swallow&Version=2010-08-01&Text=a").starts_with("200 text/xml <SwallowResponse"));
  HttpRequest plain = Request("Newer_2.Echo", R"({"Text":"a"})", kAmzJson10);
  plain.fields.Add("content-encoding", "gzip");
  CHECK(Shown(gateway.Serve(std::move(plain))).ends_with(refused));
}

TEST_CASE("Gateway: requests that came without all of themselves", "[aws]") {
  GatewayFixture gateway;
  const auto answer = [&](HttpProblem problem) {
    HttpRequest request = Request("Test_1.Empty", "");
    request.problem = problem;
    return Shown(gateway.Serve(std::move(request)));
  };
  CHECK(
      answer(HttpProblem::kMalformed) ==
      R"(400 application/x-amz-json-1.1 {"__type":"MalformedHttpRequestException","message":"This is no request of HTTP."})");
  CHECK(
      answer(HttpProblem::kTimedOut) ==
      R"(408 application/x-amz-json-1.1 {"__type":"RequestTimeoutException","message":"The request did not come to its end in time."})");
  CHECK(
      answer(HttpProblem::kBodyTooLarge) ==
      R"(413 application/x-amz-json-1.1 {"__type":"RequestEntityTooLargeException","message":"The body of the request is too large."})");
  CHECK(
      answer(HttpProblem::kHeaderTooLarge) ==
      R"(431 application/x-amz-json-1.1 {"__type":"RequestHeaderSectionTooLargeException","message":"The header of the request is too large."})");
  CHECK(
      answer(HttpProblem::kNoMemory) ==
      R"(503 application/x-amz-json-1.1 {"__type":"ServiceUnavailableException","message":"There is no memory for this request now; send it again later."})");
}

}  // namespace
}  // namespace sluice::broker::aws
