// Processors, one after another. AppendDelimiterToRecord is a property of the objects; the others are in the registry.
#include "broker/delivery/processing_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sluice::delivery {
namespace {

constexpr std::string_view kAppendDelimiter = "AppendDelimiterToRecord";

/// The parameters by name; names that are not `known` are problems.
ProcessorConfig ReadParameters(MapReader& processor, std::string_view type, std::span<const std::string_view> known) {
  ProcessorConfig read{.type = std::string(type), .parameters = {}};
  const ConfigNode* const parameters = processor.List("Parameters");
  if (parameters == nullptr) return read;
  for (const ConfigNode& item : parameters->items) {
    MapReader parameter(processor.report(), item, processor.PathOf("Parameters"));
    const std::string name = parameter.String("ParameterName").value_or("");
    std::string value = parameter.String("ParameterValue").value_or("");
    parameter.Finish();
    const auto same = [&](std::string_view other) { return PlainWord(other) == PlainWord(name); };
    const auto found = std::ranges::find_if(known, same);
    if (found == known.end()) {
      parameter.report().Problem(item.line, parameter.PathOf("ParameterName"),
                                 fmt::format("'{}' is unknown; {} has {}", name, type, fmt::join(known, ", ")));
    } else if (read.Find(*found) != nullptr) {
      parameter.report().Problem(item.line, parameter.PathOf("ParameterName"),
                                 fmt::format("'{}' is given twice", name));
    } else {
      read.parameters.emplace_back(*found, std::move(value));
    }
  }
  return read;
}

void ReadAppendDelimiter(MapReader& processor, const SluiceExtras& extras, DeliveryConfig& config) {
  constexpr std::string_view kDelimiter[] = {"Delimiter"};
  const ProcessorConfig read = ReadParameters(processor, kAppendDelimiter, kDelimiter);
  const std::string* const delimiter = read.Find("Delimiter");
  if (extras.has_delimiter) {
    processor.report().Problem(processor.line(), processor.path(),
                               "AppendDelimiterToRecord stands beside Sluice.Delimiter; give one");
  }
  // AWS's examples write the two characters.
  config.delimiter = delimiter == nullptr || *delimiter == "\\n" ? "\n" : *delimiter;
  config.delimiter_after_last = false;
}

void ReadProcessor(MapReader& processor, const ProcessorKind& kind, DeliveryConfig& config) {
  ProcessorConfig read = ReadParameters(processor, kind.type, kind.parameters);
  if (std::ranges::find(config.processors, kind.type, &ProcessorConfig::type) != config.processors.end()) {
    processor.report().Problem(processor.line(), processor.path(),
                               fmt::format("the processor {} is there twice; give one", kind.type));
    return;
  }
  const ProcessorContext context{.delivery_stream = config.name,
                                 .source_stream = config.direct_put ? "" : std::string_view(config.source_stream)};
  if (const auto made = kind.make(read, context); !made) {
    processor.report().Problem(processor.line(), processor.path(),
                               fmt::format("{}: {}", kind.type, made.error().message()));
  }
  config.processors.push_back(std::move(read));
}

void CheckNeedsOf(const DeliveryConfig& config, const MapReader& processing) {
  std::vector<std::string_view> types;
  for (const ProcessorConfig& processor : config.processors) types.push_back(processor.type);
  for (const std::string_view type : types) {
    const Status needs = CheckNeeds(*FindProcessorKind(type), types);
    if (!needs.ok()) processing.report().Problem(processing.line(), processing.path(), needs.message());
  }
}

}  // namespace

void ReadProcessing(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config) {
  std::optional<MapReader> processing = map.Map("ProcessingConfiguration");
  if (!processing) return;
  const bool enabled = processing->Bool("Enabled").value_or(false);  // omitted means off, as in Firehose
  const ConfigNode* processors = processing->List("Processors");
  processing->Finish();
  if (processors == nullptr || processors->items.empty()) return;
  if (!enabled) {
    map.report().Warn(processing->line(), processing->path(), "is not enabled; its processors are passed over");
    return;
  }
  for (const ConfigNode& item : processors->items) {
    MapReader processor(map.report(), item, processing->PathOf("Processors"));
    const std::string type = processor.String("Type").value_or("");
    const ProcessorKind* const kind = FindProcessorKind(type);
    if (kind != nullptr) {
      ReadProcessor(processor, *kind, config);
    } else if (PlainWord(type) == PlainWord(kAppendDelimiter)) {
      ReadAppendDelimiter(processor, extras, config);
    } else {
      map.report().NotServed(item.line, processor.PathOf("Type"),
                             fmt::format("the processor '{}' is not yet served", type));
      continue;
    }
    processor.Finish();
  }
  CheckNeedsOf(config, *processing);
}

}  // namespace sluice::delivery
