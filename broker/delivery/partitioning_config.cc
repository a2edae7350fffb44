// Dynamic partitioning: keys in the prefix, and processors that give values to them.
#include "broker/delivery/partitioning_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/prefix.h"
#include "broker/delivery/processing/metadata_extraction.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kRetrySecondsMax = 7200;

const ProcessorConfig* FindProcessor(const DeliveryConfig& config, std::string_view type) {
  const auto found = std::ranges::find(config.processors, type, &ProcessorConfig::type);
  return found == config.processors.end() ? nullptr : &*found;
}

/// Every key of the prefix has somebody who gives values to it.
void CheckKeys(MapReader& map, const DeliveryConfig& config, const std::vector<PartitionExpression>& keys) {
  const ProcessorConfig* const extraction = FindProcessor(config, kMetadataExtraction);
  const bool lambda = FindProcessor(config, "Lambda") != nullptr;
  const auto problem = [&](const std::string& what) {
    map.report().Problem(map.LineOf("Prefix"), map.PathOf("Prefix"), what);
  };
  for (const PartitionExpression& key : keys) {
    if (key.source == PartitionKeySource::kLambda) {
      if (!lambda)
        problem(fmt::format("partitionKeyFromLambda:{} needs the processor Lambda, which gives values", key.name));
      continue;
    }
    const std::optional<std::vector<std::string>> names = extraction ? ExtractedKeys(*extraction) : std::nullopt;
    if (extraction == nullptr) {
      problem(
          fmt::format("partitionKeyFromQuery:{} needs the processor MetadataExtraction, which gives values", key.name));
    } else if (names && std::ranges::find(*names, key.name) == names->end()) {
      problem(fmt::format("partitionKeyFromQuery:{} has no value: MetadataExtractionQuery does not name '{}'", key.name,
                          key.name));
    }
  }
}

}  // namespace

void ReadDynamicPartitioning(MapReader& map, DeliveryConfig& config) {
  const Result<Prefix> prefix = Prefix::Parse(config.prefix, PrefixKind::kObjects);
  const std::vector<PartitionExpression> keys = prefix ? prefix->partition_keys() : std::vector<PartitionExpression>();
  std::optional<MapReader> partitioning = map.Map("DynamicPartitioningConfiguration");
  if (partitioning) {
    config.dynamic_partitioning = partitioning->Bool("Enabled").value_or(false);
    if (std::optional<MapReader> retry = partitioning->Map("RetryOptions")) {
      retry->Int("DurationInSeconds", 0, kRetrySecondsMax);  // what fails here is no matter of time
      retry->Finish();
    }
    partitioning->Finish();
  } else if (!keys.empty()) {
    map.report().Warn(map.line(), map.PathOf("DynamicPartitioningConfiguration"),
                      "is missing beside a Prefix with partition keys; taken as enabled");
    config.dynamic_partitioning = true;
  }
  if (!config.dynamic_partitioning && !keys.empty()) {
    map.report().Problem(map.LineOf("Prefix"), map.PathOf("Prefix"),
                         "holds partition keys, and DynamicPartitioningConfiguration is not enabled");
  }
  CheckKeys(map, config, keys);
  if (!config.dynamic_partitioning) return;
  if (keys.empty()) {
    map.report().Warn(map.LineOf("Prefix"), map.PathOf("Prefix"),
                      "holds no partition key, so that all records are one partition");
  }
}

}  // namespace sluice::delivery
