// The processors that there are, in the order in which Firehose runs them, whatever the configuration's.
//
// Values only; thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/processing/processor.h"
#include "broker/delivery/processing/processor_host.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// One processor as a configuration names it. Without AppendDelimiterToRecord, which is the objects' own.
struct ProcessorConfig {
  std::string type;                                             // Firehose's word
  std::vector<std::pair<std::string, std::string>> parameters;  // as given, in their order
  friend bool operator==(const ProcessorConfig&, const ProcessorConfig&) = default;

  /// nullptr where it is not given.
  const std::string* Find(std::string_view name) const;
};

/// What processors may need besides their configuration.
struct ProcessorContext {
  std::string_view delivery_stream;
  std::string_view source_stream;  // empty: direct put
  ProcessorHost* host = nullptr;   // outlives the processor; nullptr: it is made to see whether it can be, and not run
};

/// Where records go in: what opens records must not see again what it has opened.
enum class PipelineEntry : std::uint8_t {
  kLog,     // as they are in the log
  kPart,    // a record of an aggregate
  kText,    // a part of what a processor before RecordDeAggregation has opened
  kOpened,  // a part of what processors have opened
};

struct ProcessorKind {
  std::string_view type;
  std::vector<std::string_view> parameters;  // that it knows
  /// False where the same records may become something else the next time; nullptr: they never do.
  bool (*repeatable)(const ProcessorConfig& config) = nullptr;
  /// kInvalidArgument says what is wrong with which parameter.
  Result<std::unique_ptr<Processor>> (*make)(const ProcessorConfig& config, const ProcessorContext& context) = nullptr;
  std::string_view needs = {};  // the type of another one that has to be there, too
  /// The last entry whose records it sees.
  PipelineEntry entry = PipelineEntry::kOpened;
  /// Whether a broker of these settings can run it: kInvalidArgument says which setting is in the way. nullptr: every.
  Status (*check)(const ProcessorConfig& config, const ProcessorSettings& settings) = nullptr;
};

/// Whether the same records always become the same through all of these.
bool IsRepeatable(std::span<const ProcessorConfig> processors);

/// In the order in which they run.
std::span<const ProcessorKind> ProcessorKinds();
/// nullptr where there is none of this name; another spelling of it is taken.
const ProcessorKind* FindProcessorKind(std::string_view type);

/// kInvalidArgument, in Firehose's words, where `types` lacks the one that `kind` needs.
Status CheckNeeds(const ProcessorKind& kind, std::span<const std::string_view> types);
/// The first of `processors` that a broker of these settings cannot run.
Status CheckProcessors(std::span<const ProcessorConfig> processors, const ProcessorSettings& settings);

}  // namespace sluice::delivery
