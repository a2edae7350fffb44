// The canonical JSON of a delivery stream's configuration, in Firehose's shape and order.
#include <fmt/format.h>

#include "broker/delivery/backup_config.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/endpoints/endpoint_destination.h"
#include "broker/delivery/iso_time.h"
#include "broker/delivery/processing_config.h"
#include "broker/delivery/redshift/redshift_destination.h"
#include "protocol/check.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {
namespace {

void WriteOpenX(const DeliveryConfig& config, protocol::JsonWriter& json) {
  json.Key("OpenXJsonSerDe").BeginObject();
  json.Key("CaseInsensitive").Bool(config.converter.case_insensitive);
  json.Key("ColumnToJsonKeyMappings").BeginObject();
  for (const auto& [column, key] : config.converter.column_to_key) json.Key(column).String(key);
  json.EndObject();
  json.Key("ConvertDotsInJsonKeysToUnderscores").Bool(config.converter.dots_to_underscores).EndObject();
}

void WriteHive(const DeliveryConfig& config, protocol::JsonWriter& json) {
  json.Key("HiveJsonSerDe").BeginObject().Key("TimestampFormats").BeginList();
  for (const std::string& format : config.converter.timestamp_formats) json.String(format);
  json.EndList().EndObject();
}

void WriteParquet(const ParquetOptions& parquet, protocol::JsonWriter& json) {
  json.Key("ParquetSerDe").BeginObject();
  json.Key("BlockSizeBytes").Number(parquet.row_group_bytes);
  json.Key("PageSizeBytes").Number(parquet.page_bytes);
  json.Key("Compression").String(ParquetCompressionName(parquet.compression));
  json.Key("EnableDictionaryCompression").Bool(parquet.dictionary);
  json.Key("WriterVersion").String(parquet.writer_version_2 ? "V2" : "V1").EndObject();
}

void WriteOrc(const OrcOptions& orc, protocol::JsonWriter& json) {
  json.Key("OrcSerDe").BeginObject();
  json.Key("StripeSizeBytes").Number(orc.stripe_bytes);
  json.Key("BlockSizeBytes").Number(orc.block_bytes);
  json.Key("RowIndexStride").Number(orc.row_index_stride);
  json.Key("Compression").String(OrcCompressionName(orc.compression));
  json.Key("BloomFilterColumns").BeginList();
  for (const std::string& column : orc.bloom_filter_columns) json.String(column);
  json.EndList();
  json.Key("BloomFilterFalsePositiveProbability").Raw(fmt::format("{}", orc.bloom_filter_fpp));
  json.Key("DictionaryKeyThreshold").Raw(fmt::format("{}", orc.dictionary_threshold));
  json.Key("FormatVersion").String(orc.version_0_11 ? "V0_11" : "V0_12").EndObject();
}

void WriteCatalogTable(const CatalogTable& table, protocol::JsonWriter& json) {
  const auto write = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) json.Key(key).String(value);
  };
  json.Key("SchemaConfiguration").BeginObject();
  write("RoleARN", table.role_arn);
  write("CatalogId", table.catalog_id);
  write("DatabaseName", table.database);
  write("TableName", table.table);
  write("Region", table.region);
  write("VersionId", table.version_id);
  json.EndObject();
}

void WriteConversion(const DeliveryConfig& config, protocol::JsonWriter& json) {
  json.Key("DataFormatConversionConfiguration").BeginObject();
  if (config.catalog_table) WriteCatalogTable(*config.catalog_table, json);
  json.Key("InputFormatConfiguration").BeginObject().Key("Deserializer").BeginObject();
  if (config.converter.timestamp_formats.empty()) {
    WriteOpenX(config, json);
  } else {
    WriteHive(config, json);
  }
  json.EndObject().EndObject();
  json.Key("OutputFormatConfiguration").BeginObject().Key("Serializer").BeginObject();
  if (config.format == ConvertedFormat::kOrc) {
    WriteOrc(config.orc, json);
  } else {
    WriteParquet(config.parquet, json);
  }
  json.EndObject().EndObject();
  json.Key("Enabled").Bool(true).EndObject();
}

void WriteProcessor(std::string_view type, const std::vector<std::pair<std::string, std::string>>& parameters,
                    protocol::JsonWriter& json) {
  json.BeginObject().Key("Type").String(type).Key("Parameters").BeginList();
  for (const auto& [name, value] : parameters) {
    json.BeginObject().Key("ParameterName").String(name).Key("ParameterValue").String(value).EndObject();
  }
  json.EndList().EndObject();
}

}  // namespace

void WriteProcessing(const DeliveryConfig& config, protocol::JsonWriter& json) {
  const bool delimits = !config.delimiter_after_last && JoinsRecords(config);
  if (config.processors.empty() && !delimits) return;
  json.Key("ProcessingConfiguration").BeginObject().Key("Enabled").Bool(true).Key("Processors").BeginList();
  for (const ProcessorConfig& processor : config.processors) WriteProcessor(processor.type, processor.parameters, json);
  if (delimits) WriteProcessor("AppendDelimiterToRecord", {{"Delimiter", config.delimiter}}, json);
  json.EndList().EndObject();
}

namespace {

void WriteDestination(const DeliveryConfig& config, protocol::JsonWriter& json) {
  json.Key("ExtendedS3DestinationConfiguration").BeginObject();
  json.Key("RoleARN").String(config.role_arn);
  json.Key("BucketARN").String(fmt::format("arn:aws:s3:::{}", config.bucket));
  json.Key("Prefix").String(config.prefix);
  json.Key("ErrorOutputPrefix").String(config.error_prefix);
  json.Key("BufferingHints").BeginObject();
  json.Key("SizeInMBs").Number(config.size_mb <= 4096 ? config.size_mb : 4096);
  json.Key("IntervalInSeconds").Number(config.interval_s).EndObject();
  json.Key("CompressionFormat").String(RawCompressionName(config.compression));
  WriteProcessing(config, json);
  if (config.backup) {
    json.Key("S3BackupMode").String("Enabled");
    WriteBackupDestination("S3BackupConfiguration", *config.backup, json);
  }
  if (config.dynamic_partitioning)
    json.Key("DynamicPartitioningConfiguration").BeginObject().Key("Enabled").Bool(true).EndObject();
  if (config.convert) WriteConversion(config, json);
  json.Key("FileExtension").String(config.file_extension);
  json.Key("CustomTimeZone").String(config.time_zone.empty() ? "UTC" : config.time_zone).EndObject();
}

void WriteSortBy(const std::vector<SortKey>& keys, protocol::JsonWriter& json) {
  json.Key("SortBy").BeginList();
  for (const SortKey& key : keys) {
    json.BeginObject().Key("Column").String(key.column).Key("Order").String(key.descending ? "desc" : "asc");
    json.EndObject();
  }
  json.EndList();
}

void WriteSluice(const DeliveryConfig& config, protocol::JsonWriter& json) {
  json.Key("Sluice").BeginObject().Key("StartPosition");
  switch (config.start.kind) {
    case StartPosition::Kind::kLatest:
      json.String("latest");
      break;
    case StartPosition::Kind::kOldest:
      json.String("oldest");
      break;
    case StartPosition::Kind::kTime:
      json.String(fmt::format("time:{}", IsoTimeText(config.start.time_ms)));
      break;
  }
  json.Key("DeaggregateKplRecords").Bool(config.deaggregate_kpl);
  if (!config.dead_letter_stream.empty()) json.Key("DeadLetterStream").String(config.dead_letter_stream);
  if (config.size_mb > 4096) json.Key("FileSizeMB").Number(config.size_mb);
  if (config.dynamic_partitioning) json.Key("DeliverySizeMB").Number(config.delivery_size_mb);
  if (config.convert) {
    json.Key("InferSchema").Bool(config.infer_schema);
    if (!config.table_file.empty()) json.Key("TableFile").String(config.table_file);
    if (!config.glue_table.empty()) json.Key("GlueTable").String(config.glue_table);
    if (!config.columns.empty()) {
      json.Key("Columns").BeginList();
      for (const ColumnConfig& column : config.columns) {
        json.BeginObject().Key("Name").String(column.name).Key("Type").String(column.type).EndObject();
      }
      json.EndList();
    }
    const auto& blooms = config.columnar().bloom_filter_columns;
    if (config.format == ConvertedFormat::kParquet && !blooms.empty()) {
      json.Key("BloomFilterColumns").BeginList();
      for (const std::string& column : blooms) json.String(column);
      json.EndList();
    }
    if (const auto& keys = config.columnar().sort_by; !keys.empty()) WriteSortBy(keys, json);
  } else if (config.delimiter_after_last && JoinsRecords(config)) {
    json.Key("Delimiter").String(config.delimiter);
  }
  if (config.redshift) json.Key("LoadsTable").String(config.redshift->loads_table);
  if (config.backup) json.Key("BackupDelimiter").String(config.backup->delimiter);
  json.EndObject();
}

}  // namespace

std::string DeliveryConfigToJson(const DeliveryConfig& config, Secrets secrets) {
  SLUICE_CHECK(!config.name.empty());
  protocol::JsonWriter json;
  json.BeginObject();
  json.Key("DeliveryStreamName").String(config.name);
  json.Key("DeliveryStreamType").String(config.direct_put ? "DirectPut" : "KinesisStreamAsSource");
  if (!config.direct_put) {
    json.Key("KinesisStreamSourceConfiguration")
        .BeginObject()
        .Key("KinesisStreamARN")
        .String(config.source_stream)
        .EndObject();
  }
  if (config.endpoint.exists()) {
    WriteEndpointDestination(config, secrets, json);
  } else if (config.redshift) {
    WriteRedshiftDestination(config, secrets, json);
  } else {
    WriteDestination(config, json);
  }
  json.Key("Tags").BeginList();
  for (const auto& [key, value] : config.tags)
    json.BeginObject().Key("Key").String(key).Key("Value").String(value).EndObject();
  json.EndList();
  WriteSluice(config, json);
  json.EndObject();
  return json.text();
}

std::string_view RawCompressionName(RawCompression compression) {
  switch (compression) {
    case RawCompression::kUncompressed:
      return "UNCOMPRESSED";
    case RawCompression::kGzip:
      return "GZIP";
    case RawCompression::kZip:
      return "ZIP";
    case RawCompression::kSnappy:
      return "Snappy";
    case RawCompression::kHadoopSnappy:
      return "HADOOP_SNAPPY";
  }
  return "UNCOMPRESSED";
}

std::string_view ParquetCompressionName(ParquetCompression compression) {
  switch (compression) {
    case ParquetCompression::kUncompressed:
      return "UNCOMPRESSED";
    case ParquetCompression::kSnappy:
      return "SNAPPY";
    case ParquetCompression::kGzip:
      return "GZIP";
    case ParquetCompression::kZstd:
      return "ZSTD";
  }
  return "UNCOMPRESSED";
}

std::string_view OrcCompressionName(OrcCompression compression) {
  switch (compression) {
    case OrcCompression::kNone:
      return "NONE";
    case OrcCompression::kZlib:
      return "ZLIB";
    case OrcCompression::kSnappy:
      return "SNAPPY";
    case OrcCompression::kZstd:
      return "ZSTD";
  }
  return "NONE";
}

std::string_view ConvertedFormatName(ConvertedFormat format) {
  return format == ConvertedFormat::kOrc ? "ORC" : "Parquet";
}

}  // namespace sluice::delivery
