// Signatures: those that botocore makes are right, a request with any part changed is not, and what is missing is
// named.
#include "protocol/aws/sigv4.h"

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/aws/amz_time.h"
#include "protocol/aws/document.h"
#include "protocol/aws/percent.h"
#include "tests/catch.h"

namespace sluice::protocol::aws {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const std::int64_t kSignedAt = ParseAmzTime("20260228T235958Z").value();

/// A request that can be changed before it is looked at.
struct Sent {
  std::string name;
  std::string method = "POST";
  std::string path = "/";
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  template <typename Use>
  auto With(const Use& use) const {
    std::vector<HttpHeader> views;
    for (const auto& [key, value] : headers) views.push_back({key, value});
    const std::string digest = Sha256Hex(body);
    return use(SignedRequest{method, path, query, views, digest});
  }
};

/// What tests/protocol/aws/make_signatures.py wrote.
std::vector<Sent> ReadSent() {
  std::ifstream file("tests/protocol/aws/data/signatures.txt");
  std::vector<Sent> all;
  for (std::string line; std::getline(file, line);) {
    const std::size_t size = line.size();
    line.append(Document::kPaddingBytes, ' ');
    Document document;
    REQUIRE(document.ReadJson(std::string_view(line).substr(0, size)).ok());
    const auto text = [&](std::string_view key) { return std::string(document.root().Find(key)->text()); };
    Sent sent{text("name"), text("method"), text("path"), text("query"), {}, text("body")};
    for (const auto [none, pair] : document.root().Find("headers")->children()) {
      std::vector<std::string> both;
      for (const auto [unnamed, value] : pair.children()) both.emplace_back(value.text());
      sent.headers.emplace_back(both.at(0), both.at(1));
    }
    all.push_back(std::move(sent));
  }
  return all;
}

/// "" where the signature is right, else the error's type.
std::string Verdict(const Sent& sent, std::string_view secret = kSecret, std::int64_t now_s = kSignedAt) {
  return sent.With([&](const SignedRequest& request) -> std::string {
    const auto claim = ReadClaim(request);
    if (!claim) return claim.error().type;
    const auto wrong = CheckSignature(request, *claim, DeriveSigningKey(secret, claim->scope), now_s);
    return wrong ? wrong->type : "";
  });
}

ApiError ClaimError(const Sent& sent) {
  return sent.With([](const SignedRequest& request) {
    const auto claim = ReadClaim(request);
    return claim ? ApiError("", "") : claim.error();
  });
}

std::string CheckMessage(const Sent& sent, std::int64_t now_s) {
  return sent.With([&](const SignedRequest& request) {
    const auto claim = ReadClaim(request).value();
    return CheckSignature(request, claim, DeriveSigningKey(kSecret, claim.scope), now_s).value().message;
  });
}

TEST_CASE("CheckSignature: takes what botocore signs", "[aws]") {
  const std::vector<Sent> all = ReadSent();
  REQUIRE(all.size() == 8);
  for (const Sent& sent : all) {
    INFO(sent.name);
    CHECK(Verdict(sent) == "");
  }
}

// As the JavaScript SDK signs; botocore knows no HTTP/2.
TEST_CASE("CheckSignature: takes the host under its name of HTTP/2", "[aws]") {
  Sent sent{"authority", "POST", "/", "", {{"host", "127.0.0.1:4566"}, {"x-amz-date", "20260228T235958Z"}}, "{}"};
  sent.headers.emplace_back("authorization",
                            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260228/us-east-1/kinesis/aws4_request, "
                            "SignedHeaders=:authority;x-amz-date, "
                            "Signature=5a3016de7ee5f8e97f2a6d4ce6517ff17035dbb3b06b4fe295c2a2a1c49f1e6b");
  CHECK(Verdict(sent) == "");
  sent.headers[0].second = "elsewhere:4566";
  CHECK(Verdict(sent) == "InvalidSignatureException");
}

TEST_CASE("CheckSignature: refuses a request with any signed part changed", "[aws]") {
  for (const Sent& sent : ReadSent()) {
    INFO(sent.name);
    const auto changed = [&](const auto& change) {
      Sent other = sent;
      change(other);
      return Verdict(other);
    };
    constexpr const char* kRefused = "InvalidSignatureException";
    CHECK(Verdict(sent, "another secret") == kRefused);
    CHECK(changed([](Sent& other) { other.method = "PUT"; }) == kRefused);
    CHECK(changed([](Sent& other) { other.path += "x"; }) == kRefused);
    CHECK(changed([](Sent& other) { other.query += "&more=1"; }) == kRefused);
    CHECK(changed([](Sent& other) { other.headers[0].second = "elsewhere"; }) == kRefused);
    CHECK(changed([](Sent& other) { other.body += " "; }) == kRefused);
  }
}

// From AWS's own suite of test requests for Signature Version 4 ("get-vanilla" and two others of it).
TEST_CASE("CheckSignature: examples of AWS", "[aws]") {
  Sent sent{"get-vanilla", "GET", "/", "", {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}}, ""};
  const auto verdict = [&](std::string_view signature) {
    Sent with = sent;
    with.headers.emplace_back("Authorization",
                              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                              "SignedHeaders=host;x-amz-date, Signature=" +
                                  std::string(signature));
    return Verdict(with, kSecret, ParseAmzTime("20150830T123600Z").value());
  };
  CHECK(verdict("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") == "");
  sent.method = "POST";
  CHECK(verdict("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b") == "");
  sent.method = "GET";
  sent.query = "Param2=value2&Param1=value1";
  CHECK(verdict("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500") == "");
}

TEST_CASE("CheckSignature: fifteen minutes either way, a query as long as it says", "[aws]") {
  const std::vector<Sent> all = ReadSent();
  const Sent& header = all.at(0);
  CHECK(Verdict(header, kSecret, kSignedAt + 900) == "");
  CHECK(Verdict(header, kSecret, kSignedAt - 900) == "");
  CHECK(CheckMessage(header, kSignedAt + 901) ==
        "Signature expired: 20260228T235958Z is now earlier than 20260228T235959Z (20260301T001459Z - 15 min.)");
  CHECK(
      CheckMessage(header, kSignedAt - 901) ==
      "Signature not yet current: 20260228T235958Z is still later than 20260228T235957Z (20260228T234457Z + 15 min.)");
  const Sent& query = all.at(6);
  CHECK(Verdict(query, kSecret, kSignedAt + 60) == "");
  CHECK(CheckMessage(query, kSignedAt + 61) ==
        "Signature expired: 20260228T235958Z is now earlier than 20260228T235959Z");
}

TEST_CASE("ReadClaim: names what is missing", "[aws]") {
  Sent sent;
  sent.headers = {{"Host", "localhost"}};
  CHECK(ClaimError(sent) == ApiError("MissingAuthenticationTokenException", "Missing Authentication Token"));

  sent.headers.emplace_back("authorization", "AWS4-HMAC-SHA256 x");
  CHECK(
      ClaimError(sent) ==
      ApiError(
          "IncompleteSignatureException",
          "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
          "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either "
          "a "
          "'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 x"));

  sent.query = "X-Amz-Algorithm=AWS4-HMAC-SHA256";
  CHECK(ClaimError(sent) ==
        ApiError("InvalidSignatureException",
                 "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."));

  sent.headers.pop_back();
  CHECK(
      ClaimError(sent) ==
      ApiError("IncompleteSignatureException",
               "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include "
               "'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string "
               "parameters "
               "must include 'X-Amz-Date'. Re-examine the query-string parameters."));
}

TEST_CASE("ReadClaim: parts separated by commas, spaces or both; the date of HTTP", "[aws]") {
  for (const char* between : {",", ", ", " "}) {
    Sent sent;
    sent.headers = {{"Host", "localhost"}, {"DATE", "Sat, 28 Feb 2026 23:59:58 GMT"}};
    sent.headers.emplace_back("Authorization",
                              std::string("AWS4-HMAC-SHA256 Credential=K/20260228/r/kinesis/aws4_request") + between +
                                  "SignedHeaders=date;HOST" + between + "Signature=abc");
    sent.With([](const SignedRequest& request) {
      const auto claim = ReadClaim(request);
      REQUIRE(claim.has_value());
      CHECK(claim->access_key == "K");
      CHECK(claim->scope == CredentialScope{"20260228", "r", "kinesis"});
      CHECK(claim->signed_headers == "date;host");
      CHECK(claim->signature == "abc");
      CHECK(claim->time_s == kSignedAt);
    });
  }
}

TEST_CASE("ReadClaim: what a credential must be", "[aws]") {
  const auto error = [](const std::string& credential, const std::string& signed_headers) {
    Sent sent;
    sent.headers = {{"Host", "localhost"},
                    {"X-Amz-Date", "20260228T235958Z"},
                    {"Authorization", "AWS4-HMAC-SHA256 Credential=" + credential +
                                          ", SignedHeaders=" + signed_headers + ", Signature=abc"}};
    return ClaimError(sent);
  };
  CHECK(error("K/20260228/r/kinesis/aws4_request", "host").type.empty());
  CHECK(error("K", "host").message ==
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'K'");
  CHECK(error("K/20260228/r/kinesis/aws5", "host").message ==
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'.");
  CHECK(error("K/20260227/r/kinesis/aws4_request", "host").message ==
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260227' != "
        "'20260228', "
        "from '20260228T235958Z'.");
  CHECK(error("K/20260228/r/kinesis/aws4_request", "x-amz-date").message ==
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST_CASE("ParseAmzTime, ParseHttpDate: only real times in their own form", "[aws]") {
  CHECK(ParseAmzTime("19700101T000001Z") == 1);
  CHECK(ParseHttpDate("Thu, 01 Jan 1970 00:00:01 GMT") == 1);
  CHECK(FormatAmzTime(kSignedAt) == "20260228T235958Z");
  CHECK(FormatHttpDate(kSignedAt) == "Sat, 28 Feb 2026 23:59:58 GMT");
  CHECK(ParseHttpDate(FormatHttpDate(kSignedAt)) == kSignedAt);
  for (const char* wrong : {"", "20260229T000000Z", "20261301T000000Z", "20260101T240000Z", "20260101T006000Z",
                            "20260101 000000Z", "2026-01-01T00:00:00Z", "20260101T000000z"}) {
    INFO(wrong);
    CHECK_FALSE(ParseAmzTime(wrong).has_value());
  }
  for (const char* wrong :
       {"", "Thu, 01 anJ 1970 00:00:01 GMT", "Thu, 1 Jan 1970 00:00:01 GMT", "Thu, 32 Jan 1970 00:00:01 GMT"}) {
    INFO(wrong);
    CHECK_FALSE(ParseHttpDate(wrong).has_value());
  }
}

TEST_CASE("PercentDecode: refuses what is cut off or no number", "[aws]") {
  CHECK(PercentDecode("a%2Fb+%c3%A9") == "a/b+\xc3\xa9");
  for (const char* wrong : {"%", "%2", "a%2g", "%+1", "%-1"}) {
    INFO(wrong);
    CHECK_FALSE(PercentDecode(wrong).has_value());
  }
}

}  // namespace
}  // namespace sluice::protocol::aws
