// Runs error_lines.golden: the whole line that each kind of failure leaves in the error output, byte for byte.
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tests/delivery/endpoint_fixture.h"
#include "tests/delivery/lambda_fixture.h"

namespace sluice::delivery {
namespace {

using Answer = FakeEndpoint::Answer;
using Request = FakeEndpoint::Request;

constexpr std::int64_t kTimeMs = 1'700'000'000'000;

/// The type of error objects and their lines, of a delivery of `record`.
std::string ErrorsOf(DeliveryConfig config, const std::string& record, LambdaOptions lambda = {}) {
  World world(std::move(config), 4);
  world.env.manual_clock().SetWallMs(kTimeMs + 1000);
  world.processors.lambda = std::move(lambda);
  world.log.Append(3, record, kTimeMs);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  std::string text;
  for (const auto& [key, bytes] : world.Lake()) {
    if (!key.starts_with("errors/")) continue;
    const std::size_t begin = key.find('/') + 1;
    text += fmt::format("{}\n{}", key.substr(begin, key.find('/', begin) - begin), bytes);
  }
  return text;
}

std::string OfConversion(std::optional<CatalogTable> table) {
  DeliveryConfig config = ParquetConfig();
  config.catalog_table = std::move(table);
  return ErrorsOf(std::move(config), R"({"id":"x"})");
}

std::string OfProcessors(std::vector<ProcessorConfig> processors, const std::string& record) {
  DeliveryConfig config = RawConfig();
  config.processors = std::move(processors);
  return ErrorsOf(std::move(config), record);
}

std::string OfLambda() {
  FakeEndpoint function([](const Request& request) -> Answer { return {.body = Exclaim(request.body)}; });
  DeliveryConfig config = RawConfig();
  config.processors = {LambdaOf("arn:aws:lambda:eu-west-1:123456789012:function:clean")};
  return ErrorsOf(std::move(config), "fail", {.endpoint = function.Url()});
}

std::string OfEndpoint(EndpointConfig endpoint, const FakeEndpoint::Handler& handler, const std::string& record) {
  const FakeEndpoint server(handler);
  DeliveryConfig config = RawConfig();
  config.processors = {{"RecordDeAggregation", {{"SubRecordType", "JSON"}}}};
  config.endpoint = std::move(endpoint);
  config.endpoint.url = server.Url();
  config.endpoint.retry_s = 0;
  return ErrorsOf(std::move(config), record);
}

std::string OfHttpEndpoint() {
  return OfEndpoint(
      {.type = "HttpEndpoint"},
      [](const Request& request) {
        return EndpointAnswer(ReadEndpointRequest(request.body).id, 401, R"(,"errorMessage":"Unauthorized")");
      },
      "{\"a\":1}{\"a\":2}");
}

std::string OfSplunk(std::string_view taken) {
  return OfEndpoint(
      {.type = "Splunk", .access_key = "token"},
      [taken = std::string(taken)](const Request& request) -> Answer {
        return {.body = request.target.contains("/ack") ? R"({"acks":{"0":false}})" : taken};
      },
      "{\"a\":1}");
}

std::string OfSearch(std::string type) {
  return OfEndpoint(
      {.type = std::move(type), .index = "orders", .index_type = "order"},
      [](const Request&) -> Answer {
        return {.body = R"({"errors":true,"items":[{"index":{"status":400,"error":)"
                        R"({"type":"mapper_parsing_exception","reason":"failed to parse"}}}]})"};
      },
      "{\"a\":1}");
}

/// By the title in the file.
const std::map<std::string, std::function<std::string()>>& Cases() {
  static const std::map<std::string, std::function<std::string()>> cases = {
      {"a conversion, without a SchemaConfiguration", [] { return OfConversion(std::nullopt); }},
      {"a conversion, of a table that is named",
       [] { return OfConversion(CatalogTable{.table = "orders", .database = "sales"}); }},
      {"a conversion, with all that a SchemaConfiguration may say",
       [] {
         return OfConversion(CatalogTable{.table = "orders",
                                          .role_arn = "arn:aws:iam::123456789012:role/firehose",
                                          .catalog_id = "123456789012",
                                          .database = "sales",
                                          .region = "eu-west-1",
                                          .version_id = "7"});
       }},
      {"a Lambda", OfLambda},
      {"a processor", [] { return OfProcessors({{"RecordDeAggregation", {{"SubRecordType", "JSON"}}}}, "no json"); }},
      {"a partition key", [] { return ErrorsOf(PartitionedByIdConfig(), R"({"a":1})"); }},
      {"decompression", [] { return OfProcessors({{"Decompression", {{"CompressionFormat", "GZIP"}}}}, "plain"); }},
      {"an HTTP endpoint, two records out of one", OfHttpEndpoint},
      {"Splunk, which refuses", [] { return OfSplunk(R"({"text":"Invalid data format","code":6})"); }},
      {"Splunk, which does not acknowledge", [] { return OfSplunk(R"({"text":"Success","code":0,"ackId":0})"); }},
      {"OpenSearch", [] { return OfSearch("Amazonopensearchservice"); }},
      {"Elasticsearch", [] { return OfSearch("Elasticsearch"); }},
  };
  return cases;
}

/// Title to text of the blocks, each of which begins with "== " and a title.
std::map<std::string, std::string> ReadGolden() {
  std::ifstream file(SLUICE_ERROR_LINES);
  REQUIRE(file.good());
  std::map<std::string, std::string> blocks;
  std::string title;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) {
      title = line.substr(3);
      REQUIRE(blocks.emplace(title, "").second);
    } else if (!line.empty() && !line.starts_with('#')) {
      blocks[title] += line + "\n";
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("ErrorRecordLine: of each kind of failure, byte for byte", "[delivery]") {
  const std::map<std::string, std::string> golden = ReadGolden();
  CHECK(golden.size() == Cases().size());
  for (const auto& [title, run] : Cases()) {
    INFO(title);
    REQUIRE(golden.contains(title));
    CHECK(run() == golden.at(title));
  }
}

}  // namespace sluice::delivery
