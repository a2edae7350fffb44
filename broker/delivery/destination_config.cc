// The S3 destination, field by field in the order of Firehose's reference.
#include "broker/delivery/destination_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "broker/delivery/backup_config.h"
#include "broker/delivery/conversion_config.h"
#include "broker/delivery/partitioning_config.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/processing_config.h"
#include "broker/delivery/s3_fields.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kExtensionMax = 120;  // Firehose: 128, but then a file's name may be too long

std::string CompleteErrorPrefix(MapReader& map, std::string text) {
  const Result<Prefix> parsed = Prefix::Parse(text, PrefixKind::kErrors);
  if (!parsed) {
    map.report().Problem(map.LineOf("ErrorOutputPrefix"), map.PathOf("ErrorOutputPrefix"), parsed.error().message());
    return text;
  }
  if (parsed->has_error_output_type()) return text;
  if (!text.empty() && text.back() != '/') text += '/';
  text += fmt::format("{}/", kErrorTypeExpression);
  map.report().Warn(map.LineOf("ErrorOutputPrefix"), map.PathOf("ErrorOutputPrefix"),
                    fmt::format("does not hold {}; taken as '{}'", kErrorTypeExpression, text));
  return text;
}

void ReadPrefixes(MapReader& map, DeliveryConfig& config) {
  if (std::optional<std::string> text = map.String("Prefix")) config.prefix = WithoutLeadingSlash(map, "Prefix", *text);
  const Result<Prefix> prefix = Prefix::Parse(config.prefix, PrefixKind::kObjects);
  if (!prefix) map.report().Problem(map.LineOf("Prefix"), map.PathOf("Prefix"), prefix.error().message());
  const std::optional<std::string> error_prefix = map.String("ErrorOutputPrefix");
  if (error_prefix) {
    config.error_prefix = CompleteErrorPrefix(map, WithoutLeadingSlash(map, "ErrorOutputPrefix", *error_prefix));
  } else if (prefix && prefix->has_expression()) {
    config.error_prefix = fmt::format("{}/", kErrorTypeExpression);
    map.report().Warn(map.line(), map.PathOf("ErrorOutputPrefix"),
                      fmt::format("is missing beside a Prefix with expressions; taken as '{}'", config.error_prefix));
  } else {
    config.error_prefix = DefaultErrorPrefix(config.prefix);
  }
}

/// Sizes that Firehose refuses do no harm here.
void ReadBufferingHints(MapReader& map, DeliveryConfig& config) {
  const bool large = config.convert || config.dynamic_partitioning;
  const std::string_view with = config.convert ? "a conversion" : "dynamic partitioning";
  config.size_mb = large ? 128 : 5;
  std::optional<MapReader> hints = map.Map("BufferingHints");
  if (!hints) return;
  const std::optional<std::int64_t> size_mb = hints->Int("SizeInMBs", 1, kSizeMbMax);
  const std::optional<std::int64_t> interval_s = hints->Int("IntervalInSeconds", 0, kIntervalSecondsMax);
  const auto warn = [&](std::string_view key, std::string_view what) {
    hints->report().Warn(hints->LineOf(key), hints->PathOf(key), what);
  };
  if (size_mb) config.size_mb = static_cast<std::uint64_t>(*size_mb);
  if (interval_s) config.interval_s = static_cast<std::uint64_t>(*interval_s);
  if (size_mb.has_value() != interval_s.has_value()) {
    warn(size_mb ? "IntervalInSeconds" : "SizeInMBs",
         fmt::format("Firehose wants both hints or neither; the other is taken as {}",
                     size_mb ? config.interval_s : config.size_mb));
  }
  if (config.size_mb > 128) warn("SizeInMBs", "Firehose allows at most 128; taken as it is");
  if (large && config.size_mb < 64)
    warn("SizeInMBs", fmt::format("Firehose wants at least 64 with {}; taken as it is", with));
  if (config.interval_s > 900) warn("IntervalInSeconds", "Firehose allows at most 900; taken as it is");
  if (large && config.interval_s == 0)
    warn("IntervalInSeconds", fmt::format("Firehose does not allow 0 with {}; taken as it is", with));
  hints->Finish();
}

void ReadFilesAndZone(MapReader& map, DeliveryConfig& config) {
  if (const auto extension = map.String("FileExtension"); extension && !extension->empty()) {
    const auto allowed = [](char c) {
      return std::islower(static_cast<unsigned char>(c)) != 0 || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("!-_.*'()").find(c) != std::string_view::npos;
    };
    config.file_extension = *extension;
    if (extension->front() != '.' || extension->size() < 2 || extension->size() > kExtensionMax ||
        !std::all_of(extension->begin(), extension->end(), allowed)) {
      map.report().Problem(map.LineOf("FileExtension"), map.PathOf("FileExtension"),
                           "must be a '.' and small letters or digits, such as .json.gz");
    }
  }
  if (const auto zone = map.String("CustomTimeZone"); zone && !zone->empty()) {
    config.time_zone = *zone == "UTC" ? "" : *zone;
    if (!IsTimeZoneName(*zone)) {
      map.report().Problem(map.LineOf("CustomTimeZone"), map.PathOf("CustomTimeZone"),
                           "must be a time zone's name, such as Europe/Berlin");
    }
  }
}

}  // namespace

void ReadS3Destination(MapReader& map, bool extended, const SluiceExtras& extras, DeliveryConfig& config) {
  ReadBucket(map, config.role_arn, config.bucket);
  ReadPrefixes(map, config);
  ReadConversion(map, extended, extras, config);
  if (extended) {
    ReadProcessing(map, extras, config);
    ReadDynamicPartitioning(map, config);
  }
  ReadBufferingHints(map, config);
  ReadPassedOver(map);
  if (extended) {
    ReadBackup(map, config);
    ReadFilesAndZone(map, config);
  }
  map.Finish();
}

void ReadErrorBucket(MapReader& map, ErrorBucket holds, DeliveryConfig& config) {
  ReadBucket(map, config.role_arn, config.bucket);
  ReadPrefixes(map, config);
  if (holds == ErrorBucket::kAllRecords) {
    ReadBackupBesideErrors(map, config);
  } else {
    map.Ignore({"BufferingHints"});  // of a backup; an error object is written with its delivery
    if (const auto compression = map.String("CompressionFormat");
        compression && PlainWord(*compression) != "uncompressed")
      map.report().Warn(map.LineOf("CompressionFormat"), map.PathOf("CompressionFormat"),
                        "is passed over: error objects are not compressed");
  }
  ReadPassedOver(map);
  map.Finish();
}

}  // namespace sluice::delivery
