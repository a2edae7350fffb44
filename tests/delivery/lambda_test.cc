// The processor Lambda over HTTP: every kind of answer, of none, and a whole delivery.
#include <algorithm>
#include <atomic>
#include <set>
#include <sstream>

#include "broker/delivery/processing/lambda_config.h"
#include "broker/delivery/processing/lambda_messages.h"
#include "broker/delivery/processing/lambda_processor.h"
#include "broker/delivery/processing/lambda_transport.h"
#include "protocol/sequence_number.h"
#include "tests/delivery/lambda_fixture.h"
#include "tests/delivery/signature.h"

namespace sluice::delivery {
namespace {

using Answer = FakeEndpoint::Answer;
using Request = FakeEndpoint::Request;

/// Says `answer` to everything.
FakeEndpoint::Handler Always(Answer answer) {
  return [answer = std::move(answer)](const Request&) { return answer; };
}

Answer Exclaimed(const Request& request) { return {.body = Exclaim(request.body)}; }

std::size_t LinesOf(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("LambdaProcessor Process: results of all kinds, in the records' order", "[delivery]") {
  FakeEndpoint endpoint([](const Request& request) {
    const LambdaRequestSeen seen = ReadLambdaRequest(request.body);
    std::vector<std::string> items = {LambdaItem(seen.ids[3], "third"), LambdaItem(seen.ids[1], "", "Dropped"),
                                      LambdaItem(seen.ids[2], "", "ProcessingFailed"), LambdaItem(seen.ids[0], "")};
    return Answer{.body = LambdaAnswerOf(items)};
  });
  LambdaRun run(LambdaOf(endpoint.Url("/f")));
  REQUIRE(run.Process({"a", "b", "c", "d"}).ok());
  CHECK(run.Values() == Texts{"", "third"});
  CHECK(run.batch.records[1].source == "d");
  CHECK(run.batch.filtered == 1);
  CHECK(run.Failures() == Texts{"2 Lambda.FunctionError 1"});
  CHECK(run.batch.failures[0].record.value == "c");
  CHECK(run.batch.failures[0].lambda_arn == endpoint.Url("/f"));
  REQUIRE(endpoint.Requests().size() == 1);
  CHECK(endpoint.Requests()[0].target == "/f");
  CHECK(endpoint.Requests()[0].content_type == "application/json");
}

TEST_CASE("LambdaProcessor Process: says whose records they are", "[delivery]") {
  FakeEndpoint endpoint(Exclaimed);
  LambdaRun run(LambdaOf(endpoint.Url("/")));
  REQUIRE(run.Process({"a"}).ok());
  const std::string body = endpoint.Requests().at(0).body;
  CHECK(body.find(R"("deliveryStreamArn":"arn:aws:firehose:us-east-1:000000000000:deliverystream/orders-lake",)"
                  R"("sourceKinesisStreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                  R"("region":"us-east-1")") != body.npos);
  // The same number as in error records and for consumers, which have it with the shard's creation.
  const protocol::SequenceNumber number{
      .shard_created_s = 1'600'000'000, .shard = {}, .offset = {}, .record_time_s = 1'700'000'000};
  CHECK(body.find(R"("sequenceNumber":")" + protocol::ToDecimal(number)) != body.npos);
}

TEST_CASE("LambdaProcessor Process: a function by its ARN is invoked at the endpoint of the settings", "[delivery]") {
  FakeEndpoint endpoint(Exclaimed);
  const std::string arn = "arn:aws:lambda:us-east-1:123456789012:function:clean:$LATEST";
  LambdaRun run(LambdaOf(arn), {.endpoint = endpoint.Url("/")});
  REQUIRE(run.Process({"a"}).ok());
  CHECK(run.Values() == Texts{"a!"});
  CHECK(endpoint.Requests().at(0).target == "/2015-03-31/functions/" + arn + "/invocations");
  CHECK(endpoint.Requests().at(0).Header("authorization").empty());
}

TEST_CASE("LambdaProcessor Process: a function by its ARN is invoked with a signature where there are keys",
          "[delivery]") {
  storage::MemoryEnv env;
  REQUIRE(env.MakeDirs("/secrets").ok());
  const auto provider = NewSecretFiles(env, "/secrets");
  const ProcessorSettings settings{.signing_secret = "aws", .secrets = provider.get()};
  FakeEndpoint lambda([](const Request& request) -> Answer {
    const std::string problem = SignatureProblem(request, "c4n4ry");
    if (!problem.empty()) return {.status = 403, .body = fmt::format(R"({{"message":"{}"}})", problem)};
    return Exclaimed(request);
  });
  const std::string arn = "arn:aws:lambda:eu-west-1:123456789012:function:clean";
  LambdaRun run(LambdaOf(arn), {.endpoint = lambda.Url("/")}, settings);
  CHECK(run.Process({"a"}).message().contains("delivery.signing_secret: secret 'aws': there is no file"));
  CHECK(lambda.Requests().empty());
  env.WriteByHand("/secrets/aws.json", R"({"AccessKeyId": "AK", "SecretAccessKey": "wrong"})");
  CHECK(run.Process({"a"}).message().contains("status 403"));
  CHECK(run.batch.failures.empty());  // it waits
  env.WriteByHand("/secrets/aws.json", R"({"AccessKeyId": "AK", "SecretAccessKey": "c4n4ry", "SessionToken": "t"})");
  REQUIRE(run.Process({"a"}).ok());
  CHECK(run.Values() == Texts{"a!"});
  const Request signed_request = lambda.Requests().back();
  CHECK(signed_request.target == "/2015-03-31/functions/clean/invocations");
  CHECK(signed_request.Header("authorization").contains("/eu-west-1/lambda/aws4_request"));
  CHECK(signed_request.Header("x-amz-security-token") == "t");
  LambdaRun version(LambdaOf(arn + ":$LATEST"), {.endpoint = lambda.Url()}, settings);
  REQUIRE(version.Process({"a"}).ok());
  CHECK(lambda.Requests().back().target == "/2015-03-31/functions/clean/invocations?Qualifier=%24LATEST");
  FakeEndpoint url(Exclaimed);
  LambdaRun by_url(LambdaOf(url.Url("/f")), {}, settings);
  REQUIRE(by_url.Process({"a"}).ok());
  CHECK(url.Requests().at(0).Header("authorization").empty());
}

TEST_CASE("LambdaProcessor Process: partition keys go on with the record", "[delivery]") {
  FakeEndpoint endpoint([](const Request& request) {
    return Answer{.body = fmt::format(R"({{"records":[{{"recordId":"{}","result":"Ok","data":"","metadata":)"
                                      R"({{"partitionKeys":{{"customer":"c7","year":"2026"}}}}}}]}})",
                                      ReadLambdaRequest(request.body).ids.at(0))};
  });
  LambdaRun run(LambdaOf(endpoint.Url("/")));
  REQUIRE(run.Process({"a"}).ok());
  const auto keys = run.batch.records.at(0).lambda_keys;
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].name == "customer");
  CHECK(keys[0].value == "c7");
  CHECK(keys[1].value == "2026");
}

TEST_CASE("LambdaProcessor Process: missing and repeated ids fail these records at once", "[delivery]") {
  FakeEndpoint endpoint([](const Request& request) {
    const LambdaRequestSeen seen = ReadLambdaRequest(request.body);
    return Answer{.body = LambdaAnswerOf({LambdaItem(seen.ids[1], "x"), LambdaItem(seen.ids[2], "y"),
                                          LambdaItem(seen.ids[1], "z"), LambdaItem("nobody's", "n")})};
  });
  LambdaRun run(LambdaOf(endpoint.Url("/")));
  REQUIRE(run.Process({"a", "b", "c"}).ok());
  CHECK(run.Values() == Texts{"y"});
  CHECK(run.Failures() == Texts{"0 Lambda.MissingRecordId 1", "1 Lambda.DuplicatedRecordId 1"});
  CHECK(endpoint.Requests().size() == 1);
}

TEST_CASE("LambdaProcessor Process: what is no answer is tried again and fails the batch", "[delivery]") {
  const std::string id =
      LambdaRecordId(RecordRef{"", "", ShardIndex(0), Offset(0), 1'700'000'000'000}, 1'600'000'000'000);
  const auto [answer, code, retries] = GENERATE_COPY(table<Answer, std::string, std::string>({
      {{.body = "nonsense"}, "Lambda.JsonProcessingException", "3"},
      {{.body = R"({"records":[{"recordId":")" + id + R"(","result":"Fine","data":""}]})"},
       "Lambda.FunctionError",
       "3"},
      {{.body = R"({"records":[{"recordId":")" + id + R"(","result":"Ok","data":"?"}]})"}, "Lambda.FunctionError", "1"},
      {{.body = R"({"errorMessage":"x"})", .headers = {{"X-Amz-Function-Error", "Unhandled"}}},
       "Lambda.FunctionError",
       "2"},
      {{.body = R"({"errorMessage":"x"})"}, "Lambda.FunctionError", "0"},
      {{.status = 500, .body = "x"}, "Lambda.FunctionError", "3"},
      {{.body = std::string(kLambdaBytesMax + 1, ' ')}, "Lambda.FunctionError", "1"},
      {{.status = 400, .body = "x"}, "Lambda.FunctionError", "1"},
  }));
  INFO(answer.body.substr(0, 100));
  FakeEndpoint endpoint(Always(answer));
  LambdaRun run(LambdaOf(endpoint.Url("/"), {{"NumberOfRetries", retries}}));
  REQUIRE(run.Process({"a", "b"}).ok());
  CHECK(run.Values().empty());
  const int attempts = std::stoi(retries) + 1;
  CHECK(run.Failures() == Texts{fmt::format("0 {} {}", code, attempts), fmt::format("1 {} {}", code, attempts)});
  REQUIRE(endpoint.Requests().size() == static_cast<std::size_t>(attempts));
  std::set<std::string> invocations;
  for (const Request& request : endpoint.Requests()) {
    const LambdaRequestSeen seen = ReadLambdaRequest(request.body);
    CHECK(seen.ids == ReadLambdaRequest(endpoint.Requests()[0].body).ids);
    CHECK(seen.values == Texts{"a", "b"});
    CHECK(invocations.insert(seen.invocation_id).second);
  }
}

TEST_CASE("LambdaProcessor Process: a function that recovers gives what it gives then", "[delivery]") {
  int calls = 0;
  FakeEndpoint endpoint([&calls](const Request& request) {
    return ++calls < 3 ? Answer{.status = 500, .body = ""} : Exclaimed(request);
  });
  LambdaRun run(LambdaOf(endpoint.Url("/")));
  REQUIRE(run.Process({"a", "fail"}).ok());
  CHECK(run.Values() == Texts{"a!"});
  CHECK(run.Failures() == Texts{"1 Lambda.FunctionError 3"});
  const ProcessorCounts& counts = run.host->counts;
  CHECK(counts.lambda_calls == 3);
  CHECK(counts.lambda_failures == 2);
  CHECK(counts.lambda_records == 1);
  CHECK(counts.lambda_bytes == 2);
}

TEST_CASE("LambdaProcessor Process: a function that takes too long", "[delivery]") {
  FakeEndpoint endpoint(Always({.body = "", .how = Answer::How::kNever}));
  LambdaRun run(LambdaOf(endpoint.Url("/"), {{"NumberOfRetries", "1"}}), {.timeout_ms = 300});
  REQUIRE(run.Process({"a"}).ok());
  CHECK(run.Failures() == Texts{"0 Lambda.FunctionTimedOut 2"});
}

TEST_CASE("LambdaProcessor Process: where nobody answers for the function, the records wait", "[delivery]") {
  const int status = GENERATE(0, 401, 403, 404, 429, 502, 503, 504);
  FakeEndpoint endpoint(Always({.status = status == 0 ? 200 : status,
                                .body = R"({"Message":"not now"})",
                                .how = status == 0 ? Answer::How::kCut : Answer::How::kWhole}));
  LambdaRun run(LambdaOf(endpoint.Url("/"), {{"NumberOfRetries", "2"}}));
  const Status waits = run.Process({"a"});
  CHECK(waits.code() == Code::kUnavailable);
  CHECK(waits.message().starts_with("the Lambda cannot be reached, its records wait: "));
  CHECK(run.batch.failures.empty());
  CHECK(endpoint.Requests().size() == 3);
}

TEST_CASE("LambdaProcessor Process: where nobody listens, the records wait", "[delivery]") {
  LambdaRun run(LambdaOf(UrlOfNobody()));
  CHECK(run.Process({"a"}).code() == Code::kUnavailable);
  CHECK(run.batch.failures.empty());
}

TEST_CASE("LambdaProcessor Process: stopping leaves the records, whatever the function has said", "[delivery]") {
  struct Failing : LambdaTransport {
    explicit Failing(std::atomic<bool>& stop) : stopping(stop) {}
    std::expected<std::string, LambdaFailure> Invoke(std::string_view) override {
      ++calls;
      stopping = true;
      return std::unexpected(LambdaFailure{kLambdaFunctionError, "failed"});
    }
    std::atomic<bool>& stopping;
    int calls = 0;
  };
  LambdaRun run(LambdaOf("http://h"));
  const auto failing = std::make_shared<Failing>(run.stopping);
  run.host->lambda = failing;
  run.host->lambda_arn = "http://h";
  CHECK(run.Process({"a"}).code() == Code::kUnavailable);
  CHECK(run.batch.failures.empty());
  CHECK(failing->calls == 1);
}

TEST_CASE("LambdaProcessor Process: ends when somebody waits for the delivery stream", "[delivery]") {
  std::atomic<LambdaRun*> runs = nullptr;
  FakeEndpoint endpoint([&runs](const Request&) {
    runs.load()->host->interrupted = true;
    return Answer{.body = "", .how = Answer::How::kNever};
  });
  LambdaRun run(LambdaOf(endpoint.Url("/")));
  runs = &run;
  const Status cut = run.Process({"a"});
  CHECK(cut.code() == Code::kUnavailable);
  CHECK(cut.message().ends_with("is asked to stop"));
  CHECK(run.batch.failures.empty());
  CHECK(endpoint.Requests().size() == 1);
}

TEST_CASE("LambdaProcessor Process: requests of the buffer's size, and never above 6 MiB", "[delivery]") {
  FakeEndpoint endpoint(Exclaimed);
  LambdaRun run(LambdaOf(endpoint.Url("/"), {{"BufferSizeInMBs", "0.5"}}));
  const Texts records(10, std::string(200'000, 'x'));
  REQUIRE(run.Process(records).ok());
  CHECK(run.batch.records.size() == 10);
  CHECK(endpoint.Requests().size() == 5);
  // A record above the buffer goes alone; one that cannot be sent at all is the function's to refuse, which it is not
  // asked.
  REQUIRE(run.Process({"a", std::string(1'000'000, 'b'), "c", std::string(5'000'000, 'd'), "e"}).ok());
  CHECK(run.Values() == Texts{"a!", std::string(1'000'000, 'b') + "!", "c!", "e!"});
  CHECK(run.Failures() == Texts{"3 Lambda.FunctionRequestTooLarge 1"});
  for (const Request& request : endpoint.Requests()) CHECK(request.body.size() <= kLambdaBytesMax);
}

TEST_CASE("LambdaProcessor Process: an empty batch asks nobody", "[delivery]") {
  LambdaRun run(LambdaOf(UrlOfNobody()));
  CHECK(run.Process({}).ok());
  CHECK(!IsRepeatable(std::vector<ProcessorConfig>{LambdaOf(UrlOfNobody())}));
}

TEST_CASE("LambdaProcessor Process: settings that have changed since", "[delivery]") {
  LambdaRun function(LambdaOf("arn:aws:lambda:us-east-1:123456789012:function:f"));
  CHECK(function.Process({"a"}).message().find("delivery.lambda_endpoint") != std::string::npos);
  LambdaRun command(LambdaOf("command:/bin/cat"));
  CHECK(command.Process({"a"}).message().find("delivery.allow_commands") != std::string::npos);
}

TEST_CASE("ParseLambdaConfig: parameters and their ranges", "[delivery]") {
  const auto parsed = ParseLambdaConfig(LambdaOf(
      "https://h/f",
      {{"NumberOfRetries", "300"}, {"BufferSizeInMBs", "0.2"}, {"BufferIntervalInSeconds", "0"}, {"RoleArn", "r"}}));
  REQUIRE(parsed.has_value());
  CHECK(parsed->kind == LambdaKind::kUrl);
  CHECK(parsed->retries == 300);
  CHECK(parsed->buffer_bytes == 209'715);
  const auto defaults = ParseLambdaConfig(LambdaOf("command:/usr/bin/env  python3 -u x.py"));
  REQUIRE(defaults.has_value());
  CHECK(defaults->command == Texts{"/usr/bin/env", "python3", "-u", "x.py"});
  CHECK(defaults->retries == 3);
  CHECK(defaults->buffer_bytes == 1u << 20);
  CHECK(ParseLambdaConfig(LambdaOf("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:1"))->kind ==
        LambdaKind::kFunction);
}

TEST_CASE("ParseLambdaConfig: what is wrong is named", "[delivery]") {
  const auto [arn, parameters, message] = GENERATE(table<std::string, Parameters, std::string>({
      {"", {}, "LambdaArn is missing"},
      {"clean", {}, "LambdaArn: 'clean' is none of arn:aws:lambda:"},
      {"arn:aws:s3:::lambda:function:x", {}, "is none of"},
      {"command:", {}, "names no program"},
      {"command:clean.py", {}, "names no program"},
      {"http://h", {{"NumberOfRetries", "301"}}, "NumberOfRetries: '301' is not 0 to 300"},
      {"http://h", {{"NumberOfRetries", "-1"}}, "NumberOfRetries"},
      {"http://h", {{"NumberOfRetries", "3x"}}, "NumberOfRetries"},
      {"http://h", {{"BufferSizeInMBs", "0.1"}}, "BufferSizeInMBs: '0.1' is not 0.2 to 3"},
      {"http://h", {{"BufferSizeInMBs", "nan"}}, "BufferSizeInMBs"},
      {"http://h", {{"BufferIntervalInSeconds", "901"}}, "BufferIntervalInSeconds: '901' is not 0 to 900"},
  }));
  INFO(arn);
  const auto parsed = ParseLambdaConfig(LambdaOf(arn, parameters));
  REQUIRE(!parsed.has_value());
  CHECK(parsed.error().message().find(message) != std::string::npos);
}

TEST_CASE("DeliveryStream Step: with a Lambda, rows, errors and filtered are all records", "[delivery]") {
  FakeEndpoint endpoint(Exclaimed);
  DeliveryConfig config = RawConfig();
  config.processors = {LambdaOf(endpoint.Url("/"))};
  World world(config);
  for (int i = 0; i < 90; ++i) {
    const std::string value = i % 3 == 0 ? "drop" : i % 5 == 0 ? "fail" : fmt::format("r{}", i);
    world.log.Append(static_cast<std::uint32_t>(i) % 2, value, world.env.clock().WallMs());
  }
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLedger(world);
  std::size_t rows = 0;
  std::size_t errors = 0;
  for (const auto& [key, bytes] : world.Lake()) {
    if (key.starts_with("errors/processing-failed/")) {
      errors += LinesOf(bytes);
      CHECK(bytes.find(R"("lambdaARN":"http://127.0.0.1:)") != bytes.npos);
      CHECK(bytes.find(R"("rawData":"ZmFpbA==")") != bytes.npos);
    } else {
      rows += LinesOf(bytes);
      CHECK(bytes.find("r1!\n") != bytes.npos);
    }
  }
  const LedgerEntry entry = world.Ledger().at(0);
  CHECK(entry.filtered == 30);
  CHECK(errors == 12);
  CHECK(rows == 48);
  CHECK(entry.rows + entry.errors + entry.filtered == entry.user_records);
  CHECK(entry.user_records == 90);
}

TEST_CASE("DeliveryStream Step: an endpoint that is away holds the delivery up and loses nothing", "[delivery]") {
  std::atomic<bool> away = true;
  FakeEndpoint endpoint(
      [&away](const Request& request) { return away ? Answer{.status = 503, .body = ""} : Exclaimed(request); });
  DeliveryConfig config = RawConfig();
  config.processors = {LambdaOf(endpoint.Url("/"), {{"NumberOfRetries", "0"}})};
  World world(config);
  world.processors.lambda.retry_first_ms = 0;
  for (int i = 0; i < 10; ++i) world.log.Append(0, fmt::format("r{}", i), world.env.clock().WallMs());
  world.env.manual_clock().AdvanceMs(61'000);
  REQUIRE(world.Start().ok());
  CHECK(!world.Run(20));
  CHECK(world.stream->status().mode == DeliveryMode::kFailing);
  CHECK(world.stream->status().last_error.find("the Lambda cannot be reached") != std::string::npos);
  CHECK(world.Lake().empty());
  away = false;
  REQUIRE(world.Run());
  CheckLedger(world);
  CHECK(world.Ledger().at(0).rows == 10);
}

TEST_CASE("DeliveryStream Step: a Lambda makes the rows of Parquet files", "[delivery]") {
  FakeEndpoint endpoint([](const Request& request) {
    const LambdaRequestSeen seen = ReadLambdaRequest(request.body);
    std::vector<std::string> items;
    for (std::size_t i = 0; i < seen.ids.size(); ++i)
      items.push_back(LambdaItem(seen.ids[i], fmt::format(R"({{"id":{},"text":"t"}})", seen.values[i])));
    return Answer{.body = LambdaAnswerOf(items)};
  });
  DeliveryConfig config = ParquetConfig();
  config.columns.clear();
  config.infer_schema = true;
  config.processors = {LambdaOf(endpoint.Url("/"))};
  World world(config);
  for (int i = 0; i < 20; ++i) world.log.Append(0, i == 7 ? "seven" : std::to_string(i), world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLedger(world);
  const LedgerEntry entry = world.Ledger().at(0);
  CHECK(entry.rows == 19);
  CHECK(entry.errors == 1);
  bool found = false;
  for (const auto& [key, bytes] : world.Lake()) {
    // The source is told, not what the Lambda has made of it.
    if (key.starts_with("errors/format-conversion-failed/")) found = bytes.find("c2V2ZW4=") != bytes.npos;
  }
  CHECK(found);
}

TEST_CASE("DeliveryStream Step: a Lambda that never says the same twice, through every failing transaction and crash",
          "[delivery]") {
  std::atomic<int> calls = 0;
  FakeEndpoint endpoint([&calls](const Request& request) {
    const int call = calls++;
    std::vector<std::string> items;
    for (const std::string& id : ReadLambdaRequest(request.body).ids) {
      const bool drop = (items.size() + static_cast<std::size_t>(call)) % 5 == 0;
      items.push_back(LambdaItem(id, fmt::format("call {} item {}", call, items.size()), drop ? "Dropped" : "Ok"));
    }
    return Answer{.body = LambdaAnswerOf(items)};
  });
  const auto fault = GENERATE(FaultyMetadata::Fault::kBefore, FaultyMetadata::Fault::kAfter);
  const bool lake_fails = GENERATE(false, true);
  for (int nth = 1;; ++nth) {
    DeliveryConfig config = RawConfig();
    config.processors = {LambdaOf(endpoint.Url("/"))};
    World world(config);
    for (int i = 0; i < 60; ++i) world.log.Append(static_cast<std::uint32_t>(i) % 2, "r", world.env.clock().WallMs());
    REQUIRE(world.Start().ok());
    if (lake_fails) {  // the object is in the lake, and nobody knows
      world.metadata.FailCommit(3, FaultyMetadata::Fault::kBefore);
    } else {
      world.metadata.FailCommit(nth, fault);
    }
    for (int i = 0; i < 400 && !world.delivered() && world.metadata.failures() == 0; ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    if (world.metadata.failures() == 0) {
      CHECK(nth == 4);  // intent, what was processed, checkpoint
      break;
    }
    world.env.Crash();
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    const LedgerEntry entry = world.Ledger().at(0);
    CHECK(entry.rows + entry.filtered == 60);
    const auto lake = world.Lake();
    REQUIRE(lake.size() == 1);
    CHECK(LinesOf(lake.begin()->second) == entry.rows);
    std::set<std::string> seen;
    std::istringstream lines(lake.begin()->second);
    for (std::string line; std::getline(lines, line);) CHECK(seen.insert(line).second);
    CHECK_FALSE(world.env.Exists("/data/delivery/orders-lake.spill").value());
    if (lake_fails) break;
    REQUIRE(nth < 20);
  }
}

}  // namespace sluice::delivery
