// The list of processors. A new one is its own file and a line here.
#include "broker/delivery/processing/processor_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/config_reader.h"
#include "broker/delivery/processing/cloudwatch_log_processing.h"
#include "broker/delivery/processing/decompression.h"
#include "broker/delivery/processing/lambda_processor.h"
#include "broker/delivery/processing/metadata_extraction.h"
#include "broker/delivery/processing/record_deaggregation.h"
#include "protocol/check.h"

namespace sluice::delivery {

const std::string* ProcessorConfig::Find(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? nullptr : &found->second;
}

bool IsRepeatable(std::span<const ProcessorConfig> processors) {
  return std::ranges::all_of(processors, [](const ProcessorConfig& processor) {
    const ProcessorKind* const kind = FindProcessorKind(processor.type);
    return kind == nullptr || kind->repeatable == nullptr || kind->repeatable(processor);
  });
}

std::span<const ProcessorKind> ProcessorKinds() {
  static const std::vector<ProcessorKind> kKinds = {
      DecompressionKind(),   CloudWatchLogProcessingKind(), RecordDeAggregationKind(),
      LambdaProcessorKind(), MetadataExtractionKind(),
  };
  return kKinds;
}

const ProcessorKind* FindProcessorKind(std::string_view type) {
  const std::string word = PlainWord(type);
  const std::span<const ProcessorKind> kinds = ProcessorKinds();
  const auto found = std::ranges::find(kinds, word, [](const ProcessorKind& kind) { return PlainWord(kind.type); });
  return found == kinds.end() ? nullptr : &*found;
}

Status CheckNeeds(const ProcessorKind& kind, std::span<const std::string_view> types) {
  if (kind.needs.empty() || std::ranges::find(types, kind.needs) != types.end()) return Status();
  return Status(Code::kInvalidArgument,
                fmt::format("{}Processor can only be enabled with {}Processor", kind.type, kind.needs));
}

Status CheckProcessors(std::span<const ProcessorConfig> processors, const ProcessorSettings& settings) {
  for (const ProcessorConfig& processor : processors) {
    const ProcessorKind* const kind = FindProcessorKind(processor.type);
    SLUICE_CHECK(kind != nullptr);
    Status status = kind->check == nullptr ? Status() : kind->check(processor, settings);
    if (!status.ok()) return status.WithContext(kind->type);
  }
  return Status();
}

}  // namespace sluice::delivery
