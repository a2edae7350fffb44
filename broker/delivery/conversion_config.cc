// The format of objects, field by field in the order of Firehose's reference.
#include "broker/delivery/conversion_config.h"

#include <fmt/format.h>

namespace sluice::delivery {
namespace {

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

/// True where the serializer has a compression of its own.
bool ReadConversionMap(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config) {
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

}  // namespace

void ReadConversion(MapReader& map, bool extended, const SluiceExtras& extras, DeliveryConfig& config) {
  const bool compression_given = extended && ReadConversionMap(map, extras, config);
  ReadCompression(map, compression_given, config);
}

}  // namespace sluice::delivery
