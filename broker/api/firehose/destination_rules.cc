// What a destination must not be, in the order of its members.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "broker/api/firehose/destination.h"
#include "broker/api/firehose/errors.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/processing/processor_registry.h"

namespace sluice::broker::firehose {

using delivery::Prefix;
using delivery::PrefixKind;
using protocol::aws::ApiError;

namespace {

using Wrong = std::optional<ApiError>;

constexpr std::int64_t kConvertedSizeMbMin = 64;
constexpr std::int64_t kBackupIntervalSecondsMin = 60;
constexpr std::size_t kProcessorsMax = 5;
constexpr std::string_view kAppendDelimiter = "AppendDelimiterToRecord";

/// A key is kept and told; that nothing is encrypted with it is the stage's to warn of.
Wrong CheckEncryption(const Json& destination) {
  const Json* const encryption = Find(destination, "EncryptionConfiguration");
  const bool has_key = Find(encryption, "KMSEncryptionConfig") != nullptr;
  if (!has_key || Find(encryption, "NoEncryptionConfig") == nullptr) return std::nullopt;
  return InvalidArgument("EncryptionConfiguration must have one of NoEncryptionConfig and KMSEncryptionConfig.");
}

Wrong CheckPrefixes(const Json& destination) {
  const auto prefix = Prefix::Parse(TextOf(&destination, "Prefix"), PrefixKind::kObjects);
  if (!prefix) return InvalidArgument("Prefix: " + prefix.error().message());
  const std::string_view text = TextOf(&destination, "ErrorOutputPrefix");
  const auto error_prefix = Prefix::Parse(text, PrefixKind::kErrors);
  if (!error_prefix) return InvalidArgument("ErrorOutputPrefix: " + error_prefix.error().message());
  if (text.empty() && prefix->has_expression()) {
    return InvalidArgument("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions.");
  }
  if (error_prefix->has_expression() && !error_prefix->has_error_output_type()) {
    return InvalidArgument(
        fmt::format("ErrorOutputPrefix must contain {} when it contains expressions.", delivery::kErrorTypeExpression));
  }
  return std::nullopt;
}

/// That each key of the prefix gets a value is the stage's to say.
Wrong CheckPartitioning(const Json& destination) {
  const auto prefix = Prefix::Parse(TextOf(&destination, "Prefix"), PrefixKind::kObjects);
  const bool has_keys = prefix && !prefix->partition_keys().empty();
  if (!Partitions(destination)) {
    if (!has_keys) return std::nullopt;
    return InvalidArgument("Prefix cannot contain partition keys when dynamic partitioning is not enabled.");
  }
  if (!has_keys) {
    return InvalidArgument("Prefix must contain a partition key when dynamic partitioning is enabled.");
  }
  return std::nullopt;
}

/// A map of which exactly one member is there.
bool HasOne(const Json* map) { return map != nullptr && map->fields.size() == 1; }

Wrong CheckConversion(const Json& destination, NeedsTable needs_table) {
  if (!Converts(destination)) return std::nullopt;
  const std::string_view compression = TextOf(&destination, "CompressionFormat");
  if (!compression.empty() && compression != "UNCOMPRESSED") {
    return InvalidArgument("CompressionFormat must be UNCOMPRESSED when data format conversion is enabled.");
  }
  const Json* const conversion = Find(destination, "DataFormatConversionConfiguration");
  for (const std::string_view part : {"SchemaConfiguration", "InputFormatConfiguration", "OutputFormatConfiguration"}) {
    if (Find(conversion, part) != nullptr) continue;
    if (part == "SchemaConfiguration" && needs_table == NeedsTable::kNo) continue;
    return InvalidArgument(fmt::format("{} is required when data format conversion is enabled.", part));
  }
  if (!HasOne(Find(Find(conversion, "InputFormatConfiguration"), "Deserializer"))) {
    return InvalidArgument("Exactly one deserializer must be specified when data format conversion is enabled.");
  }
  if (!HasOne(Find(Find(conversion, "OutputFormatConfiguration"), "Serializer"))) {
    return InvalidArgument("Exactly one serializer must be specified when data format conversion is enabled.");
  }
  return std::nullopt;
}

/// The parameters of a processor that has those that are `known`.
Wrong ReadParameters(const Json& processor, std::span<const std::string_view> known,
                     delivery::ProcessorConfig& config) {
  const Json* const parameters = Find(processor, "Parameters");
  if (parameters == nullptr) return std::nullopt;
  for (const Json& parameter : parameters->items) {
    const std::string_view name = TextOf(&parameter, "ParameterName");
    if (std::ranges::find(known, name) == known.end()) {
      return InvalidArgument(fmt::format("{} has no parameter {}.", config.type, name));
    }
    if (config.Find(name) != nullptr) {
      return InvalidArgument(fmt::format("{} has the parameter {} twice.", config.type, name));
    }
    config.parameters.emplace_back(name, TextOf(&parameter, "ParameterValue"));
  }
  return std::nullopt;
}

Wrong CheckProcessor(const Json& processor, std::span<const std::string_view> types) {
  constexpr std::string_view kAppendDelimiterParameters[] = {"Delimiter"};
  delivery::ProcessorConfig config{.type = std::string(TextOf(&processor, "Type")), .parameters = {}};
  if (config.type == kAppendDelimiter) return ReadParameters(processor, kAppendDelimiterParameters, config);
  const delivery::ProcessorKind* const kind = delivery::FindProcessorKind(config.type);
  if (kind == nullptr) return NotServed(fmt::format("The processor {}", config.type));
  if (Wrong wrong = ReadParameters(processor, kind->parameters, config)) return wrong;
  if (const Status needs = delivery::CheckNeeds(*kind, types); !needs.ok()) return InvalidArgument(needs.message());
  if (const auto made = kind->make(config, {}); !made) return InvalidArgument(made.error().message());
  return std::nullopt;
}

}  // namespace

Wrong CheckHints(const Json& destination) {
  const Json* const hints = Find(destination, "BufferingHints");
  if (hints == nullptr) return std::nullopt;
  const bool has_size = Find(hints, "SizeInMBs") != nullptr;
  if (has_size != (Find(hints, "IntervalInSeconds") != nullptr)) {
    return InvalidArgument("BufferingHints must have both SizeInMBs and IntervalInSeconds, or neither.");
  }
  const bool converts = Converts(destination);
  if (!has_size || (!converts && !Partitions(destination))) return std::nullopt;
  const std::string_view what = converts ? "data format conversion" : "dynamic partitioning";
  if (NumberOf(hints, "SizeInMBs") < kConvertedSizeMbMin) {
    return InvalidArgument(fmt::format("BufferingHints.SizeInMBs must be at least 64 when {} is enabled.", what));
  }
  if (NumberOf(hints, "IntervalInSeconds") == 0) {
    return InvalidArgument(
        fmt::format("BufferingHints.IntervalInSeconds must be greater than 0 when {} is enabled.", what));
  }
  return std::nullopt;
}

Wrong CheckProcessing(const Json& destination) {
  const Json* const processing = Find(destination, "ProcessingConfiguration");
  if (!BooleanOf(processing, "Enabled", false)) return std::nullopt;
  const Json* const processors = Find(processing, "Processors");
  if (processors == nullptr || processors->items.empty() || processors->items.size() > kProcessorsMax) {
    return InvalidArgument(
        "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled.");
  }
  std::vector<std::string_view> types;
  for (const Json& processor : processors->items) types.push_back(TextOf(&processor, "Type"));
  for (const std::string_view type : types) {
    if (std::ranges::count(types, type) > 1) {
      return InvalidArgument(fmt::format("Cannot have more than 1 {} processor.", type));
    }
  }
  for (const Json& processor : processors->items) {
    if (Wrong wrong = CheckProcessor(processor, types)) return wrong;
  }
  return std::nullopt;
}

Wrong CheckPlainPart(const Json& destination) {
  if (Wrong wrong = CheckPrefixes(destination)) return wrong;
  return CheckEncryption(destination);
}

/// A backup is a plain destination, of records as they came.
Wrong CheckBackup(const Json& destination) {
  const Json* const backup = Find(destination, "S3BackupConfiguration");
  if (BacksUp(destination)) {
    if (backup == nullptr) {
      return InvalidArgument("S3BackupConfiguration cannot be null when S3BackupMode is Enabled.");
    }
    const Json* const hints = Find(destination, "BufferingHints");
    if (Find(hints, "IntervalInSeconds") != nullptr && NumberOf(hints, "IntervalInSeconds") == 0) {
      return InvalidArgument("BufferingHints.IntervalInSeconds must be greater than 0 when S3BackupMode is Enabled.");
    }
  }
  if (backup == nullptr) return std::nullopt;
  if (Find(backup, "RoleARN") == nullptr || Find(backup, "BucketARN") == nullptr) {
    return InvalidArgument("S3BackupUpdate must have RoleARN and BucketARN where there was no S3BackupConfiguration.");
  }
  if (Wrong wrong = CheckPrefixes(*backup)) return wrong;
  if (Wrong wrong = CheckHints(*backup)) return wrong;
  const Json* const hints = Find(backup, "BufferingHints");
  const bool has_interval = Find(hints, "IntervalInSeconds") != nullptr;  // an empty map has the defaults
  if (has_interval && NumberOf(hints, "IntervalInSeconds") < kBackupIntervalSecondsMin) {
    return InvalidArgument("BufferingHints.IntervalInSeconds of S3BackupConfiguration must be at least 60.");
  }
  if (Wrong wrong = CheckEncryption(*backup)) return wrong;
  return CheckPartitioning(*backup);
}

Wrong CheckDestination(const Json& destination, NeedsTable needs_table) {
  if (Wrong wrong = CheckPrefixes(destination)) return wrong;
  if (Wrong wrong = CheckHints(destination)) return wrong;
  if (Wrong wrong = CheckConversion(destination, needs_table)) return wrong;
  if (Wrong wrong = CheckProcessing(destination)) return wrong;
  if (Wrong wrong = CheckEncryption(destination)) return wrong;
  if (Wrong wrong = CheckBackup(destination)) return wrong;
  return CheckPartitioning(destination);
}

}  // namespace sluice::broker::firehose
