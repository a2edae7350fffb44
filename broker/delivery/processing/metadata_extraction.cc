// Keys for each record, or the reason why it has none.
#include "broker/delivery/processing/metadata_extraction.h"

#include <fmt/format.h>

#include "broker/delivery/config_reader.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/processing/jq_paths.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kQuery = "MetadataExtractionQuery";
constexpr std::string_view kEngine = "JsonParsingEngine";
constexpr std::string_view kFailed = "DynamicPartitioning.MetadataExtractionFailed";

class MetadataExtraction : public Processor {
 public:
  explicit MetadataExtraction(std::vector<JqPath> paths) : reader_(std::move(paths)) {}

  Status Process(WorkBatch& batch) override {
    std::erase_if(batch.records, [&](WorkRecord& record) { return !Extract(record, batch); });
    return Status();
  }

 private:
  /// False where the record has failed.
  bool Extract(WorkRecord& record, WorkBatch& batch) {
    const Status read = reader_.Read(record.record.value, values_);
    if (!read.ok()) {
      batch.Fail(record, kProcessingFailed, std::string(kFailed), read.message());
      return false;
    }
    keys_.clear();
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const std::string& name = reader_.paths()[i].name;
      if (values_[i].empty()) {
        batch.Fail(record, kProcessingFailed, std::string(kFailed),
                   fmt::format("partitionKeys values must not be null or empty: '{}' is", name));
        return false;
      }
      keys_.push_back({name, batch.Keep(values_[i])});
    }
    record.query_keys = batch.Keep(std::span<const PartitionKey>(keys_));
    return true;
  }

  JqPathReader reader_;
  std::vector<std::string_view> values_;
  std::vector<PartitionKey> keys_;
};

Result<std::unique_ptr<Processor>> NewMetadataExtraction(const ProcessorConfig& config,
                                                         const ProcessorContext& /*context*/) {
  const std::string* const query = config.Find(kQuery);
  if (query == nullptr || query->empty()) return Error(Code::kInvalidArgument, fmt::format("{} is missing", kQuery));
  if (const std::string* engine = config.Find(kEngine); engine != nullptr && PlainWord(*engine) != "jq1.6")
    return Error(Code::kInvalidArgument, fmt::format("{} '{}' is unknown; there is JQ-1.6", kEngine, *engine));
  Result<std::vector<JqPath>> paths = CompileJqPaths(*query);
  if (!paths) return Error(paths.error().WithContext(fmt::format("{} '{}'", kQuery, *query)));
  return std::make_unique<MetadataExtraction>(std::move(*paths));
}

}  // namespace

ProcessorKind MetadataExtractionKind() {
  return {.type = kMetadataExtraction, .parameters = {kQuery, kEngine}, .make = NewMetadataExtraction};
}

std::optional<std::vector<std::string>> ExtractedKeys(const ProcessorConfig& config) {
  const std::string* const query = config.Find(kQuery);
  const Result<std::vector<JqPath>> paths = CompileJqPaths(query == nullptr ? "" : *query);
  if (!paths) return std::nullopt;
  std::vector<std::string> names;
  for (const JqPath& path : *paths) names.push_back(path.name);
  return names;
}

}  // namespace sluice::delivery
