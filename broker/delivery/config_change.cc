// Comparing of two configurations by their canonical forms, and widening of a pinned schema by declared columns.
#include "broker/delivery/config_change.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>

#include "broker/delivery/config_document.h"
#include "broker/delivery/endpoints/endpoint_destination.h"
#include "broker/delivery/plain_columns.h"
#include "broker/delivery/redshift/redshift_destination.h"
#include "protocol/ascii.h"
#include "protocol/check.h"
#include "protocol/suggest.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kDestination = "ExtendedS3DestinationConfiguration.";

/// The keys below `path` in which two canonical documents differ; lists are compared as a whole.
void CollectDifferences(const ConfigNode& a, const ConfigNode& b, const std::string& path,
                        std::vector<std::string>& keys) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size()) {
    keys.push_back(path);
    return;
  }
  std::vector<std::string> inside;
  for (std::size_t i = 0; i < a.items.size(); ++i) CollectDifferences(a.items[i], b.items[i], "", inside);
  if (!inside.empty()) keys.push_back(path);
  const ConfigNode absent;
  const auto below = [&](const std::string& key) { return path.empty() ? key : fmt::format("{}.{}", path, key); };
  for (const ConfigField& field : a.fields) {
    const ConfigField* other = b.Find(field.key);
    CollectDifferences(field.value, other == nullptr ? absent : other->value, below(field.key), keys);
  }
  for (const ConfigField& field : b.fields) {
    if (a.Find(field.key) == nullptr) keys.push_back(below(field.key));
  }
}

std::vector<std::string> DifferentKeys(const DeliveryConfig& before, const DeliveryConfig& after) {
  const Result<ConfigNode> a = ParseJsonTree(DeliveryConfigToJson(before), "configuration");
  const Result<ConfigNode> b = ParseJsonTree(DeliveryConfigToJson(after), "configuration");
  SLUICE_CHECK(a.has_value() && b.has_value());  // our own canonical forms
  std::vector<std::string> keys;
  CollectDifferences(*a, *b, "", keys);
  for (std::string& key : keys) {
    if (key.starts_with(kDestination)) key.erase(0, kDestination.size());
    if (key.starts_with(kRedshiftMember)) key.erase(0, kRedshiftMember.size() + 1);
    if (const EndpointKind* const kind = FindEndpointKind(before.endpoint.type); kind != nullptr) {
      const std::string member = DestinationMember(*kind) + ".";
      if (key.starts_with(member)) key.erase(0, member.size());
    }
  }
  return keys;
}

/// What the positions stand on.
void RefuseFixed(const DeliveryConfig& before, const DeliveryConfig& after, std::vector<std::string>& refused) {
  if (before.source_stream != after.source_stream || before.direct_put != after.direct_put) {
    refused.push_back(
        fmt::format("the source is '{}' and cannot become '{}'; make a delivery stream of another name for that",
                    before.source_stream, after.source_stream));
  }
  if (!(before.start == after.start)) {
    refused.push_back(
        "Sluice.StartPosition counts at creation only; to read from elsewhere, make a delivery stream of another name");
  }
}

bool Widens(TypeKind from, TypeKind to) {
  constexpr std::array kIntegers = {TypeKind::kTinyint, TypeKind::kSmallint, TypeKind::kInt, TypeKind::kBigint};
  const auto* const from_place = std::ranges::find(kIntegers, from);
  const auto* const to_place = std::ranges::find(kIntegers, to);
  if (from_place != kIntegers.end() && to_place != kIntegers.end()) return from_place <= to_place;
  return to == TypeKind::kDouble && (from_place != kIntegers.end() || from == TypeKind::kFloat);
}

bool WidensFields(const std::vector<Field>& from, const std::vector<Field>& to);

/// True where every value of `from` is one of `to`, so that readers can take files of both.
bool Widens(const ColumnType& from, const ColumnType& to) {
  if (from == to) return true;
  if (from.kind != to.kind) return Widens(from.kind, to.kind);
  if (from.kind == TypeKind::kDecimal) return from.scale == to.scale && from.precision <= to.precision;
  return !from.children.empty() && WidensFields(from.children, to.children);
}

/// Fields may be added behind those that are there.
bool WidensFields(const std::vector<Field>& from, const std::vector<Field>& to) {
  if (from.size() > to.size()) return false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i].name != to[i].name || !Widens(from[i].type, to[i].type)) return false;
  }
  return true;
}

Field* FindField(std::vector<Field>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : std::to_address(found);
}

/// `schema`, which is pinned, is widened by what `declared` has more.
void WidenByDeclared(const Schema& declared, bool infer, Schema& schema, std::vector<std::string>& refused) {
  for (const Field& column : declared.columns) {
    Field* known = FindField(schema.columns, column.name);
    if (known == nullptr) {
      schema.columns.push_back(column);
    } else if (Widens(known->type, column.type)) {
      known->type = column.type;
    } else if (!infer || !Widens(column.type, known->type)) {  // else: inference has widened it before
      refused.push_back(
          fmt::format("column '{}' is of type {} in the files so far and cannot become {}; give the new "
                      "column another name",
                      column.name, ToHiveType(known->type), ToHiveType(column.type)));
    }
  }
}

void CompareSchemas(const DeliveryConfig& before, const DeliveryConfig& after, const std::optional<Schema>& pinned,
                    ConfigChange& change) {
  std::optional<Schema> declared = DeclaredSchema(after);
  if (before.convert && before.columns == after.columns && before.infer_schema == after.infer_schema) return;
  if (!pinned) {
    change.schema = std::move(declared);
    return;
  }
  Schema schema = *pinned;
  if (declared) WidenByDeclared(*declared, after.infer_schema, schema, change.refused);
  if (before.infer_schema && !after.infer_schema) {
    change.refused.push_back("Sluice.InferSchema cannot be turned off: the files so far have the column _overflow");
  }
  schema.overflow = schema.overflow || after.infer_schema;
  for (const Field& column : pinned->columns) {
    const bool stays = after.infer_schema || (declared && FindField(declared->columns, column.name) != nullptr);
    if (stays) continue;
    change.refused.push_back(fmt::format("column '{}' cannot be removed: the files so far have it", column.name));
  }
  if (schema == *pinned) return;
  ++schema.version;
  change.schema = std::move(schema);
}

/// Of columns that an inferred schema does not have; declared ones were looked at when the configuration was read.
void WarnOfColumns(const DeliveryConfig& after, const std::optional<Schema>& pinned, ConfigChange& change) {
  const std::optional<Schema>& schema = change.schema ? change.schema : pinned;
  if (!schema) return;
  for (const SortKey& key : after.columnar().sort_by) {
    const std::string problem =
        PlainColumnProblem(schema->columns, key.column, after.converter.case_insensitive, kSortUse);
    if (!problem.empty())
      change.warnings.push_back(fmt::format("Sluice.SortBy: {}; passed over until records have it", problem));
  }
  if (!after.columns.empty()) return;
  for (std::string& warning : BloomFilterWarnings(after, *schema)) change.warnings.push_back(std::move(warning));
  for (std::string& warning : MappingWarnings(after, *schema)) change.warnings.push_back(std::move(warning));
}

/// Of columns, and of the fields of structs at any depth.
void AppendNames(const std::vector<Field>& fields, bool named, std::vector<std::string>& names) {
  for (const Field& field : fields) {
    if (named) names.push_back(field.name);
    AppendNames(field.type.children, field.type.kind == TypeKind::kStruct, names);
  }
}

}  // namespace

std::optional<Schema> DeclaredSchema(const DeliveryConfig& config) {
  if (!config.convert || config.columns.empty()) return std::nullopt;
  Schema schema{.version = 1, .columns = {}, .overflow = config.infer_schema};
  for (const ColumnConfig& column : config.columns) {
    Result<ColumnType> type = ParseHiveType(column.type);
    SLUICE_CHECK(type.has_value());  // the configuration was checked
    schema.columns.push_back({column.name, std::move(*type)});
  }
  return schema;
}

std::vector<std::string> BloomFilterWarnings(const DeliveryConfig& config, const Schema& schema) {
  std::vector<std::string> warnings;
  for (const std::string& column : config.columnar().bloom_filter_columns) {
    const std::string problem = BloomFilterProblem(schema.columns, column, config.converter.case_insensitive);
    if (!problem.empty()) warnings.push_back(fmt::format("BloomFilterColumns: {}; it gets no filter", problem));
  }
  return warnings;
}

std::vector<std::string> MappingWarnings(const DeliveryConfig& config, const Schema& schema) {
  std::vector<std::string> names;
  AppendNames(schema.columns, true, names);
  std::vector<std::string> warnings;
  for (const auto& [column, key] : config.converter.column_to_key) {
    const bool known = std::ranges::any_of(names, [&](const std::string& name) {
      return name == column || (config.converter.case_insensitive && protocol::Lower(name) == protocol::Lower(column));
    });
    if (known) continue;
    warnings.push_back(fmt::format("ColumnToJsonKeyMappings: there is no column '{}'{}; passed over", column,
                                   protocol::DidYouMean(column, names)));
  }
  return warnings;
}

Status CheckConversion(const DeliveryConfig& config, const std::optional<Schema>& schema) {
  if (!config.convert || !schema) return Status();
  const Result<std::unique_ptr<RowConverter>> converter = RowConverter::New(*schema, config.converter);
  return converter ? Status() : converter.error();
}

ConfigChange CompareConfigs(const DeliveryConfig& before, const DeliveryConfig& after,
                            const std::optional<Schema>& pinned) {
  SLUICE_CHECK(before.name == after.name);
  ConfigChange change;
  change.keys = DifferentKeys(before, after);
  RefuseFixed(before, after, change.refused);
  if (after.convert) {
    CompareSchemas(before, after, pinned, change);
    const Status converts = CheckConversion(after, change.schema ? change.schema : pinned);
    if (!converts.ok()) change.refused.push_back(converts.message());
    WarnOfColumns(after, pinned, change);
  }
  return change;
}

Status RefusedChange(const std::string& delivery_stream, const ConfigChange& change) {
  SLUICE_CHECK(!change.refused.empty());
  return Status(Code::kFailedPrecondition,
                fmt::format("delivery stream '{}' exists and goes on as it is; this change cannot be made to it:\n{}",
                            delivery_stream, fmt::join(change.refused, "\n")));
}

}  // namespace sluice::delivery
