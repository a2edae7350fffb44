// The format of objects, field by field in the order of Firehose's reference.
#include "broker/delivery/conversion_config.h"

#include <fmt/format.h>

#include <functional>

#include "broker/delivery/table_files.h"

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

std::optional<OrcCompression> OrcCompressionOf(std::string_view text) {
  const std::string word = PlainWord(text);
  if (word == "none" || word == "uncompressed") return OrcCompression::kNone;
  if (word == "zlib" || word == "gzip" || word == "gz" || word == "deflate") return OrcCompression::kZlib;
  if (word == "snappy") return OrcCompression::kSnappy;
  if (word == "zstd" || word == "zstandard") return OrcCompression::kZstd;
  return std::nullopt;
}

/// "parquet", "ORC", "OrcSerDe".
std::optional<ConvertedFormat> FormatOf(std::string_view text) {
  const std::string word = PlainWord(text);
  if (word == "parquet" || word == "parquetserde") return ConvertedFormat::kParquet;
  if (word == "orc" || word == "orcserde") return ConvertedFormat::kOrc;
  return std::nullopt;
}

std::string SerializerName(ConvertedFormat format) {
  return format == ConvertedFormat::kOrc ? "OrcSerDe" : "ParquetSerDe";
}

std::string_view SerializerCompressionName(const DeliveryConfig& config) {
  if (config.format == ConvertedFormat::kOrc) return OrcCompressionName(config.orc.compression);
  return ParquetCompressionName(config.parquet.compression);
}

/// False where the format has no such compression.
bool SetSerializerCompression(std::string_view text, DeliveryConfig& config) {
  const bool orc = config.format == ConvertedFormat::kOrc;
  const std::optional<OrcCompression> of_orc = orc ? OrcCompressionOf(text) : std::nullopt;
  const std::optional<ParquetCompression> of_parquet = orc ? std::nullopt : ParquetCompressionOf(text);
  if (of_orc) config.orc.compression = *of_orc;
  if (of_parquet) config.parquet.compression = *of_parquet;
  return of_orc || of_parquet;
}

/// "parquet" and "orc" where a compression is wanted.
void TakeFormatAsConversion(ConvertedFormat format, const std::function<void(std::string_view)>& warn,
                            DeliveryConfig& config) {
  const std::string_view name = ConvertedFormatName(format);
  if (!config.convert) {
    warn(fmt::format("'{}' is taken as a conversion to {}", format == ConvertedFormat::kOrc ? "orc" : "parquet", name));
    config.convert = true;
    config.format = format;
  } else if (config.format != format) {
    warn(fmt::format("stands beside a conversion to {} and is passed over", ConvertedFormatName(config.format)));
  }
}

/// Beside a conversion a compression can only mean that of its files.
void ReadConvertedCompression(const std::string& text, bool compression_given,
                              const std::function<void(std::string_view)>& warn, DeliveryConfig& config) {
  if (PlainWord(text) == "uncompressed") return;  // what Firehose wants to see here
  if (!compression_given && SetSerializerCompression(text, config)) {
    warn(fmt::format("stands beside a conversion; taken as {}.Compression {}", SerializerName(config.format),
                     SerializerCompressionName(config)));
  } else {
    warn(fmt::format("stands beside a conversion and is passed over; the files are compressed with {}",
                     SerializerCompressionName(config)));
  }
}

/// `hint` follows on what is said of a word that is none.
void TakeRawCompression(MapReader& map, const std::string& text, std::string_view hint, RawCompression& compression) {
  const std::optional<RawCompression> raw = RawCompressionOf(text);
  if (!raw) {
    map.report().Problem(
        map.LineOf("CompressionFormat"), map.PathOf("CompressionFormat"),
        fmt::format("'{}' is no format; there are UNCOMPRESSED, GZIP, ZIP, Snappy and HADOOP_SNAPPY{}", text, hint));
    return;
  }
  compression = *raw;
  WarnSpelling(map, "CompressionFormat", text, RawCompressionName(*raw));
}

/// The destination's own compression.
void ReadCompression(MapReader& map, bool compression_given, DeliveryConfig& config) {
  const std::optional<std::string> text = map.String("CompressionFormat");
  if (!text) return;
  const auto warn = [&](std::string_view what) {
    map.report().Warn(map.LineOf("CompressionFormat"), map.PathOf("CompressionFormat"), what);
  };
  if (const std::optional<ConvertedFormat> format = FormatOf(*text))
    return TakeFormatAsConversion(*format, warn, config);
  const std::optional<RawCompression> raw = RawCompressionOf(*text);
  const bool of_files = ParquetCompressionOf(*text) || OrcCompressionOf(*text);
  if (config.convert && (raw || of_files)) return ReadConvertedCompression(*text, compression_given, warn, config);
  TakeRawCompression(map, *text, of_files ? " (others with a conversion to Parquet or ORC)" : "", config.compression);
}

/// True where it is given.
bool ReadSerializerCompression(MapReader& map, std::string_view known, DeliveryConfig& config) {
  const std::optional<std::string> text = map.String("Compression");
  if (!text) return false;
  if (SetSerializerCompression(*text, config)) {
    WarnSpelling(map, "Compression", *text, SerializerCompressionName(config));
  } else {
    map.report().Problem(map.LineOf("Compression"), map.PathOf("Compression"),
                         fmt::format("'{}' is none of {}", *text, known));
  }
  return true;
}

void WarnOfPadding(MapReader& map, std::string_view key) {
  map.report().Warn(map.LineOf(key), map.PathOf(key), "is passed over: it is for HDFS only");
}

/// True where a compression is given.
bool ReadParquetSerDe(MapReader& map, DeliveryConfig& config) {
  config.format = ConvertedFormat::kParquet;
  const bool compression_given = ReadSerializerCompression(map, "UNCOMPRESSED, SNAPPY, GZIP, ZSTD", config);
  if (const auto bytes = map.Int("BlockSizeBytes", 1 << 20, 1ll << 30))
    config.parquet.row_group_bytes = static_cast<std::uint64_t>(*bytes);
  if (const auto bytes = map.Int("PageSizeBytes", 4 << 10, 64 << 20))
    config.parquet.page_bytes = static_cast<std::uint64_t>(*bytes);
  if (config.parquet.page_bytes > config.parquet.row_group_bytes) {
    map.report().Problem(map.LineOf("PageSizeBytes"), map.PathOf("PageSizeBytes"),
                         fmt::format("is {}, more than BlockSizeBytes, which is {}", config.parquet.page_bytes,
                                     config.parquet.row_group_bytes));
  }
  if (const auto on = map.Bool("EnableDictionaryCompression")) config.parquet.dictionary = *on;
  if (const auto version = map.String("WriterVersion")) {
    const std::string word = PlainWord(*version);
    config.parquet.writer_version_2 = word == "v2" || word == "2";
    if (!config.parquet.writer_version_2 && word != "v1" && word != "1") {
      map.report().Problem(map.LineOf("WriterVersion"), map.PathOf("WriterVersion"), "must be V1 or V2");
    }
  }
  if (map.Int("MaxPaddingBytes", 0, 1ll << 30).value_or(0) > 0) WarnOfPadding(map, "MaxPaddingBytes");
  map.Finish();
  return compression_given;
}

/// The same.
bool ReadOrcSerDe(MapReader& map, DeliveryConfig& config) {
  config.format = ConvertedFormat::kOrc;
  const bool compression_given = ReadSerializerCompression(map, "NONE, ZLIB, SNAPPY, ZSTD", config);
  if (const auto bytes = map.Int("StripeSizeBytes", 1 << 20, 1ll << 30))
    config.orc.stripe_bytes = static_cast<std::uint64_t>(*bytes);
  if (const auto bytes = map.Int("BlockSizeBytes", 1 << 20, 1ll << 30))
    config.orc.block_bytes = static_cast<std::uint64_t>(*bytes);
  if (const auto rows = map.Int("RowIndexStride", 1000, 1ll << 30))
    config.orc.row_index_stride = static_cast<std::uint64_t>(*rows);
  config.orc.bloom_filter_columns = map.Strings("BloomFilterColumns");
  if (const auto fpp = map.Real("BloomFilterFalsePositiveProbability", 0, 1)) config.orc.bloom_filter_fpp = *fpp;
  if (const auto threshold = map.Real("DictionaryKeyThreshold", 0, 1)) config.orc.dictionary_threshold = *threshold;
  if (const auto version = map.String("FormatVersion")) {
    const std::string word = PlainWord(*version);
    config.orc.version_0_11 = word == "v011" || word == "0.11";
    if (!config.orc.version_0_11 && word != "v012" && word != "0.12") {
      map.report().Problem(map.LineOf("FormatVersion"), map.PathOf("FormatVersion"), "must be V0_11 or V0_12");
    }
  }
  if (map.Bool("EnablePadding").value_or(false)) WarnOfPadding(map, "EnablePadding");
  map.Real("PaddingTolerance", 0, 1);  // of a padding that is passed over
  map.Finish();
  return compression_given;
}

/// A word where Firehose wants a map: "parquet", "orc".
std::optional<ConvertedFormat> FormatWord(const ConfigField* field) {
  const bool word = field != nullptr && field->value.kind == ConfigNode::Kind::kString;
  return word ? FormatOf(field->value.text) : std::nullopt;
}

/// True where a serializer was named.
bool ReadSerializer(MapReader& output, bool& compression_given, DeliveryConfig& config) {
  const ConfigField* field = output.Take("Serializer");
  if (field == nullptr) return false;
  if (const std::optional<ConvertedFormat> format = FormatWord(field)) {
    config.format = *format;
    output.report().Warn(field->line, output.PathOf("Serializer"),
                         fmt::format("taken as {{\"{}\": {{}}}}", SerializerName(*format)));
    return true;
  }
  MapReader serializer(output.report(), field->value, output.PathOf("Serializer"));
  std::optional<MapReader> parquet = serializer.Map("ParquetSerDe");
  std::optional<MapReader> orc = serializer.Map("OrcSerDe");
  if (parquet && orc) {
    serializer.report().Problem(orc->line(), orc->path(), "stands beside ParquetSerDe; give one of them");
  }
  if (parquet) compression_given = ReadParquetSerDe(*parquet, config);
  if (orc) compression_given = ReadOrcSerDe(*orc, config);
  serializer.Finish();
  return parquet || orc;
}

void ReadOutputFormat(MapReader& conversion, bool& compression_given, DeliveryConfig& config) {
  const ConfigField* field = conversion.Take("OutputFormatConfiguration");
  if (const std::optional<ConvertedFormat> format = FormatWord(field)) {
    config.format = *format;
    conversion.report().Warn(
        field->line, conversion.PathOf("OutputFormatConfiguration"),
        fmt::format("taken as {} {}", *format == ConvertedFormat::kOrc ? "an" : "a", SerializerName(*format)));
    return;
  }
  bool named = false;
  if (field != nullptr) {
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

CatalogTable ReadCatalogTable(MapReader& schema) {
  const auto text = [&](std::string_view key) { return schema.String(key).value_or(""); };
  CatalogTable table{.table = text("TableName"),
                     .role_arn = text("RoleARN"),
                     .catalog_id = text("CatalogId"),
                     .database = text("DatabaseName"),
                     .region = text("Region"),
                     .version_id = text("VersionId")};
  schema.Finish();
  return table;
}

/// A schema of one's own, under Sluice, goes before a table.
void ReadSchemaConfiguration(MapReader& conversion, const SluiceExtras& extras, DeliveryConfig& config) {
  std::optional<MapReader> schema = conversion.Map("SchemaConfiguration");
  if (!schema) return;
  const CatalogTable given = ReadCatalogTable(*schema);
  const std::string& database = given.database;
  const std::string& table = given.table;
  if (!table.empty()) config.catalog_table = given;
  if (extras.has_schema) return;
  if (extras.tables == GlueTables::kAsked) {
    config.glue_table = fmt::format("{}.{}", database, table);
    if (IsGlueTable(config.glue_table)) return;
    schema->report().Problem(schema->line(), schema->path(),
                             fmt::format("DatabaseName '{}' and TableName '{}' name no table", database, table));
  } else if (config.glue_table.empty() && !extras.infer_schema) {
    schema->report().Warn(
        schema->line(), schema->path(),
        fmt::format("the Glue table '{}' is not asked; the schema is inferred from the records (to declare it, "
                    "give Sluice.Columns or Sluice.TableFile, or tables in the folder delivery.tables_dir)",
                    table));
  }
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
    ReadSchemaConfiguration(*conversion, extras, config);
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

void ReadRawCompression(MapReader& map, RawCompression& compression) {
  if (const std::optional<std::string> text = map.String("CompressionFormat"))
    TakeRawCompression(map, *text, "", compression);
}

}  // namespace sluice::delivery
