// Defaults and merging.
#include "broker/api/firehose/destination.h"

#include <algorithm>
#include <array>

#include "broker/delivery/processing/lambda_config.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::int64_t kSizeMb = 5;
constexpr std::int64_t kLargeSizeMb = 128;  // with a conversion or dynamic partitioning
constexpr std::int64_t kIntervalSeconds = 300;
constexpr std::int64_t kPartitionRetrySeconds = 300;
constexpr std::array<std::string_view, 8> kPlainMembers = {"RoleARN",
                                                           "BucketARN",
                                                           "Prefix",
                                                           "ErrorOutputPrefix",
                                                           "BufferingHints",
                                                           "CompressionFormat",
                                                           "EncryptionConfiguration",
                                                           "CloudWatchLoggingOptions"};

Json MapOf(std::string_view name, Json value) {
  Json map = MapNode();
  Set(map, name, std::move(value));
  return map;
}

/// A map that is given may be empty.
Json MapIn(const Json& destination, std::string_view name) {
  const Json* const given = Find(destination, name);
  return given == nullptr ? MapNode() : *given;
}

/// A Lambda is told with all its parameters, in AWS's order; without a role where the destination has none either, as a
/// parameter is never empty.
void CompleteLambda(Json& parameters, std::string_view role, std::string_view buffer_mb) {
  const std::array<std::pair<std::string_view, std::string_view>, 5> defaults = {
      {{"LambdaArn", ""},
       {"NumberOfRetries", "3"},
       {"RoleArn", role},
       {delivery::kLambdaBufferSize, buffer_mb},
       {"BufferIntervalInSeconds", "60"}}};
  Json complete = ListNode();
  for (const auto& [name, otherwise] : defaults) {
    const auto given = std::ranges::find_if(
        parameters.items, [&](const Json& parameter) { return TextOf(&parameter, "ParameterName") == name; });
    const bool has = given != parameters.items.end();
    if (!has && otherwise.empty()) continue;
    Json parameter = MapOf("ParameterName", TextNode(name));
    Set(parameter, "ParameterValue", TextNode(has ? TextOf(&*given, "ParameterValue") : otherwise));
    complete.items.push_back(std::move(parameter));
  }
  parameters = std::move(complete);
}

}  // namespace

void SetHintsDefault(Json& destination, std::int64_t size_mb, std::int64_t interval_s) {
  Json hints = MapIn(destination, "BufferingHints");
  SetDefault(hints, "SizeInMBs", NumberNode(size_mb));
  SetDefault(hints, "IntervalInSeconds", NumberNode(interval_s));
  Set(destination, "BufferingHints", std::move(hints));
}

void SetLoggingDefault(Json& destination) {
  Json logging = MapIn(destination, "CloudWatchLoggingOptions");
  SetDefault(logging, "Enabled", BooleanNode(false));
  Set(destination, "CloudWatchLoggingOptions", std::move(logging));
}

void SetRetryDefault(Json& destination, std::int64_t seconds) {
  Json retries = MapIn(destination, "RetryOptions");
  SetDefault(retries, "DurationInSeconds", NumberNode(seconds));
  Set(destination, "RetryOptions", std::move(retries));
}

void SetPlainDefaults(Json& destination, bool large) {
  SetHintsDefault(destination, large ? kLargeSizeMb : kSizeMb, kIntervalSeconds);
  SetDefault(destination, "CompressionFormat", TextNode("UNCOMPRESSED"));
  if (MapIn(destination, "EncryptionConfiguration").fields.empty())
    Set(destination, "EncryptionConfiguration", MapOf("NoEncryptionConfig", TextNode("NoEncryption")));
  SetLoggingDefault(destination);
}

/// Processing is off unless it says otherwise, and a processor without parameters has an empty list of them.
void SetProcessingDefaults(Json& destination, std::string_view lambda_buffer_mb) {
  const Json* const given = Find(destination, "ProcessingConfiguration");
  if (given == nullptr) return;
  Json processing = *given;
  SetDefault(processing, "Enabled", BooleanNode(false));
  SetDefault(processing, "Processors", ListNode());
  Json processors = *Find(processing, "Processors");
  for (Json& processor : processors.items) {
    SetDefault(processor, "Parameters", ListNode());
    if (TextOf(&processor, "Type") != "Lambda") continue;
    Json parameters = *Find(processor, "Parameters");
    CompleteLambda(parameters, TextOf(&destination, "RoleARN"), lambda_buffer_mb);
    Set(processor, "Parameters", std::move(parameters));
  }
  Set(processing, "Processors", std::move(processors));
  Set(destination, "ProcessingConfiguration", std::move(processing));
}

bool Converts(const Json& destination) {
  const Json* const conversion = Find(destination, "DataFormatConversionConfiguration");
  return conversion != nullptr && BooleanOf(conversion, "Enabled", true);
}

bool Partitions(const Json& destination) {
  return BooleanOf(Find(destination, "DynamicPartitioningConfiguration"), "Enabled", false);
}

bool BacksUp(const Json& destination) {
  const std::string_view mode = TextOf(&destination, "S3BackupMode");
  return mode == "Enabled" || mode.starts_with("All");  // AllData, AllEvents, AllDocuments of an endpoint
}

bool AppendsDelimiter(const Json& destination) {
  const Json* const processing = Find(destination, "ProcessingConfiguration");
  const Json* const processors = Find(processing, "Processors");
  return processors != nullptr && BooleanOf(processing, "Enabled", false) &&
         std::ranges::any_of(processors->items, [](const Json& processor) {
           return TextOf(&processor, "Type") == "AppendDelimiterToRecord";
         });
}

void DescribeBackup(Json& described) {
  for (delivery::ConfigField& field : described.fields) {
    if (field.key != "S3BackupConfiguration") continue;
    SetPlainDefaults(field.value, false);
    field.key = "S3BackupDescription";
  }
}

Json Described(const Json& destination) {
  Json described = destination;
  SetPlainDefaults(described, Converts(destination) || Partitions(destination));
  SetProcessingDefaults(described, delivery::kLambdaBufferMbDefault);
  SetDefault(described, "S3BackupMode", TextNode("Disabled"));
  for (delivery::ConfigField& field : described.fields) {
    if (field.key == "DataFormatConversionConfiguration") SetDefault(field.value, "Enabled", BooleanNode(true));
    if (field.key != "DynamicPartitioningConfiguration") continue;
    if (Partitions(destination)) SetRetryDefault(field.value, kPartitionRetrySeconds);
    SetDefault(field.value, "Enabled", BooleanNode(false));
  }
  DescribeBackup(described);
  return described;
}

Json PlainPart(const Json& described) {
  Json plain = MapNode();
  for (const std::string_view name : kPlainMembers) {
    if (const Json* const value = Find(described, name)) Set(plain, name, *value);
  }
  return plain;
}

Json AsConfiguration(Json update) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kNames = {
      {{"S3Update", "S3Configuration"}, {"S3BackupUpdate", "S3BackupConfiguration"}}};
  for (delivery::ConfigField& field : update.fields) {
    const auto* const renamed = std::ranges::find(kNames, field.key, [](const auto& name) { return name.first; });
    if (renamed != kNames.end()) field.key = renamed->second;
  }
  return update;
}

Json Merged(Json destination, const Json& update) {
  constexpr std::array<std::string_view, 3> kByMember = {"DataFormatConversionConfiguration", "S3Configuration",
                                                         "S3BackupConfiguration"};
  for (const delivery::ConfigField& field : update.fields) {
    if (std::ranges::find(kByMember, field.key) != kByMember.end()) {
      SetMembers(destination, field.key, field.value);
    } else {
      Set(destination, field.key, field.value);
    }
  }
  return destination;
}

}  // namespace sluice::broker::firehose
