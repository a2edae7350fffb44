// What would become of a sample of records: DeliveryManager's kTry.
#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/config_document.h"
#include "broker/delivery/delivery_manager.h"
#include "broker/delivery/state_reader.h"
#include "broker/delivery/trial_delivery.h"
#include "protocol/base64.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kObjectBytesMax = 640u << 10;  // as base64 they have to fit into a MiB
constexpr std::int64_t kLambdaMs = 5000;  // of one call: others wait behind the trial, and who asked wants to hear

}  // namespace

/// `request`: {"file": the document, "records": [base64, ..]}.
Result<DeliveryAnswer> DeliveryManager::Try(std::string_view request, std::string_view document_name) {
  const Result<ConfigNode> tree = ParseJsonTree(request, "the request");
  if (!tree) return Error(tree.error());
  StateReader reader(*tree, "the request");
  const std::string document = reader.String("file");
  std::vector<std::string> records;
  std::size_t bytes = 0;
  for (const ConfigNode& item : reader.List("records")) {
    Result<std::string> record = protocol::DecodeBase64(item.text);
    if (!record) return Error(record.error());
    bytes += record->size();
    records.push_back(std::move(*record));
  }
  if (!reader.ok()) return Error(Code::kInvalidArgument, reader.status().message());
  if (records.size() > kTrialRecordsMax || bytes > kTrialBytesMax) {
    return Error(Code::kInvalidArgument,
                 fmt::format("a sample has at most {} records of {} bytes in all", kTrialRecordsMax, kTrialBytesMax));
  }
  return Check(document, document_name, records);
}

Result<TrialOutcome> DeliveryManager::TryRecords(const DeliveryConfig& config,
                                                 const std::vector<std::string>& records) {
  if (config.endpoint.exists()) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("a sample for '{}' would be sent to its endpoint; samples are tried for S3 destinations only",
                    config.name));
  }
  TrialParts parts{.env = parts_.env,
                   .work_dir = parts_.work_dir + "/samples",
                   .load_zone = [this](const std::string& zone) { return LoadZone(zone); },
                   .processors = MakeProcessorSettings(),
                   .keys = parts_.keys,
                   .base = std::nullopt};
  std::int64_t& timeout_ms = parts.processors.lambda.timeout_ms;
  timeout_ms = std::min(timeout_ms, kLambdaMs);
  if (const Result<StreamPtr> existing = FindStream(config.name)) {
    parts.base.emplace((*existing)->identity(), std::nullopt);
    if (const std::uint32_t version = (*existing)->status().schema_version; version > 0) {
      Result<Schema> schema = DeliveryStore(parts_.metadata, config.name).LoadSchema(version);
      if (!schema) return Error(schema.error());
      parts.base->schema = std::move(*schema);
    }
  }
  DeliveryConfig staged = config;
  staged.redshift.reset();  // a sample becomes objects, and is not loaded
  Result<TrialOutcome> outcome = TryDelivery(staged, records, parts);
  if (!outcome) return outcome;
  std::size_t bytes = 0;
  for (const TrialObject& object : outcome->objects) bytes += object.bytes.size();
  if (bytes <= kObjectBytesMax) return outcome;
  return Error(
      Code::kInvalidArgument,
      fmt::format("the sample becomes {} objects of {} bytes in all, and an answer holds {}; try fewer records",
                  outcome->objects.size(), bytes, kObjectBytesMax));
}

}  // namespace sluice::delivery
