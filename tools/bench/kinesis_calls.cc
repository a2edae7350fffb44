// JSON calls, one connection each.
#include "tools/bench/kinesis_calls.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "tools/bench/http_text.h"
#include "tools/bench/kinesis_load.h"

namespace sluice::tools {

namespace {

constexpr auto kCreateTimeout = std::chrono::seconds(30);
constexpr auto kCreatePoll = std::chrono::milliseconds(50);

Result<boost::json::value> CallForJson(std::uint16_t port, std::string_view operation, std::string_view body) {
  auto answer = CallKinesis(port, KinesisRequest(port, operation, body));
  if (!answer) return Error(answer.error());
  boost::json::error_code error;
  boost::json::value json = boost::json::parse(answer->substr(HttpHead(*answer).size()), error);
  if (error) return Error(Code::kInternal, fmt::format("{} was not answered in JSON", operation));
  return json;
}

/// The text at a JSON pointer; empty where there is none.
std::string TextAt(const boost::json::value& json, std::string_view pointer) {
  boost::json::error_code error;
  const boost::json::value* found = json.find_pointer(pointer, error);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

}  // namespace

Status CreateKinesisStream(std::uint16_t port, std::string_view stream, std::uint32_t shards) {
  const std::string create = fmt::format(R"({{"StreamName":"{}","ShardCount":{}}})", stream, shards);
  if (auto created = CallKinesis(port, KinesisRequest(port, "CreateStream", create)); !created) return created.error();
  const std::string describe = fmt::format(R"({{"StreamName":"{}"}})", stream);
  const auto deadline = std::chrono::steady_clock::now() + kCreateTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    auto description = CallForJson(port, "DescribeStreamSummary", describe);
    if (!description) return description.error();
    if (TextAt(*description, "/StreamDescriptionSummary/StreamStatus") == "ACTIVE") return {};
    std::this_thread::sleep_for(kCreatePoll);
  }
  return Status(Code::kTimedOut, fmt::format("stream '{}' does not become active", stream));
}

Result<std::string> RegisterConsumer(std::uint16_t port, std::string_view stream, std::string_view consumer) {
  auto described = CallForJson(port, "DescribeStreamSummary", fmt::format(R"({{"StreamName":"{}"}})", stream));
  if (!described) return Error(described.error());
  const std::string stream_arn = TextAt(*described, "/StreamDescriptionSummary/StreamARN");
  auto answer = CallForJson(port, "RegisterStreamConsumer",
                            fmt::format(R"({{"StreamARN":"{}","ConsumerName":"{}"}})", stream_arn, consumer));
  if (!answer) return Error(answer.error());
  const std::string arn = TextAt(*answer, "/Consumer/ConsumerARN");
  if (arn.empty()) return Error(Code::kInternal, "RegisterStreamConsumer gave no ARN");
  return arn;
}

Status FillKinesisStream(std::uint16_t port, std::string_view stream, std::size_t records, std::uint64_t requests) {
  for (std::uint64_t i = 0; i < requests; ++i) {
    auto answer = CallKinesis(port, PutRecordsRequest(port, stream, records, i));
    if (!answer) return answer.error();
  }
  return {};
}

Result<std::string> GetRecordsRequest(std::uint16_t port, std::string_view stream, std::size_t limit) {
  const std::string place = fmt::format(
      R"({{"StreamName":"{}","ShardId":"shardId-000000000000","ShardIteratorType":"TRIM_HORIZON"}})", stream);
  auto answer = CallForJson(port, "GetShardIterator", place);
  if (!answer) return Error(answer.error());
  const std::string iterator = TextAt(*answer, "/ShardIterator");
  if (iterator.empty()) return Error(Code::kInternal, "GetShardIterator gave no iterator");
  return KinesisRequest(port, "GetRecords", fmt::format(R"({{"ShardIterator":"{}","Limit":{}}})", iterator, limit));
}

std::size_t CountRecords(std::string_view answer) {
  constexpr std::string_view kOnceARecord = "\"SequenceNumber\":";
  std::size_t records = 0;
  for (std::size_t at = 0; (at = answer.find(kOnceARecord, at)) != answer.npos; ++at) ++records;
  return records;
}

}  // namespace sluice::tools
