// A Lambda processor beside its delivery stream: records in, what becomes of them out; and a function as tests want it.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/config_document.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/processing/processor_registry.h"
#include "protocol/base64.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/fake_endpoint.h"

namespace sluice::delivery {

/// What a request holds.
struct LambdaRequestSeen {
  std::string invocation_id;
  std::vector<std::string> ids;
  std::vector<std::string> values;
};

inline LambdaRequestSeen ReadLambdaRequest(const std::string& body) {
  LambdaRequestSeen seen;
  const auto tree = ParseJsonTree(body, "request");
  if (!tree) return seen;
  seen.invocation_id = tree->Find("invocationId")->value.text;
  for (const ConfigNode& record : tree->Find("records")->value.items) {
    seen.ids.push_back(record.Find("recordId")->value.text);
    seen.values.push_back(protocol::DecodeBase64(record.Find("data")->value.text).value_or("not base64"));
  }
  return seen;
}

/// One record of an answer.
inline std::string LambdaItem(std::string_view id, std::string_view value, std::string_view result = "Ok") {
  return fmt::format(R"({{"recordId":"{}","result":"{}","data":"{}"}})", id, result, protocol::EncodeBase64(value));
}

inline std::string LambdaAnswerOf(const std::vector<std::string>& items) {
  return fmt::format(R"({{"records":[{}]}})", fmt::join(items, ","));
}

/// Answers each record with `!` behind it; "drop" is dropped, "fail" fails.
inline std::string Exclaim(const std::string& body) {
  const LambdaRequestSeen seen = ReadLambdaRequest(body);
  std::vector<std::string> items;
  for (std::size_t i = 0; i < seen.ids.size(); ++i) {
    const std::string& value = seen.values[i];
    const std::string result = value == "drop" ? "Dropped" : value == "fail" ? "ProcessingFailed" : "Ok";
    items.push_back(LambdaItem(seen.ids[i], value + "!", result));
  }
  return LambdaAnswerOf(items);
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

inline ProcessorConfig LambdaOf(std::string_view arn, Parameters more = {}) {
  ProcessorConfig config{.type = "Lambda", .parameters = {{"LambdaArn", std::string(arn)}}};
  config.parameters.insert(config.parameters.end(), more.begin(), more.end());
  return config;
}

struct LambdaRun {
  explicit LambdaRun(const ProcessorConfig& config, LambdaOptions options = {}, ProcessorSettings settings = {}) {
    options.retry_first_ms = 0;
    settings.lambda = std::move(options);
    settings.stopping = &stopping;
    host.reset(new ProcessorHost{.settings = std::move(settings), .source = source, .run_id = "run"});
    const ProcessorContext context{.delivery_stream = "orders-lake", .source_stream = "orders", .host = host.get()};
    auto made = FindProcessorKind("Lambda")->make(config, context);
    REQUIRE(made.has_value());
    processor = std::move(*made);
  }

  /// Processes `values`; the results are in `batch`.
  Status Process(const std::vector<std::string>& values) {
    batch.Clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const RecordRef record{.value = batch.Keep(values[i]),
                             .key = "key",
                             .shard = ShardIndex(0),
                             .offset = Offset(i),
                             .append_time_ms = 1'700'000'000'000};
      batch.records.push_back({record, record.value});
    }
    return processor->Process(batch);
  }
  std::vector<std::string> Values() const {
    std::vector<std::string> values;
    for (const WorkRecord& record : batch.records) values.emplace_back(record.record.value);
    return values;
  }
  /// "offset code attempts" of each failure.
  std::vector<std::string> Failures() const {
    std::vector<std::string> texts;
    for (const ProcessingFailure& failure : batch.failures) {
      CHECK(failure.error_type == kProcessingFailed);
      CHECK(!failure.lambda_arn.empty());
      texts.push_back(fmt::format("{} {} {}", failure.record.offset.value, failure.code, failure.attempts));
    }
    return texts;
  }

  std::atomic<bool> stopping = false;
  FakeLog log{1};
  FakeSource source{log};
  std::unique_ptr<ProcessorHost> host;
  std::unique_ptr<Processor> processor;
  WorkBatch batch;
};

using Texts = std::vector<std::string>;

}  // namespace sluice::delivery
