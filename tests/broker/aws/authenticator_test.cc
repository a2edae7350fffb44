// Whose request it is: keys, accounts, regions, and what is refused in AWS's words.
#include "broker/api/aws/authenticator.h"

#include <string>

#include "protocol/aws/amz_time.h"
#include "tests/broker/aws/sign.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

constexpr std::int64_t kNowS = 1'790'000'000;

AuthOptions TwoKeys() {
  return {.access_keys = {{"AKIA1", "secret 1"}, {"AKIA2", "secret 2"}}, .accounts = {{"AKIA2", "222222222222"}}};
}

HttpRequest SignedBy(std::string_view key, std::string_view secret, std::string_view region = "eu-west-1",
                     std::string_view service = "kinesis") {
  HttpRequest request{.method = "POST", .path = "/", .query = {}, .fields = {}, .body = "{}", .share = {}};
  request.fields = {{"host", "localhost"}, {"x-amz-target", "Test_1.Echo"}};
  Sign(request, {.access_key = key, .secret = secret, .region = region, .service = service, .time_s = kNowS});
  return request;
}

/// The same fields, but for the value of this one.
HttpFields With(const HttpFields& fields, std::string_view name, std::string_view value) {
  HttpFields changed;
  for (const HttpField field : fields.all()) changed.Add(field.name, field.name == name ? value : field.value);
  return changed;
}

std::string TypeOf(const std::expected<Caller, protocol::aws::ApiError>& caller) {
  return caller ? "" : caller.error().type;
}

TEST_CASE("Authenticator Check: the key names the account, the scope the region", "[aws]") {
  const AuthOptions options = TwoKeys();
  Authenticator authenticator(options);
  const auto first = authenticator.Check(SignedBy("AKIA1", "secret 1"), "kinesis", kNowS);
  REQUIRE(first.has_value());
  CHECK(first->account == "000000000000");
  CHECK(first->region == "eu-west-1");
  CHECK(first->access_key == "AKIA1");
  const auto second = authenticator.Check(SignedBy("AKIA2", "secret 2", "us-west-2"), "kinesis", kNowS);
  REQUIRE(second.has_value());
  CHECK(second->account == "222222222222");
  CHECK(second->region == "us-west-2");
}

TEST_CASE("Authenticator Check: the signature covers body, fields, time and service", "[aws]") {
  const AuthOptions options = TwoKeys();
  Authenticator authenticator(options);
  HttpRequest request = SignedBy("AKIA1", "secret 1");
  SECTION("another secret") { request = SignedBy("AKIA1", "secret 2"); }
  SECTION("another body") { request.body = "{ }"; }
  SECTION("another target") { request.fields = With(request.fields, "x-amz-target", "Test_1.Refuse"); }
  SECTION("too old") {
    CHECK(TypeOf(authenticator.Check(request, "kinesis", kNowS + 901)) == "InvalidSignatureException");
    return;
  }
  SECTION("another service") { request = SignedBy("AKIA1", "secret 1", "eu-west-1", "firehose"); }
  SECTION("no region") { request = SignedBy("AKIA1", "secret 1", "EU"); }
  CHECK(TypeOf(authenticator.Check(request, "kinesis", kNowS)) == "InvalidSignatureException");
}

TEST_CASE("Authenticator Check: keys that are not known", "[aws]") {
  const AuthOptions options = TwoKeys();
  Authenticator authenticator(options);
  CHECK(
      authenticator.Check(SignedBy("AKIA3", "secret 1"), "kinesis", kNowS).error() ==
      protocol::aws::ApiError("UnrecognizedClientException", "The security token included in the request is invalid."));
  const AuthOptions none;
  Authenticator without_keys(none);
  const auto refused = without_keys.Check(SignedBy("AKIA1", "secret 1"), "kinesis", kNowS);
  CHECK(TypeOf(refused) == "UnrecognizedClientException");
  CHECK(refused.error().message.find("aws.access_keys") != std::string::npos);
}

TEST_CASE("Authenticator Check: a session token is part of what is signed, and asks for nothing more", "[aws]") {
  const AuthOptions options = TwoKeys();
  Authenticator authenticator(options);
  HttpRequest request{.method = "POST", .path = "/", .query = {}, .fields = {}, .body = "{}", .share = {}};
  request.fields = {{"host", "localhost"}, {"x-amz-security-token", "token"}};
  Sign(request, {.access_key = "AKIA1", .secret = "secret 1", .region = "r", .service = "kinesis", .time_s = kNowS});
  CHECK(authenticator.Check(request, "kinesis", kNowS).has_value());
  request.fields = With(request.fields, "x-amz-security-token", "another");
  CHECK(TypeOf(authenticator.Check(request, "kinesis", kNowS)) == "InvalidSignatureException");
}

TEST_CASE("Authenticator Check: accept_any_signature takes any key, or none", "[aws]") {
  const AuthOptions options{.accounts = {{"AKIA2", "222222222222"}},
                            .account = "111111111111",
                            .region = "eu-north-1",
                            .accept_any_signature = true};
  Authenticator authenticator(options);
  const auto wrong = authenticator.Check(SignedBy("any", "secret", "us-west-2"), "kinesis", kNowS + 100'000);
  REQUIRE(wrong.has_value());
  CHECK(wrong->account == "111111111111");
  CHECK(wrong->region == "us-west-2");
  CHECK(wrong->access_key == "any");
  CHECK(authenticator.Check(SignedBy("AKIA2", ""), "kinesis", kNowS)->account == "222222222222");
  CHECK(authenticator.Check(SignedBy("any", "", "EU"), "kinesis", kNowS)->region == "eu-north-1");
  const HttpRequest unsigned_request{
      .method = "POST", .path = "/", .query = {}, .fields = {}, .body = "{}", .share = {}};
  const auto none = authenticator.Check(unsigned_request, "kinesis", kNowS);
  REQUIRE(none.has_value());
  CHECK(none->region == "eu-north-1");
  CHECK(none->access_key.empty());
}

TEST_CASE("Authenticator Check: more scopes than the cache holds", "[aws]") {
  const AuthOptions options = TwoKeys();
  Authenticator authenticator(options);
  for (int i = 0; i < 2'500; ++i) {
    const std::string region = "r-" + std::to_string(i % 1'200);
    REQUIRE(authenticator.Check(SignedBy("AKIA1", "secret 1", region), "kinesis", kNowS).has_value());
  }
}

}  // namespace
}  // namespace sluice::broker::aws
