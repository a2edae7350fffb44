// The S3 destination, field by field in the order of Firehose's reference.
#include "broker/delivery/destination_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "broker/delivery/partitioning_config.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/processing_config.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kSizeMbMax = 4096;             // Firehose: 128
constexpr std::size_t kExtensionMax = 120;            // Firehose: 128, but then a file's name may be too long
constexpr std::int64_t kIntervalSecondsMax = 86'400;  // Firehose: 900

bool IsBucketName(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.find_first_not_of('.') == name.npos) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; });
}

void ReadBucket(MapReader& map, DeliveryConfig& config) {
  if (std::optional<std::string> role = map.String("RoleARN")) {
    config.role_arn = *role;
  } else {
    map.report().Warn(map.line(), map.PathOf("RoleARN"), "is missing; none is needed here");
  }
  const std::optional<std::string> arn = map.String("BucketARN");
  if (!arn) {
    if (map.LineOf("BucketARN") == map.line()) map.report().Problem(map.line(), map.PathOf("BucketARN"), "is missing");
    return;
  }
  const int line = map.LineOf("BucketARN");
  const std::size_t marker = arn->find(":s3:::");
  config.bucket = arn->starts_with("arn:") && marker != arn->npos ? arn->substr(marker + 6) : *arn;
  if (!IsBucketName(config.bucket)) {
    map.report().Problem(line, map.PathOf("BucketARN"),
                         fmt::format("'{}' names no bucket; write arn:aws:s3:::my-bucket", *arn));
  } else if (config.bucket == *arn) {
    map.report().Warn(line, map.PathOf("BucketARN"), fmt::format("taken as arn:aws:s3:::{}", config.bucket));
  }
}

/// A slash in front would make an empty first segment, which no directory can have.
std::string WithoutLeadingSlash(MapReader& map, std::string_view key, std::string text) {
  const std::size_t first = std::min(text.find_first_not_of('/'), text.size());
  if (first > 0) map.report().Warn(map.LineOf(key), map.PathOf(key), "taken without the '/' in front");
  return text.substr(first);
}

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

std::optional<RawCompression> RawCompressionOf(std::string_view text) {
  const std::string word = PlainWord(text);
  if (word == "uncompressed" || word == "none" || word.empty()) return RawCompression::kUncompressed;
  if (word == "gzip" || word == "gz") return RawCompression::kGzip;
  if (word == "zip") return RawCompression::kZip;
  if (word == "snappy") return RawCompression::kSnappy;
  if (word == "hadoopsnappy") return RawCompression::kHadoopSnappy;
  return std::nullopt;
}

std::optional<ParquetCompression> ParquetCompressionOf(std::string_view text) {
  const std::string word = PlainWord(text);
  if (word == "uncompressed" || word == "none") return ParquetCompression::kUncompressed;
  if (word == "snappy") return ParquetCompression::kSnappy;
  if (word == "gzip" || word == "gz") return ParquetCompression::kGzip;
  if (word == "zstd" || word == "zstandard") return ParquetCompression::kZstd;
  return std::nullopt;
}

void WarnSpelling(MapReader& map, std::string_view key, std::string_view given, std::string_view taken) {
  if (given != taken)
    map.report().Warn(map.LineOf(key), map.PathOf(key), fmt::format("'{}' is taken as {}", given, taken));
}

/// The destination's own compression; beside a conversion it can only mean that of the Parquet files.
void ReadCompression(MapReader& map, bool parquet_compression_given, DeliveryConfig& config) {
  const std::optional<std::string> text = map.String("CompressionFormat");
  if (!text) return;
  const auto warn = [&](std::string_view what) {
    map.report().Warn(map.LineOf("CompressionFormat"), map.PathOf("CompressionFormat"), what);
  };
  if (PlainWord(*text) == "parquet") {
    if (!config.convert) warn("'parquet' is taken as a conversion to Parquet");
    config.convert = true;
    return;
  }
  if (config.convert) {
    const std::optional<ParquetCompression> parquet = ParquetCompressionOf(*text);
    if (PlainWord(*text) == "uncompressed") return;  // what Firehose wants to see here
    if (!parquet_compression_given && parquet) {
      config.parquet.compression = *parquet;
      warn(fmt::format("stands beside a conversion; taken as ParquetSerDe.Compression {}",
                       ParquetCompressionName(*parquet)));
      return;
    }
    if (parquet || RawCompressionOf(*text)) {
      warn(fmt::format("stands beside a conversion and is passed over; the files are compressed with {}",
                       ParquetCompressionName(config.parquet.compression)));
      return;
    }
  }
  const std::optional<RawCompression> raw = RawCompressionOf(*text);
  if (!raw) {
    map.report().Problem(map.LineOf("CompressionFormat"), map.PathOf("CompressionFormat"),
                         fmt::format("'{}' is no format; there are UNCOMPRESSED, GZIP, ZIP, Snappy and HADOOP_SNAPPY{}",
                                     *text, ParquetCompressionOf(*text) ? " (ZSTD with a conversion to Parquet)" : ""));
    return;
  }
  config.compression = *raw;
  WarnSpelling(map, "CompressionFormat", *text, RawCompressionName(*raw));
}

void ReadParquetSerDe(MapReader& map, bool& compression_given, DeliveryConfig& config) {
  if (std::optional<std::string> text = map.String("Compression")) {
    compression_given = true;
    if (const std::optional<ParquetCompression> compression = ParquetCompressionOf(*text)) {
      config.parquet.compression = *compression;
      WarnSpelling(map, "Compression", *text, ParquetCompressionName(*compression));
    } else {
      map.report().Problem(map.LineOf("Compression"), map.PathOf("Compression"),
                           fmt::format("'{}' is none of UNCOMPRESSED, SNAPPY, GZIP, ZSTD", *text));
    }
  }
  if (const auto bytes = map.Int("BlockSizeBytes", 1 << 20, 1ll << 30))
    config.parquet.row_group_bytes = static_cast<std::uint64_t>(*bytes);
  if (const auto bytes = map.Int("PageSizeBytes", 4 << 10, 64 << 20))
    config.parquet.page_bytes = static_cast<std::uint64_t>(*bytes);
  if (const auto on = map.Bool("EnableDictionaryCompression")) config.parquet.dictionary = *on;
  if (const auto version = map.String("WriterVersion")) {
    const std::string word = PlainWord(*version);
    config.parquet.writer_version_2 = word == "v2" || word == "2";
    if (!config.parquet.writer_version_2 && word != "v1" && word != "1") {
      map.report().Problem(map.LineOf("WriterVersion"), map.PathOf("WriterVersion"), "must be V1 or V2");
    }
  }
  if (map.Int("MaxPaddingBytes", 0, 1ll << 30).value_or(0) > 0) {
    map.report().Warn(map.LineOf("MaxPaddingBytes"), map.PathOf("MaxPaddingBytes"),
                      "is passed over: it is for HDFS only");
  }
  map.Finish();
}

/// A word where Firehose wants a map: "parquet", "orc".
bool IsWord(const ConfigField* field, std::string_view word) {
  if (field == nullptr || field->value.kind != ConfigNode::Kind::kString) return false;
  const std::string plain = PlainWord(field->value.text);
  return plain == word || plain == std::string(word) + "serde";
}

void OrcNotServed(MapReader& map, int line, std::string_view key) {
  map.report().NotServed(line, map.PathOf(key), "ORC files are not yet served; use ParquetSerDe");
}

/// True where a serializer was named.
bool ReadSerializer(MapReader& output, bool& compression_given, DeliveryConfig& config) {
  const ConfigField* field = output.Take("Serializer");
  if (field == nullptr) return false;
  if (IsWord(field, "parquet")) {
    output.report().Warn(field->line, output.PathOf("Serializer"), "taken as {\"ParquetSerDe\": {}}");
    return true;
  }
  if (IsWord(field, "orc")) {
    OrcNotServed(output, field->line, "Serializer");
    return true;
  }
  MapReader serializer(output.report(), field->value, output.PathOf("Serializer"));
  std::optional<MapReader> parquet = serializer.Map("ParquetSerDe");
  const ConfigField* orc = serializer.Take("OrcSerDe");
  if (parquet && orc != nullptr) {
    serializer.report().Problem(orc->line, serializer.PathOf("OrcSerDe"),
                                "stands beside ParquetSerDe; give one of them");
  } else if (orc != nullptr) {
    OrcNotServed(serializer, orc->line, "OrcSerDe");
  }
  if (parquet) ReadParquetSerDe(*parquet, compression_given, config);
  serializer.Finish();
  return parquet.has_value() || orc != nullptr;
}

void ReadOutputFormat(MapReader& conversion, bool& compression_given, DeliveryConfig& config) {
  const ConfigField* field = conversion.Take("OutputFormatConfiguration");
  bool named = false;
  if (IsWord(field, "parquet")) {
    conversion.report().Warn(field->line, conversion.PathOf("OutputFormatConfiguration"), "taken as a ParquetSerDe");
    named = true;
  } else if (IsWord(field, "orc")) {
    OrcNotServed(conversion, field->line, "OutputFormatConfiguration");
    named = true;
  } else if (field != nullptr) {
    MapReader output(conversion.report(), field->value, conversion.PathOf("OutputFormatConfiguration"));
    named = ReadSerializer(output, compression_given, config);
    output.Finish();
  }
  if (!named) {
    conversion.report().Warn(conversion.line(), conversion.PathOf("OutputFormatConfiguration"),
                             "names no serializer; taken as a ParquetSerDe with SNAPPY");
  }
}

void ReadOpenX(MapReader& openx, DeliveryConfig& config) {
  if (const auto on = openx.Bool("CaseInsensitive")) config.converter.case_insensitive = *on;
  if (const auto on = openx.Bool("ConvertDotsInJsonKeysToUnderscores")) config.converter.dots_to_underscores = *on;
  if (const ConfigField* mappings = openx.Take("ColumnToJsonKeyMappings")) {
    MapReader map(openx.report(), mappings->value, openx.PathOf("ColumnToJsonKeyMappings"));
    for (const ConfigField& mapping : mappings->value.fields) {
      config.converter.column_to_key.emplace_back(mapping.key, mapping.value.text);
    }
  }
  openx.Finish();
}

void ReadInputFormat(MapReader& conversion, DeliveryConfig& config) {
  std::optional<MapReader> input = conversion.Map("InputFormatConfiguration");
  if (!input) return;
  if (std::optional<MapReader> deserializer = input->Map("Deserializer")) {
    std::optional<MapReader> openx = deserializer->Map("OpenXJsonSerDe");
    std::optional<MapReader> hive = deserializer->Map("HiveJsonSerDe");
    if (openx && hive) {
      deserializer->report().Problem(hive->line(), hive->path(), "stands beside OpenXJsonSerDe; give one of them");
    }
    if (openx) ReadOpenX(*openx, config);
    if (hive) {
      config.converter.timestamp_formats = hive->Strings("TimestampFormats");
      hive->Finish();
    }
    deserializer->Finish();
  }
  input->Finish();
}

void ReadSchemaConfiguration(MapReader& conversion, const SluiceExtras& extras) {
  std::optional<MapReader> schema = conversion.Map("SchemaConfiguration");
  if (!schema) return;
  const std::string table = schema->String("TableName").value_or("");
  schema->Ignore({"RoleARN", "CatalogId", "DatabaseName", "Region", "VersionId"});
  schema->Finish();
  if (extras.has_schema || extras.infer_schema) return;
  schema->report().Warn(
      schema->line(), schema->path(),
      fmt::format("the Glue table '{}' is not asked; the schema is inferred from the records (to declare it, "
                  "give Sluice.Columns or Sluice.TableFile)",
                  table));
}

/// True where ParquetSerDe.Compression was given.
bool ReadConversion(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config) {
  bool compression_given = false;
  std::optional<MapReader> conversion = map.Map("DataFormatConversionConfiguration");
  if (!conversion) return false;
  config.convert = conversion->Bool("Enabled").value_or(true);  // omitted means on, as in Firehose
  if (config.convert) {
    ReadOutputFormat(*conversion, compression_given, config);
    ReadInputFormat(*conversion, config);
    ReadSchemaConfiguration(*conversion, extras);
  } else {
    conversion->Ignore({"SchemaConfiguration", "InputFormatConfiguration", "OutputFormatConfiguration"});
  }
  conversion->Finish();
  return compression_given;
}

void ReadBackup(MapReader& map) {
  const std::string mode = PlainWord(map.String("S3BackupMode").value_or("Disabled"));
  const ConfigField* backup = map.Take("S3BackupConfiguration");
  if (mode == "enabled") {
    map.report().NotServed(map.LineOf("S3BackupMode"), map.PathOf("S3BackupMode"),
                           "backup of the source records is not yet served");
  } else if (mode != "disabled") {
    map.report().Problem(map.LineOf("S3BackupMode"), map.PathOf("S3BackupMode"), "must be Disabled or Enabled");
  } else if (backup != nullptr) {
    map.report().Warn(backup->line, map.PathOf("S3BackupConfiguration"), "is passed over: S3BackupMode is not Enabled");
  }
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

void ReadPassedOver(MapReader& map) {
  if (std::optional<MapReader> encryption = map.Map("EncryptionConfiguration")) {
    encryption->Ignore({"NoEncryptionConfig"});
    if (encryption->Take("KMSEncryptionConfig") != nullptr) {
      encryption->report().Warn(encryption->LineOf("KMSEncryptionConfig"), encryption->PathOf("KMSEncryptionConfig"),
                                "objects in a local directory are not encrypted by Sluice; encrypt the file system");
    }
    encryption->Finish();
  }
  if (std::optional<MapReader> logging = map.Map("CloudWatchLoggingOptions")) {
    if (logging->Bool("Enabled").value_or(false)) {
      logging->report().Warn(logging->line(), logging->path(),
                             "errors go to the broker's log and to 'sluice delivery describe'");
    }
    logging->Ignore({"LogGroupName", "LogStreamName"});
    logging->Finish();
  }
}

}  // namespace

void ReadS3Destination(MapReader& map, bool extended, const SluiceExtras& extras, DeliveryConfig& config) {
  ReadBucket(map, config);
  ReadPrefixes(map, config);
  const bool compression_given = extended && ReadConversion(map, extras, config);
  ReadCompression(map, compression_given, config);
  if (extended) {
    ReadProcessing(map, extras, config);
    ReadDynamicPartitioning(map, config);
  }
  ReadBufferingHints(map, config);
  ReadPassedOver(map);
  if (extended) {
    ReadBackup(map);
    ReadFilesAndZone(map, config);
  }
  map.Finish();
}

}  // namespace sluice::delivery
