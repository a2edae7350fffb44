// OpenSearch and Elasticsearch: bulk requests, documents that are refused one by one, ids that make repeats harmless.
#include "broker/delivery/endpoints/search_endpoint.h"

#include <functional>
#include <map>
#include <mutex>

#include "broker/delivery/endpoints/search_config.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/endpoint_fixture.h"
#include "tests/delivery/proof.h"
#include "tests/delivery/signature.h"

namespace sluice::delivery {
namespace {

using Answer = FakeEndpoint::Answer;
using Request = FakeEndpoint::Request;
using Fault = FaultyMetadata::Fault;

/// A cluster that keeps documents by index and id, and answers of each with what `status` says of it.
class Cluster {
 public:
  std::string Url() const { return server_.Url(); }
  std::vector<Request> Requests() const { return server_.Requests(); }
  /// "index/id" -> document; without ids they are numbered.
  std::map<std::string, std::string> Documents() const {
    const std::lock_guard lock(mutex_);
    return documents_;
  }
  /// Of a document, by the number of the request from 0.
  std::function<int(std::size_t, const std::string&)> status = [](std::size_t, const std::string&) { return 201; };

 private:
  Answer Take(const Request& request) {
    const std::size_t number = server_.Requests().size() - 1;
    std::string items;
    bool errors = false;
    const std::lock_guard lock(mutex_);
    for (std::size_t begin = 0; begin < request.body.size();) {
      const std::size_t middle = request.body.find('\n', begin);
      const std::size_t end = request.body.find('\n', middle + 1);
      const auto action = ParseJsonTree(request.body.substr(begin, middle - begin), "action");
      const std::string document = request.body.substr(middle + 1, end - middle - 1);
      const ConfigNode& index = action->Find("index")->value;
      const std::string id =
          index.Find("_id") != nullptr ? index.Find("_id")->value.text : std::to_string(documents_.size());
      const int code = status(number, document);
      if (code < 300) documents_[index.Find("_index")->value.text + "/" + id] = document;
      errors = errors || code >= 300;
      items += fmt::format(R"({}{{"index":{{"status":{},"error":{{"type":"t","reason":"r {}"}}}}}})",
                           items.empty() ? "" : ",", code, code);
      begin = end + 1;
    }
    return {.body = fmt::format(R"({{"errors":{},"items":[{}]}})", errors, items)};
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> documents_;
  FakeEndpoint server_{[this](const Request& request) { return Take(request); }};
};

DeliveryConfig SearchConfig(std::string url, std::uint64_t retry_s = 300) {
  DeliveryConfig config = RawConfig();
  config.endpoint = {.type = "Amazonopensearchservice", .url = std::move(url), .retry_s = retry_s, .index = "orders"};
  return config;
}

constexpr std::int64_t kTimeMs = 1'700'000'000'000;  // 2023-11-14

void Put(World& world, const std::string& value) { world.log.Append(0, value, kTimeMs); }

std::string ErrorLines(World& world) {
  std::string lines;
  for (const auto& [key, bytes] : world.Lake()) {
    if (key.starts_with("all/")) continue;  // of a backup
    CHECK(key.starts_with("errors/AmazonOpenSearchService-failed/"));
    lines += bytes;
  }
  return lines;
}

}  // namespace

TEST_CASE("RotatedIndex: parts of the time, and weeks as ISO has them", "[delivery]") {
  constexpr std::int64_t kDay = 1'456'406'100'000;  // 2016-02-25 13:15
  CHECK(RotatedIndex("i", IndexRotation::kNone, kDay) == "i");
  CHECK(RotatedIndex("i", IndexRotation::kHour, kDay) == "i-2016-02-25-13");
  CHECK(RotatedIndex("i", IndexRotation::kDay, kDay) == "i-2016-02-25");
  CHECK(RotatedIndex("i", IndexRotation::kWeek, kDay) == "i-2016-w08");
  CHECK(RotatedIndex("i", IndexRotation::kMonth, kDay) == "i-2016-02");
  CHECK(RotatedIndex("i", IndexRotation::kWeek, 1'609'459'200'000) == "i-2020-w53");  // 2021-01-01
  CHECK(RotatedIndex("i", IndexRotation::kWeek, 1'735'516'800'000) == "i-2025-w01");  // 2024-12-30
  CHECK(RotatedIndex("i", IndexRotation::kWeek, 1'640'995'199'000) == "i-2021-w52");  // 2021-12-31 23:59:59
}

TEST_CASE("Search: documents by the bulk API, each in one line under an id of its own", "[delivery]") {
  Cluster cluster;
  World world(SearchConfig(cluster.Url() + "/"), 1);
  Put(world, R"({"a": 1})");
  Put(world, "{\n \"b\" : \"x y\"\n}");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  REQUIRE(cluster.Requests().size() == 1);
  const Request request = cluster.Requests().front();
  CHECK(request.target ==
        "/_bulk?filter_path=errors%2Citems.%2A.status%2Citems.%2A.error.type%2Citems.%2A.error.reason");
  CHECK(request.Header("authorization").empty());
  CHECK(request.content_type == "application/x-ndjson");
  CHECK(request.body == R"({"index":{"_index":"orders-2023-11-14","_id":"0123456789abcdef-0-0"}})"
                        "\n{\"a\":1}\n"
                        R"({"index":{"_index":"orders-2023-11-14","_id":"0123456789abcdef-0-1"}})"
                        "\n{\"b\":\"x y\"}\n");
  CHECK(world.stream->status().checkpoint.totals.sent == 2);
  CHECK(world.Lake().empty());
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Search: numbers of any size are a document's", "[delivery]") {
  Cluster cluster;
  World world(SearchConfig(cluster.Url()), 1);
  const std::vector<std::string> good = {R"({"a":123456789012345678901234567890})", R"({"b":-9223372036854775809})",
                                         R"({"c":[1e400]})"};
  for (const std::string& record : good) Put(world, record);
  for (const char* bad : {R"({"a":1e400,})", R"([1e400])", R"({"a":1e400}{})", "{\"a\":1e400,\"b\":\"\xFF\"}"})
    Put(world, bad);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  std::vector<std::string> documents;
  for (const auto& [id, document] : cluster.Documents()) documents.push_back(document);
  CHECK(documents == good);
  CHECK(world.stream->status().checkpoint.totals.errors == 4);
}

TEST_CASE("Search: a domain's address is the broker's, by its ARN or else by its name", "[delivery]") {
  Cluster by_arn, by_name;
  DeliveryConfig config = SearchConfig("");
  config.endpoint.domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/orders";
  World world(config, 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  CHECK_FALSE(world.Run());  // however long it takes
  CHECK(world.stream->status().last_error.contains("name it in [delivery.domains] as orders = \"https://HOST:PORT\""));
  CHECK(world.Lake().empty());
  world.processors.domains = {{"orders", by_name.Url()}};
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(by_name.Documents().size() == 1);
  world.processors.domains.emplace(config.endpoint.domain_arn, by_arn.Url());
  REQUIRE(world.Start().ok());
  Put(world, "{}");
  REQUIRE(world.Run());
  CHECK(by_arn.Documents().size() == 1);
  CHECK(by_name.Documents().size() == 1);
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Search: requests are signed with the keys as they are now, where the setting asks for it", "[delivery]") {
  Cluster cluster;
  DeliveryConfig config = SearchConfig("");
  config.endpoint.domain_arn = "arn:aws:es:eu-north-1:123456789012:domain/orders";
  World world(config, 1);
  REQUIRE(world.env.MakeDirs("/secrets").ok());
  const auto provider = NewSecretFiles(world.env, "/secrets");
  world.processors.domains = {{"orders", cluster.Url()}};
  world.processors.secrets = provider.get();
  world.processors.signing_secret = "aws";
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  CHECK_FALSE(world.Run());
  CHECK(world.stream->status().last_error.contains("delivery.signing_secret: secret 'aws': there is no file"));
  CHECK(world.Lake().empty());
  world.env.WriteByHand("/secrets/aws.json", R"({"Version": 1, "AccessKeyId": "AK1", "SecretAccessKey": "c4n4ry-1"})");
  REQUIRE(world.Run());
  world.env.WriteByHand("/secrets/aws.json",
                        R"({"AccessKeyId": "AK2", "SecretAccessKey": "c4n4ry-2", "SessionToken": "token"})");
  Put(world, fmt::format(R"({{"large": "{}"}})", std::string(3u << 20, 'x')));
  REQUIRE(world.Run());
  REQUIRE(cluster.Requests().size() == 2);
  const Request first = cluster.Requests()[0], second = cluster.Requests()[1];
  CHECK(SignatureProblem(first, "c4n4ry-1") == "");
  CHECK(SignatureProblem(second, "c4n4ry-2") == "");
  CHECK(SignatureProblem(second, "c4n4ry-1") != "");
  CHECK(first.Header("authorization").contains("Credential=AK1/"));
  CHECK_FALSE(first.Header("authorization").contains("expect"));  // which libcurl would sign, and not send
  CHECK(first.Header("authorization").contains("/eu-north-1/es/aws4_request"));
  CHECK(first.Header("x-amz-security-token").empty());
  CHECK(second.Header("authorization").contains("x-amz-security-token"));
  CHECK(second.Header("x-amz-security-token") == "token");
}

TEST_CASE("Search: the region of a signature is the domain's or the address'; a name in the URL signs", "[delivery]") {
  storage::MemoryEnv env;
  REQUIRE(env.MakeDirs("/secrets").ok());
  env.WriteByHand("/secrets/aws.json", R"({"AccessKeyId": "AK", "SecretAccessKey": "SK"})");
  const auto provider = NewSecretFiles(env, "/secrets");
  ProcessorSettings settings{.region = "us-west-2", .signing_secret = "aws", .secrets = provider.get()};
  const auto region = [&](std::string url) {
    const auto signer = ClusterSigner({.url = std::move(url)}, settings);
    REQUIRE(signer.has_value());
    return *signer ? (*signer)->region : "none";
  };
  CHECK(region("https://search-orders-abc.eu-west-1.es.amazonaws.com") == "eu-west-1");
  CHECK(region("https://search-orders-abc.eu-west-1.es.amazonaws.com:443/x.y") == "eu-west-1");
  CHECK(region("https://search.example:9200") == "us-west-2");
  CHECK(region("https://es.amazonaws.com") == "us-west-2");
  CHECK(region("https://h/a@b") == "us-west-2");
  CHECK(region("https://user:password@h") == "none");
  settings.signing_secret = "";
  CHECK(region("https://h") == "none");
}

TEST_CASE("Search: a type where one is given, no ids where they are not wanted", "[delivery]") {
  Cluster cluster;
  DeliveryConfig config = SearchConfig(cluster.Url());
  config.endpoint.index_type = "doc";
  config.endpoint.document_ids = false;
  config.endpoint.rotation = IndexRotation::kNone;
  World world(config, 1);
  Put(world, "{}");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(cluster.Requests().front().body == "{\"index\":{\"_index\":\"orders\",\"_type\":\"doc\"}}\n{}\n");
}

TEST_CASE("Search: what is refused for good is an error, what is refused for now is sent again, alone", "[delivery]") {
  Cluster cluster;
  cluster.status = [](std::size_t request, const std::string& document) {
    if (document.contains("bad")) return 400;
    return document.contains("later") && request < 2 ? 429 : 201;
  };
  World world(SearchConfig(cluster.Url()), 1);
  for (const char* value : {R"({"v":"one"})", R"({"v":"bad"})", "no json", R"({"v":"later"})", R"(["list"])",
                            "{\"v\":\"a\nb\"}", R"({"v":"two"})"}) {
    Put(world, value);
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  REQUIRE(cluster.Requests().size() == 3);
  CHECK(cluster.Requests()[1].body.contains("later"));
  CHECK_FALSE(cluster.Requests()[1].body.contains("one"));
  CHECK(cluster.Documents().size() == 3);
  const std::string lines = ErrorLines(world);
  CHECK(std::ranges::count(lines, '\n') == 4);
  CHECK(lines.contains(R"("errorCode":"400","errorMessage":"t: r 400")"));
  CHECK(lines.contains(R"("errorCode":"ES.MalformedData")"));
  CHECK(lines.contains(R"("esDocumentId":"0123456789abcdef-0-1","esIndexName":"orders-2023-11-14","esTypeName":"")"));
  tools::VerifyReport report = Proof(world).Verify();
  CHECK(report.ok());
  CHECK(report.sent == 3);
  CHECK(report.in_errors == 4);
}

TEST_CASE("Search: with AllDocuments all records are in the backup, taken or not", "[delivery]") {
  Cluster cluster;
  cluster.status = [](std::size_t, const std::string& document) { return document.contains("bad") ? 400 : 201; };
  DeliveryConfig config = SearchConfig(cluster.Url());
  config.endpoint.type = GENERATE("Amazonopensearchservice", "Elasticsearch");
  config.backup = BackupConfig{.error_prefix = config.error_prefix, .bucket = config.bucket, .prefix = "all/"};
  World world(config, 1);
  for (const char* value : {R"({"v": "one"})", R"({"v": "bad"})", "no json"}) Put(world, value);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  const auto lake = world.Lake();
  REQUIRE(lake.size() == 2);
  CHECK(lake.begin()->first.starts_with("all/2023/11/14/"));
  CHECK(lake.begin()->second == "{\"v\": \"one\"}\n{\"v\": \"bad\"}\nno json\n");
  CHECK(cluster.Documents().size() == 1);
  const tools::VerifyReport report = Proof(world).Verify();
  INFO(VerifyReportText(report));
  CHECK(report.ok());
  CHECK(report.sent == 1);
  CHECK(report.in_errors == 2);
  CHECK(report.in_backup == 3);
}

TEST_CASE("Search: what is refused for too long is an error, with what was said last", "[delivery]") {
  Cluster cluster;
  cluster.status = [](std::size_t, const std::string& document) { return document.contains("never") ? 429 : 201; };
  World world(SearchConfig(cluster.Url(), 3), 1);
  Put(world, R"({"v":"one"})");
  Put(world, R"({"v":"never"})");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(cluster.Documents().size() == 1);
  CHECK(ErrorLines(world).contains(R"("errorCode":"429")"));
  CHECK(world.stream->status().checkpoint.totals.sent == 1);
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Search: the time of retries counts from when some documents were taken", "[delivery]") {
  constexpr int kDocuments = 6;
  Cluster cluster;
  cluster.status = [](std::size_t request, const std::string& document) {  // one more in each attempt
    return document.contains(fmt::format("\"v\":{}}}", request)) ? 201 : 429;
  };
  World world(SearchConfig(cluster.Url(), 3), 1);
  for (int i = 0; i < kDocuments; ++i) Put(world, fmt::format("{{\"v\":{}}}", i));
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CHECK(cluster.Documents().size() == kDocuments);
  CHECK(world.stream->status().checkpoint.totals.errors == 0);
  CHECK(Proof(world).Verify().ok());
}

TEST_CASE("Search: a cluster that is away, and one whose answer says nothing", "[delivery]") {
  const auto lines_of = [](std::string url) {
    World world(SearchConfig(std::move(url), 0), 1);
    Put(world, "{}");
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CHECK(Proof(world).Verify().ok());
    return ErrorLines(world);
  };
  CHECK(lines_of(UrlOfNobody()).contains(R"("errorCode":"ES.ServiceException")"));
  FakeEndpoint strange([](const Request&) { return Answer{.body = R"({"errors":true,"items":[]})"}; });
  CHECK(lines_of(strange.Url()).contains("does not say what became of each document"));
  FakeEndpoint closed([](const Request&) { return Answer{.status = 503, .body = "away"}; });
  CHECK(lines_of(closed.Url())
            .contains(R"("errorCode":"503","errorMessage":"The cluster answers with status 503: away")"));
}

TEST_CASE("Search: exactly once, whatever fails", "[delivery]") {
  constexpr int kDocuments = 40;
  for (const Fault fault : {Fault::kBefore, Fault::kAfter}) {
    for (int nth = 1; nth <= 3; ++nth) {
      Cluster cluster;
      cluster.status = [](std::size_t, const std::string& document) {
        return document.contains("\"id\":7,") ? 400 : 201;
      };
      World world(SearchConfig(cluster.Url()), 2);
      for (int i = 0; i < kDocuments; ++i) world.log.Append(static_cast<std::uint32_t>(i % 2), JsonRecord(i), kTimeMs);
      REQUIRE(world.Start().ok());
      world.metadata.FailCommit(nth, fault);
      while (world.metadata.failures() == 0) world.env.manual_clock().AdvanceMs(world.stream->Step());
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
      CHECK(cluster.Documents().size() == kDocuments - 1);
      CHECK(world.stream->status().checkpoint.totals.sent == kDocuments - 1);
      CHECK(Proof(world).Verify().ok());
    }
  }
}

}  // namespace sluice::delivery
