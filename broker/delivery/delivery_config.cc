// Reading of a delivery stream's configuration: source, destination, "Sluice".
#include "broker/delivery/delivery_config.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <set>

#include "broker/delivery/config_reader.h"
#include "broker/delivery/destination_config.h"
#include "broker/delivery/endpoints/endpoint_destination.h"
#include "broker/delivery/foreign_config.h"
#include "broker/delivery/iso_time.h"
#include "broker/delivery/plain_columns.h"
#include "broker/delivery/redshift/redshift_destination.h"
#include "broker/delivery/schema.h"
#include "broker/delivery/table_files.h"
#include "broker/stream_catalog.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kDeliverySizeMbMax = 1 << 20;
constexpr std::int64_t kFileSizeMbMax = 16'384;
constexpr std::array<std::string_view, 4> kOtherDestinations = {
    "AmazonOpenSearchServerlessDestinationConfiguration", "SnowflakeDestinationConfiguration",
    "IcebergDestinationConfiguration", "DatabaseSourceConfiguration"};

void ReadName(MapReader& root, DeliveryConfig& config) {
  const std::optional<std::string> name = root.String("DeliveryStreamName");
  if (!name) {
    root.report().Problem(root.line(), "DeliveryStreamName", "is missing");
    return;
  }
  config.name = *name;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (name->empty() || name->size() > 64 || name->find_first_not_of(kAllowed) != name->npos || *name == "." ||
      *name == "..") {
    root.report().Problem(root.LineOf("DeliveryStreamName"), "DeliveryStreamName",
                          fmt::format("'{}' is no name; 1 to 64 letters, digits, '_', '.', '-'", *name));
  }
}

/// "arn:aws:kinesis:eu-west-1:123456789012:stream/orders" or a stream's name.
std::string StreamOfArn(std::string_view arn) {
  const std::size_t marker = arn.find(":stream/");
  return std::string(arn.starts_with("arn:") && marker != arn.npos ? arn.substr(marker + 8) : arn);
}

void ReadSource(MapReader& root, DeliveryConfig& config) {
  const std::string type = root.String("DeliveryStreamType").value_or("");
  const std::string word = PlainWord(type);
  std::optional<MapReader> stream = root.Map("KinesisStreamSourceConfiguration");
  const int line = root.LineOf("DeliveryStreamType");
  if (word == "mskassource" || word == "databaseassource") {
    root.report().NotServed(line, "DeliveryStreamType", fmt::format("{} is not yet served", type));
  } else if (!word.empty() && word != "directput" && word != "kinesisstreamassource") {
    root.report().Problem(line, "DeliveryStreamType",
                          fmt::format("'{}' is neither DirectPut nor KinesisStreamAsSource", type));
  } else if (word == "directput" && stream) {
    root.report().Problem(line, "DeliveryStreamType",
                          "DirectPut contradicts KinesisStreamSourceConfiguration; give one of them");
  } else if (word == "kinesisstreamassource" && !stream) {
    root.report().Problem(line, "DeliveryStreamType", "KinesisStreamAsSource needs a KinesisStreamSourceConfiguration");
  } else if (word.empty() && stream) {
    root.report().Warn(stream->line(), "DeliveryStreamType", "is missing; taken as KinesisStreamAsSource");
  }
  config.direct_put = !stream;
  config.source_stream = DirectPutStreamName(config.name);
  if (!stream) return;
  const std::optional<std::string> arn = stream->String("KinesisStreamARN");
  stream->Ignore({"RoleARN"});
  stream->Finish();
  config.source_stream = arn ? StreamOfArn(*arn) : "";
  if (config.source_stream.empty())
    stream->report().Problem(stream->line(), stream->PathOf("KinesisStreamARN"), "is missing");
}

void ReadTags(MapReader& root, DeliveryConfig& config) {
  const ConfigNode* tags = root.List("Tags");
  if (tags == nullptr) return;
  for (const ConfigNode& item : tags->items) {
    MapReader tag(root.report(), item, "Tags");
    config.tags.emplace_back(tag.String("Key").value_or(""), tag.String("Value").value_or(""));
    tag.Finish();
  }
}

void ReadStartPosition(MapReader& sluice, DeliveryConfig& config) {
  const std::optional<std::string> text = sluice.String("StartPosition");
  if (!text) return;
  const std::string word = PlainWord(*text);
  if (word == "latest") return;
  if (word == "oldest" || word == "trimhorizon" || word == "earliest") {
    config.start.kind = StartPosition::Kind::kOldest;
    return;
  }
  const std::string_view time = std::string_view(*text).starts_with("time:") ? std::string_view(*text).substr(5) : "";
  const std::optional<std::int64_t> time_ms = ParseIsoTimeMs(time);
  if (!time_ms) {
    sluice.report().Problem(sluice.LineOf("StartPosition"), sluice.PathOf("StartPosition"),
                            fmt::format("'{}' is none of oldest, latest, time:2026-11-21T10:00:00Z", *text));
    return;
  }
  config.start = {StartPosition::Kind::kTime, *time_ms};
}

void ReadColumns(MapReader& sluice, DeliveryConfig& config) {
  const ConfigNode* columns = sluice.List("Columns");
  if (columns == nullptr) return;
  std::set<std::string> names;
  for (const ConfigNode& item : columns->items) {
    MapReader column(sluice.report(), item, sluice.PathOf("Columns"));
    const std::string name = column.String("Name").value_or("");
    const std::string type = column.String("Type").value_or("");
    column.Ignore({"Comment"});
    column.Finish();
    if (name.empty()) column.report().Problem(item.line, column.PathOf("Name"), "is missing");
    if (!names.insert(name).second)
      column.report().Problem(item.line, column.PathOf("Name"), fmt::format("'{}' stands twice", name));
    const Result<ColumnType> parsed = ParseHiveType(type);
    if (!parsed) column.report().Problem(column.LineOf("Type"), column.PathOf("Type"), parsed.error().message());
    config.columns.push_back({name, parsed ? ToHiveType(*parsed) : type});
  }
  if (columns->items.empty())
    sluice.report().Problem(columns->line, sluice.PathOf("Columns"), "is empty; leave it out to infer the schema");
}

/// "asc", "desc" and longer spellings; true for descending.
std::optional<bool> ParseOrder(std::string_view text) {
  const std::string word = PlainWord(text);
  if (word == "asc" || word == "ascending") return false;
  if (word == "desc" || word == "descending") return true;
  return std::nullopt;
}

/// "ts", "ts desc".
SortKey ParseSortKey(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const std::size_t space = text.rfind(' ');
  const std::optional<bool> order = space == text.npos ? std::nullopt : ParseOrder(text.substr(space + 1));
  if (!order) return {std::string(text), false};
  text = text.substr(0, text.find_last_not_of(' ', space) + 1);
  return {std::string(text), *order};
}

SortKey ReadSortKey(MapReader& sluice, const ConfigNode& item) {
  if (item.kind == ConfigNode::Kind::kString) return ParseSortKey(item.text);
  MapReader map(sluice.report(), item, sluice.PathOf("SortBy"));
  SortKey key{map.String("Column").value_or(""), false};
  if (const std::optional<std::string> text = map.String("Order")) {
    const std::optional<bool> order = ParseOrder(*text);
    if (!order)
      map.report().Problem(map.LineOf("Order"), map.PathOf("Order"),
                           fmt::format("'{}' is neither asc nor desc", *text));
    key.descending = order.value_or(false);
  }
  map.Finish();
  return key;
}

/// A list of keys; one key by itself is taken as a list of one. A column that is not declared may come with the records
/// where the schema is inferred.
void ReadSortBy(MapReader& sluice, DeliveryConfig& config) {
  const ConfigField* field = sluice.Take("SortBy");
  if (field == nullptr) return;
  ConfigNode one;
  one.items = {field->value};
  const bool list = field->value.kind == ConfigNode::Kind::kList;
  std::vector<Field> columns;
  for (const ColumnConfig& column : config.columns)
    columns.push_back({column.name, ParseHiveType(column.type).value_or(ColumnType{})});
  for (const ConfigNode& item : (list ? field->value : one).items) {
    const SortKey key = ReadSortKey(sluice, item);
    std::string problem = key.column.empty() ? "names no column" : "";
    for (const SortKey& other : config.columnar().sort_by) {
      if (other.column == key.column) problem = fmt::format("'{}' stands twice", key.column);
    }
    const std::string unknown =
        !problem.empty() || columns.empty()
            ? ""
            : PlainColumnProblem(columns, key.column, config.converter.case_insensitive, kSortUse);
    if (!unknown.empty() && config.infer_schema) {
      sluice.report().Warn(item.line, sluice.PathOf("SortBy"), unknown + "; passed over until records have it");
    } else if (!problem.empty() || !unknown.empty()) {
      sluice.report().Problem(item.line, sluice.PathOf("SortBy"), problem + unknown);
    }
    config.columnar().sort_by.push_back(key);
  }
  if (config.convert) return;
  sluice.report().Problem(
      field->line, sluice.PathOf("SortBy"),
      "rows of Parquet and ORC files are sorted, and DataFormatConversionConfiguration is not enabled");
}

/// The columns beside it are what was read of the table when the configuration was stored.
void ReadGlueTable(MapReader& sluice, const SluiceExtras& extras, DeliveryConfig& config) {
  config.glue_table = sluice.String("GlueTable").value_or("");
  if (config.glue_table.empty()) return;
  const auto problem = [&](std::string_view what) {
    sluice.report().Problem(sluice.LineOf("GlueTable"), sluice.PathOf("GlueTable"), what);
  };
  if (!IsGlueTable(config.glue_table)) {
    problem(fmt::format("'{}' names no table; write DATABASE.TABLE", config.glue_table));
  } else if (!config.table_file.empty()) {
    problem("stands beside TableFile; give one of them");
  } else if (config.columns.empty() && extras.tables == GlueTables::kNotAsked) {
    problem("cannot be read: the setting delivery.tables_dir names no folder of tables");
  }
  if (extras.tables == GlueTables::kAsked) config.columns.clear();  // they are read anew
}

void ReadDeadLetterStream(MapReader& sluice, DeliveryConfig& config) {
  const std::optional<std::string> arn = sluice.String("DeadLetterStream");
  if (!arn) return;
  config.dead_letter_stream = StreamOfArn(*arn);
  const auto problem = [&](std::string_view what) {
    sluice.report().Problem(sluice.LineOf("DeadLetterStream"), sluice.PathOf("DeadLetterStream"), what);
  };
  if (const Status name = broker::ValidateStreamName(config.dead_letter_stream); !name.ok()) {
    problem(fmt::format("'{}' is no stream's name: {}", *arn, name.message()));
  } else if (config.dead_letter_stream == config.source_stream) {
    problem(
        fmt::format("'{}' is the stream that is read: what fails would be delivered again without end; give another "
                    "stream",
                    config.dead_letter_stream));
  }
}

void ReadSluice(MapReader& sluice, SluiceExtras& extras, DeliveryConfig& config) {
  ReadStartPosition(sluice, config);
  ReadColumns(sluice, config);
  config.table_file = sluice.String("TableFile").value_or("");
  if (!config.columns.empty() && !config.table_file.empty()) {
    sluice.report().Problem(sluice.LineOf("TableFile"), sluice.PathOf("TableFile"),
                            "stands beside Columns; give one of them");
  }
  ReadGlueTable(sluice, extras, config);
  extras.has_schema = config.glue_table.empty() && (!config.columns.empty() || !config.table_file.empty());
  const std::optional<bool> infer = sluice.Bool("InferSchema");
  extras.infer_schema = infer.value_or(false);
  extras.infer_schema_off = infer.has_value() && !*infer;
  config.deaggregate_kpl = sluice.Bool("DeaggregateKplRecords").value_or(config.deaggregate_kpl);
  ReadDeadLetterStream(sluice, config);
  if (const std::optional<std::string> delimiter = sluice.String("Delimiter")) {
    config.delimiter = *delimiter;
    extras.has_delimiter = true;
  }
}

/// For Parquet, whose serializer has no such setting in Firehose; ORC's has.
void ReadBloomFilters(MapReader& sluice, DeliveryConfig& config) {
  std::vector<std::string> columns = sluice.Strings("BloomFilterColumns");
  if (columns.empty()) return;
  const auto problem = [&](std::string_view what) {
    sluice.report().Problem(sluice.LineOf("BloomFilterColumns"), sluice.PathOf("BloomFilterColumns"), what);
  };
  if (!config.convert) return problem("is for Parquet files, and DataFormatConversionConfiguration is not enabled");
  if (!config.columnar().bloom_filter_columns.empty()) {
    return problem("stands beside OrcSerDe.BloomFilterColumns; give one of them");
  }
  config.columnar().bloom_filter_columns = std::move(columns);
}

void ReadBackupDelimiter(MapReader& sluice, DeliveryConfig& config) {
  const std::optional<std::string> delimiter = sluice.String("BackupDelimiter");
  if (delimiter && config.backup) {
    config.backup->delimiter = *delimiter;
  } else if (delimiter) {
    sluice.report().Warn(sluice.LineOf("BackupDelimiter"), sluice.PathOf("BackupDelimiter"),
                         "is passed over: S3BackupMode is not Enabled");
  }
}

/// What can only be said once the destination is known.
void FinishSluice(MapReader& sluice, const SluiceExtras& extras, DeliveryConfig& config) {
  if (const auto size_mb = sluice.Int("FileSizeMB", 1, kFileSizeMbMax)) {
    if (config.endpoint.exists()) {
      sluice.report().Problem(sluice.LineOf("FileSizeMB"), sluice.PathOf("FileSizeMB"),
                              "is for files, and records go to an endpoint; give BufferingHints.SizeInMBs");
    }
    config.size_mb = static_cast<std::uint64_t>(*size_mb);
  }
  if (const auto size_mb = sluice.Int("DeliverySizeMB", 1, kDeliverySizeMbMax)) {
    config.delivery_size_mb = static_cast<std::uint64_t>(*size_mb);
    if (!config.dynamic_partitioning) {
      sluice.report().Warn(sluice.LineOf("DeliverySizeMB"), sluice.PathOf("DeliverySizeMB"),
                           "is passed over: there is no dynamic partitioning, and a delivery is one object");
    }
  }
  ReadBackupDelimiter(sluice, config);
  ReadLoadsTable(sluice, config);
  ReadSortBy(sluice, config);
  ReadBloomFilters(sluice, config);
  if (!config.convert && (extras.has_schema || extras.infer_schema || !config.glue_table.empty())) {
    sluice.report().Warn(sluice.line(), sluice.path(),
                         "a schema is passed over: DataFormatConversionConfiguration is not enabled");
  }
  if ((config.convert || !JoinsRecords(config)) && extras.has_delimiter) {
    sluice.report().Warn(sluice.LineOf("Delimiter"), sluice.PathOf("Delimiter"),
                         config.convert ? "is passed over: Parquet and ORC files need none"
                                        : "is passed over: an endpoint is given each record by itself");
  }
  sluice.Finish();
}

void DecideSchema(MapReader& root, const SluiceExtras& extras, DeliveryConfig& config) {
  if (!config.convert) {
    config.columns.clear();
    config.table_file.clear();
    config.glue_table.clear();
    return;
  }
  const bool has_schema = extras.has_schema || !config.glue_table.empty();
  config.infer_schema = extras.infer_schema || !has_schema;
  if (!has_schema && extras.infer_schema_off) {
    root.report().Problem(root.LineOf("Sluice"), "Sluice.InferSchema",
                          "is false, but there is no schema; give Sluice.Columns or Sluice.TableFile");
  }
}

void ReadOneDestination(MapReader& map, std::string_view member, const SluiceExtras& extras, DeliveryConfig& config) {
  for (const EndpointKind& kind : EndpointKinds()) {
    if (member == DestinationMember(kind)) return ReadEndpointDestination(map, kind, extras, config);
  }
  if (member == kRedshiftMember) return ReadRedshiftDestination(map, extras, config);
  ReadS3Destination(map, member.starts_with("Extended"), extras, config);
}

void ReadDestination(MapReader& root, const SluiceExtras& extras, DeliveryConfig& config) {
  bool other = false;
  for (const std::string_view key : kOtherDestinations) {
    if (root.Take(key) == nullptr) continue;
    root.report().NotServed(root.LineOf(key), key, "is not yet served; ExtendedS3DestinationConfiguration is");
    other = true;
  }
  if (root.Take("MSKSourceConfiguration") != nullptr) {
    root.report().NotServed(root.LineOf("MSKSourceConfiguration"), "MSKSourceConfiguration", "is not yet served");
  }
  std::vector<std::string> members = {"ExtendedS3DestinationConfiguration", "S3DestinationConfiguration"};
  for (const EndpointKind& kind : EndpointKinds()) members.push_back(DestinationMember(kind));
  members.emplace_back(kRedshiftMember);
  std::string first;
  for (const std::string& member : members) {
    std::optional<MapReader> destination = root.Map(member);
    if (!destination) continue;
    if (!first.empty()) {
      root.report().Problem(destination->line(), member,
                            fmt::format("exactly one destination is possible; {} stands here too", first));
      return;
    }
    first = member;
    ReadOneDestination(*destination, member, extras, config);
  }
  if (first.empty() && !other) {
    root.report().Problem(root.line(), "ExtendedS3DestinationConfiguration", "is missing: where shall the records go?");
  }
}

/// Whose the document is: a user's, or ours, perhaps of an older version.
enum class Origin : std::uint8_t { kUser, kStore };

Result<ParsedDeliveryConfig> Parse(std::string_view document, std::string_view document_name, Origin origin,
                                   GlueTables tables) {
  Result<ConfigNode> tree = ParseConfigDocument(document, document_name);
  if (!tree) return Error(tree.error());
  ConfigReport report(document_name);
  if (origin == Origin::kUser) TakeForeignDocument(*tree, document_name, report);
  if (!report.ok()) return Error(report.status());
  ParsedDeliveryConfig parsed;
  DeliveryConfig& config = parsed.config;
  MapReader root(report, *tree, "");
  ReadName(root, config);
  ReadSource(root, config);
  config.deaggregate_kpl = origin == Origin::kUser && !config.direct_put;
  ReadTags(root, config);
  root.Ignore({"DirectPutSourceConfiguration"});
  if (root.Take("DeliveryStreamEncryptionConfigurationInput") != nullptr) {
    report.Warn(
        root.LineOf("DeliveryStreamEncryptionConfigurationInput"), "DeliveryStreamEncryptionConfigurationInput",
        "is passed over in a file; StartDeliveryStreamEncryption of the Firehose API encrypts what waits for delivery");
  }
  std::optional<MapReader> sluice = root.Map("Sluice");
  SluiceExtras extras{.tables = tables};
  if (sluice) ReadSluice(*sluice, extras, config);
  ReadDestination(root, extras, config);
  DecideSchema(root, extras, config);
  if (sluice) FinishSluice(*sluice, extras, config);
  root.Finish();
  if (!report.ok()) return Error(report.status());
  parsed.warnings = report.TakeWarnings();
  return parsed;
}

}  // namespace

Result<ParsedDeliveryConfig> ParseDeliveryConfig(std::string_view document, std::string_view document_name,
                                                 GlueTables tables) {
  return Parse(document, document_name, Origin::kUser, tables);
}

Result<ParsedDeliveryConfig> ParseStoredDeliveryConfig(std::string_view json) {
  return Parse(json, "stored configuration", Origin::kStore, GlueTables::kNotAsked);
}

std::string ObjectExtension(const DeliveryConfig& config) {
  if (!config.file_extension.empty()) return config.file_extension;
  if (!config.convert) return std::string(RawCompressionExtension(config.compression));
  return config.format == ConvertedFormat::kOrc ? ".orc" : ".parquet";
}

std::string DirectPutStreamName(std::string_view delivery_stream) {
  return fmt::format("delivery:{}", delivery_stream);
}

}  // namespace sluice::delivery
