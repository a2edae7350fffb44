// Firehose's contract with Lambdas, as bytes: requests, and every way in which an answer can be wrong.
#include "broker/delivery/processing/lambda_messages.h"

#include <fmt/format.h>

#include "protocol/base64.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

using Kind = LambdaOutcome::Kind;

constexpr std::int64_t kCreatedMs = 1'600'000'000'000;

RecordRef Record(std::string_view value, std::uint64_t offset = 5) {
  return {.value = value,
          .key = "k",
          .shard = ShardIndex(2),
          .offset = Offset(offset),
          .append_time_ms = 1'700'000'000'123};
}

const std::vector<std::string>& Ids() {
  static const std::vector<std::string> ids = {"a", "b", "c"};
  return ids;
}

std::string Item(std::string_view id, std::string_view result = "Ok", std::string_view data = "eA==") {
  return fmt::format(R"({{"recordId":"{}","result":"{}","data":"{}"}})", id, result, data);
}

std::vector<LambdaOutcome> Parsed(const std::string& records) {
  const auto outcomes = ParseLambdaAnswer(fmt::format(R"({{"records":[{}]}})", records), Ids());
  INFO((outcomes ? "" : outcomes.error().message));
  REQUIRE(outcomes.has_value());
  return *outcomes;
}

}  // namespace

TEST_CASE("LambdaRecordId: tells records and their parts apart, the same each time", "[delivery]") {
  const std::string id = LambdaRecordId(Record("x"), kCreatedMs);
  CHECK(id.size() == 76);
  CHECK(id == LambdaRecordId(Record("another value"), kCreatedMs));
  CHECK(id != LambdaRecordId(Record("x", 6), kCreatedMs));
  RecordRef part = Record("x");
  part.sub_sequence = 7;
  CHECK(LambdaRecordId(part, kCreatedMs) == id.substr(0, 75) + "7");
}

TEST_CASE("LambdaRequest: of a stream", "[delivery]") {
  std::string list;
  const std::string id = LambdaRecordId(Record("x"), kCreatedMs);
  AppendLambdaRecord(Record("x"), id, true, list);
  RecordRef part = Record("");
  part.sub_sequence = 3;
  part.key = "\"\xff";
  AppendLambdaRecord(part, "id2", true, list);
  const LambdaCaller caller{.delivery_stream_arn = "arn:d", .source_stream_arn = "arn:s", .region = "eu-west-1"};
  CHECK(LambdaRequest(caller, "uuid", list) ==
        R"({"invocationId":"uuid","deliveryStreamArn":"arn:d","sourceKinesisStreamArn":"arn:s","region":"eu-west-1",)"
        R"("records":[{"recordId":")" +
            id +
            R"(","approximateArrivalTimestamp":1700000000123,"data":"eA==","kinesisRecordMetadata":{)"
            R"("shardId":"shardId-000000000002","partitionKey":"k","sequenceNumber":")" +
            id.substr(0, 56) +
            R"(","subsequenceNumber":"","approximateArrivalTimestamp":1700000000123}},)"
            R"({"recordId":"id2","approximateArrivalTimestamp":1700000000123,"data":"","kinesisRecordMetadata":{)"
            R"("shardId":"shardId-000000000002","partitionKey":"\"?","sequenceNumber":"id2","subsequenceNumber":"3",)"
            R"("approximateArrivalTimestamp":1700000000123}}]})");
}

TEST_CASE("LambdaRequest: of direct put names no stream", "[delivery]") {
  std::string list;
  AppendLambdaRecord(Record("x"), "i", false, list);
  CHECK(LambdaRequest({.delivery_stream_arn = "arn:d", .source_stream_arn = "", .region = "r"}, "u", list) ==
        R"({"invocationId":"u","deliveryStreamArn":"arn:d","region":"r","records":[)"
        R"({"recordId":"i","approximateArrivalTimestamp":1700000000123,"data":"eA=="}]})");
}

TEST_CASE("ParseLambdaAnswer: all results, in another order, with members that nobody knows", "[delivery]") {
  const auto outcomes = Parsed(Item("c", "Dropped") + R"(,{"x":[{}],"data":"","result":"Ok","recordId":"a"},)" +
                               Item("b", "ProcessingFailed"));
  CHECK(outcomes[0] == LambdaOutcome{.kind = Kind::kOk, .data = "", .partition_keys = {}});
  CHECK(outcomes[1].kind == Kind::kFailed);
  CHECK(outcomes[2].kind == Kind::kDropped);
}

TEST_CASE("ParseLambdaAnswer: dropped and failed records need no data", "[delivery]") {
  const auto outcomes = Parsed(
      R"({"recordId":"a","result":"Dropped"},{"recordId":"b","result":"ProcessingFailed","data":null},)" + Item("c"));
  CHECK(outcomes[0].kind == Kind::kDropped);
  CHECK(outcomes[1].kind == Kind::kFailed);
  CHECK(outcomes[2].data == "x");
}

TEST_CASE("ParseLambdaAnswer: missing, repeated and unknown ids", "[delivery]") {
  const auto outcomes = Parsed(Item("b") + "," + Item("b", "Dropped") + "," + Item("z", "?") + "," + Item("c"));
  CHECK(outcomes[0].kind == Kind::kMissing);
  CHECK(outcomes[1] == LambdaOutcome{.kind = Kind::kDuplicated, .data = {}, .partition_keys = {}});
  CHECK(outcomes[2].kind == Kind::kOk);
  CHECK(Parsed("")[0].kind == Kind::kMissing);
}

TEST_CASE("ParseLambdaAnswer: partition keys are texts; what has no value is none", "[delivery]") {
  const auto outcomes = Parsed(R"({"recordId":"a","result":"Ok","data":"eA==","metadata":{"partitionKeys":)"
                               R"({"year":"2026","n":7,"on":true,"no":null,"map":{},"e":""}}})");
  const std::vector<std::pair<std::string, std::string>> keys = {
      {"year", "2026"}, {"n", "7"}, {"on", "true"}, {"e", ""}};
  CHECK(outcomes[0].partition_keys == keys);
}

TEST_CASE("ParseLambdaAnswer: answers that are none", "[delivery]") {
  const auto [answer, code, message] = GENERATE(table<std::string, std::string_view, std::string>({
      {"", kLambdaNotJson, "is not JSON"},
      {"{", kLambdaNotJson, "is not JSON"},
      {"\xff", kLambdaNotJson, "is not JSON"},
      {R"({"records":[]} x)", kLambdaNotJson, "is not JSON"},
      {"[]", kLambdaNotJson, "no list of records"},
      {"null", kLambdaNotJson, "no list of records"},
      {R"({"records":{}})", kLambdaNotJson, "no list of records"},
      {R"({"records":["a"]})", kLambdaNotJson, "is not an object"},
      {R"({"records":[{"result":"Ok"}]})", kLambdaNotJson, "has no recordId"},
      {R"({"records":[{"recordId":5}]})", kLambdaNotJson, "has no recordId"},
      {R"({"errorMessage":"it broke","errorType":"KeyError"})", kLambdaFunctionError, "KeyError: it broke"},
      {R"({"records":[{"recordId":"a","data":""}]})", kLambdaFunctionError, "record a has no result"},
      {R"({"records":[{"recordId":"a","result":"ok","data":""}]})", kLambdaFunctionError, "none of Ok, Dropped"},
      {R"({"records":[{"recordId":"a","result":"Ok"}]})", kLambdaFunctionError, "has no data"},
      {R"({"records":[{"recordId":"a","result":"Ok","data":null}]})", kLambdaFunctionError, "has no data"},
      {R"({"records":[{"recordId":"a","result":"Ok","data":"eA="}]})", kLambdaFunctionError, "not base64"},
      {R"({"records":[{"recordId":"a","result":"Ok","data":"ä"}]})", kLambdaFunctionError, "not base64"},
  }));
  INFO(answer);
  const auto outcomes = ParseLambdaAnswer(answer, Ids());
  REQUIRE(!outcomes.has_value());
  CHECK(outcomes.error().code == code);
  CHECK(outcomes.error().message.find(message) != std::string::npos);
  CHECK(!outcomes.error().away);
}

TEST_CASE("LambdaErrorText: the function's words, else the beginning of what it said", "[delivery]") {
  CHECK(LambdaErrorText(R"({"errorMessage":"m"})") == "m");
  CHECK(LambdaErrorText("<html>") == "<html>");
  CHECK(LambdaErrorText(std::string(10'000, 'x')).size() == 300);
}

}  // namespace sluice::delivery
