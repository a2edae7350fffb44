// Keys for each record, or the reason why it has none.
#include "broker/delivery/processing/metadata_extraction.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "broker/delivery/config_reader.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/processing/jq_paths.h"
#include "broker/delivery/processing/jq_worker.h"
#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kQuery = "MetadataExtractionQuery";
constexpr std::string_view kEngine = "JsonParsingEngine";
constexpr std::string_view kFailed = "DynamicPartitioning.MetadataExtractionFailed";

/// What both ways of running a program have in common. A record is given its keys, or has failed.
class Extraction : public Processor {
 protected:
  void Fail(const WorkRecord& record, std::string message, WorkBatch& batch) {
    batch.Fail(record, kProcessingFailed, std::string(kFailed), std::move(message));
  }
  bool AddKey(const WorkRecord& record, std::string_view name, std::string_view value, WorkBatch& batch) {
    if (value.empty()) {
      Fail(record, fmt::format("partitionKeys values must not be null or empty: '{}' is", name), batch);
      return false;
    }
    keys_.push_back({name, batch.Keep(value)});
    return true;
  }
  std::vector<PartitionKey> keys_;
};

class PathExtraction final : public Extraction {
 public:
  explicit PathExtraction(std::vector<JqPath> paths) : reader_(std::move(paths)) {}

  Status Process(WorkBatch& batch) override {
    std::erase_if(batch.records, [&](WorkRecord& record) { return !Extract(record, batch); });
    return Status();
  }

 private:
  bool Extract(WorkRecord& record, WorkBatch& batch) {
    const Status read = reader_.Read(record.record.value, values_);
    if (!read.ok()) {
      Fail(record, read.message(), batch);
      return false;
    }
    keys_.clear();
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!AddKey(record, reader_.paths()[i].name, values_[i], batch)) return false;
    }
    record.query_keys = batch.Keep(std::span<const PartitionKey>(keys_));
    return true;
  }

  JqPathReader reader_;
  std::vector<std::string_view> values_;
};

class JqExtraction final : public Extraction {
 public:
  JqExtraction(const std::string& program, const ProcessorHost* host)
      : worker_(JqProgramPath(host == nullptr ? "" : host->settings.jq_program), program,
                [host] { return host != nullptr && host->stopping(); }) {}

  Status Process(WorkBatch& batch) override {
    std::vector<std::string> texts;
    std::erase_if(batch.records, [&](const WorkRecord& record) { return !AddText(record, batch, texts); });
    const Result<std::vector<JqAnswer>> answers = worker_.Read(texts);
    if (!answers) return answers.error();
    std::size_t next = 0;
    std::erase_if(batch.records, [&](WorkRecord& record) { return !Take((*answers)[next++], record, batch); });
    return Status();
  }

 private:
  /// jq gets records on one line; what is no JSON does not come as far.
  bool AddText(const WorkRecord& record, WorkBatch& batch, std::vector<std::string>& texts) {
    const std::string_view json = record.record.value;
    simdjson::dom::element root;
    const auto error = parser_.parse(json.data(), json.size(), false).get(root);
    if (error != simdjson::SUCCESS) {
      Fail(record, fmt::format("the record is no JSON: {}", protocol::JsonErrorText(simdjson::error_message(error))),
           batch);
      return false;
    }
    texts.push_back(simdjson::minify(root));
    return true;
  }

  bool Take(const JqAnswer& answer, WorkRecord& record, WorkBatch& batch) {
    if (!answer.error.empty()) {
      Fail(record, answer.error, batch);
      return false;
    }
    keys_.clear();
    for (const auto& [name, value] : answer.keys) {
      if (!AddKey(record, batch.Keep(name), value, batch)) return false;
    }
    record.query_keys = batch.Keep(std::span<const PartitionKey>(keys_));
    return true;
  }

  simdjson::dom::parser parser_;
  JqWorker worker_;
};

Status CheckParameters(const ProcessorConfig& config) {
  const std::string* const query = config.Find(kQuery);
  if (query == nullptr || query->empty()) return Status(Code::kInvalidArgument, fmt::format("{} is missing", kQuery));
  if (const std::string* engine = config.Find(kEngine); engine != nullptr && PlainWord(*engine) != "jq1.6")
    return Status(Code::kInvalidArgument, fmt::format("{} '{}' is unknown; there is JQ-1.6", kEngine, *engine));
  return Status();
}

Result<std::unique_ptr<Processor>> Make(const ProcessorConfig& config, const ProcessorContext& context) {
  if (Status status = CheckParameters(config); !status.ok()) return Error(std::move(status));
  const std::string& program = *config.Find(kQuery);
  Result<std::vector<JqPath>> paths = CompileJqPaths(program);
  if (paths) return std::make_unique<PathExtraction>(std::move(*paths));
  return std::make_unique<JqExtraction>(program, context.host);
}

/// Lets jq compile the program.
Status Check(const ProcessorConfig& config, const ProcessorSettings& settings) {
  const std::string& program = *config.Find(kQuery);
  if (CompileJqPaths(program)) return Status();
  return JqWorker(JqProgramPath(settings.jq_program), program, [] { return false; })
      .Check()
      .WithContext(fmt::format("{} '{}'", kQuery, program));
}

/// Programs of jq may look at the clock.
bool Repeats(const ProcessorConfig& config) {
  const std::string* const program = config.Find(kQuery);
  return program == nullptr || CompileJqPaths(*program).has_value();
}

}  // namespace

ProcessorKind MetadataExtractionKind() {
  return {.type = kMetadataExtraction,
          .parameters = {kQuery, kEngine},
          .repeatable = Repeats,
          .make = Make,
          .check = Check};
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
