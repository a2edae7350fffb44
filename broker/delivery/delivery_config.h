// The configuration of one delivery stream: the body of Firehose's CreateDeliveryStream, as JSON or YAML, and what goes
// beyond it under one key, "Sluice". docs/delivery.md lists every field. Of a CloudFormation template and of Terraform's
// state that body is made first (foreign_config.h).
//
// Files are read kindly: where the meaning is obvious (a missing RoleARN, "gzip", a compression beside a conversion, an
// ErrorOutputPrefix without its type), it is taken and a warning says so. Unknown keys, contradictions and what this
// version does not serve are errors that name file, line and key.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/catalog_table.h"
#include "broker/delivery/endpoints/endpoint_config.h"
#include "broker/delivery/orc_object_writer.h"
#include "broker/delivery/parquet_object_writer.h"
#include "broker/delivery/processing/processor_registry.h"
#include "broker/delivery/raw_object_writer.h"
#include "broker/delivery/redshift/redshift_config.h"
#include "broker/delivery/row_converter.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// Where a delivery stream starts to read; Firehose: from the moment of its creation.
struct StartPosition {
  enum class Kind : std::uint8_t { kLatest, kOldest, kTime };
  Kind kind = Kind::kLatest;
  std::int64_t time_ms = 0;  // kTime only
  friend bool operator==(const StartPosition&, const StartPosition&) = default;
};

struct ColumnConfig {
  std::string name;
  std::string type;  // Hive's spelling
  friend bool operator==(const ColumnConfig&, const ColumnConfig&) = default;
};

/// What records are converted to.
enum class ConvertedFormat : std::uint8_t { kParquet, kOrc };

/// Where the source records go besides, as they came: the plain S3 destination that a backup is in Firehose. A backup
/// is a part of every delivery, so it has no interval of its own, and nothing of it can fail by itself.
struct BackupConfig {
  std::string role_arn = {};  // kept as it is, as the next two
  std::string error_prefix = {};
  std::uint64_t interval_s = 300;
  std::string bucket = {};
  std::string prefix = {};
  std::uint64_t size_mb = 5;  // of record bytes of an object, before compression
  RawCompression compression = RawCompression::kUncompressed;
  std::string delimiter = "\n";  // after each record
  friend bool operator==(const BackupConfig&, const BackupConfig&) = default;
};

struct DeliveryConfig {
  std::string name;
  bool direct_put = true;
  std::string source_stream;  // the stream that is read; "delivery:NAME" for direct put
  StartPosition start;
  bool deaggregate_kpl = false;  // each record of a KPL aggregate is delivered by itself
  std::string role_arn;          // kept as it is; nothing here needs it
  std::vector<std::pair<std::string, std::string>> tags;

  std::string bucket;                   // a directory under the lake root, or where the lake's bucket map says
  std::string prefix;                   // as given; expressions in prefix.h
  std::string error_prefix;             // complete: holds error-output-type
  std::string dead_letter_stream = {};  // takes error records in place of objects below error_prefix; empty: none
  std::string file_extension;
  std::string time_zone;  // empty: UTC

  std::uint64_t size_mb = 5;  // of record bytes, before compression
  std::uint64_t interval_s = 300;

  std::vector<ProcessorConfig> processors;  // that are enabled, in the order given
  bool dynamic_partitioning = false;        // an object for each evaluated prefix
  std::uint64_t delivery_size_mb = 1024;    // with it: of all partitions together; size_mb is that of an object

  RawCompression compression = RawCompression::kUncompressed;  // without conversion
  std::string delimiter = "\n";
  bool delimiter_after_last = true;

  EndpointConfig endpoint;                 // takes the records; the bucket holds what it did not take
  std::optional<BackupConfig> backup;      // S3BackupMode
  std::optional<RedshiftConfig> redshift;  // the objects are loaded into it

  bool convert = false;  // JSON to `format`
  ConvertedFormat format = ConvertedFormat::kParquet;
  bool infer_schema = false;
  std::vector<ColumnConfig> columns;
  std::string table_file;                          // to be read, into columns, before the configuration is stored
  std::string glue_table;                          // "DATABASE.TABLE", of which the columns are, or are to be read
  std::optional<CatalogTable> catalog_table = {};  // SchemaConfiguration, where it names one: error records tell it
  ConverterOptions converter;
  ParquetOptions parquet;
  OrcOptions orc;

  /// Of the format that records are converted to.
  ColumnarOptions& columnar() {
    if (format == ConvertedFormat::kOrc) return orc;
    return parquet;
  }
  const ColumnarOptions& columnar() const {
    if (format == ConvertedFormat::kOrc) return orc;
    return parquet;
  }
};

struct ParsedDeliveryConfig {
  DeliveryConfig config;
  std::vector<std::string> warnings;
};

/// Whether Glue tables can be had, from files that stand for them.
enum class GlueTables : bool { kNotAsked, kAsked };

/// kInvalidArgument or kUnimplemented with one line per problem: "FILE:LINE: KEY: what is wrong and what to write".
Result<ParsedDeliveryConfig> ParseDeliveryConfig(std::string_view document, std::string_view document_name,
                                                 GlueTables tables = GlueTables::kNotAsked);

/// The same for the canonical form as it is stored. A key that an older version did not know stands for what that
/// version did, so that a delivery which it decided is finished with the same bytes.
Result<ParsedDeliveryConfig> ParseStoredDeliveryConfig(std::string_view json);

/// Whether secrets are written.
enum class Secrets : bool { kHidden, kTold };

/// The canonical form: one JSON document in Firehose's shape with the defaults filled in; ParseDeliveryConfig reads the
/// same configuration back, unless secrets are hidden.
std::string DeliveryConfigToJson(const DeliveryConfig& config, Secrets secrets = Secrets::kTold);

/// ".parquet", ".orc", ".gz" ...; the FileExtension where one is given.
std::string ObjectExtension(const DeliveryConfig& config);

/// The name of the hidden stream behind a direct-put delivery stream.
std::string DirectPutStreamName(std::string_view delivery_stream);

/// Firehose's words: "UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"; "UNCOMPRESSED", "SNAPPY", "GZIP",
/// "ZSTD"; "NONE", "ZLIB", "SNAPPY", "ZSTD"; "Parquet", "ORC".
std::string_view RawCompressionName(RawCompression compression);
std::string_view ParquetCompressionName(ParquetCompression compression);
std::string_view OrcCompressionName(OrcCompression compression);
std::string_view ConvertedFormatName(ConvertedFormat format);

}  // namespace sluice::delivery
