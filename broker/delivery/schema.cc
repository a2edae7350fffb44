// The JSON forms of a schema. Types are in hive_type.cc, inference is in schema_inference.cc.
#include "broker/delivery/schema.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <set>
#include <utility>

#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

using simdjson::dom::element;

constexpr std::uint64_t kFormat = 1;
std::unexpected<Status> Invalid(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

// Reads one list of columns; the keys differ in case between the forms. `list_name` is for messages.
Status ReadColumns(const element& list, std::string_view list_name, std::vector<Field>& out) {
  simdjson::dom::array columns;
  if (list.get_array().get(columns) != simdjson::SUCCESS) {
    return Status(Code::kInvalidArgument, fmt::format("{} is not a JSON array", list_name));
  }
  std::size_t number = 0;
  for (element column : columns) {
    std::string_view name;
    std::string_view type;
    ++number;
    bool named = column.at_key("Name").get_string().get(name) == simdjson::SUCCESS ||
                 column.at_key("name").get_string().get(name) == simdjson::SUCCESS;
    bool typed = column.at_key("Type").get_string().get(type) == simdjson::SUCCESS ||
                 column.at_key("type").get_string().get(type) == simdjson::SUCCESS;
    if (!named || name.empty()) {
      return Status(Code::kInvalidArgument, fmt::format("column {} of {} has no \"Name\"", number, list_name));
    }
    const std::string context = fmt::format("column '{}' ({} of {})", name, number, list_name);
    if (!typed) return Status(Code::kInvalidArgument, context + ": has no \"Type\"");
    if (name == kOverflowColumn) return Status(Code::kInvalidArgument, context + ": this name is Sluice's own");
    Result<ColumnType> parsed = ParseHiveType(type);
    if (!parsed) return parsed.error().WithContext(context);
    out.push_back({std::string(name), *std::move(parsed)});
  }
  if (out.size() > kColumnsMax) {
    return Status(Code::kInvalidArgument, fmt::format("{} columns are more than {}", out.size(), kColumnsMax));
  }
  return {};
}

Status ParseDocument(simdjson::dom::parser& parser, std::string_view json, element& root) {
  simdjson::error_code error = parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::SUCCESS) return {};
  return Status(Code::kInvalidArgument,
                fmt::format("not JSON: {}", protocol::JsonErrorText(simdjson::error_message(error))));
}

}  // namespace

Result<Schema> SchemaFromColumns(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  Schema schema;
  if (Status status = ParseDocument(parser, json, root); !status.ok())
    return Error(status.WithContext("inline columns"));
  if (Status status = ReadColumns(root, "the columns", schema.columns); !status.ok())
    return Error(status.WithContext("inline columns"));
  if (schema.columns.empty()) return Invalid("inline columns: there is no column");
  return schema;
}

Result<Schema> SchemaFromGlueTable(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (Status status = ParseDocument(parser, json, root); !status.ok()) return Error(std::move(status));
  for (const std::string_view wrapper : {"Table", "TableInput"}) {
    element table;
    if (root.at_key(wrapper).get(table) == simdjson::SUCCESS) root = table;
  }
  element columns;
  if (root.at_key("StorageDescriptor").at_key("Columns").get(columns) != simdjson::SUCCESS) {
    return Invalid("there is no StorageDescriptor.Columns; expected what 'aws glue get-table' prints");
  }
  Schema schema;
  Status status = ReadColumns(columns, "StorageDescriptor.Columns", schema.columns);
  if (!status.ok()) return Error(std::move(status));
  element keys;
  if (root.at_key("PartitionKeys").get(keys) == simdjson::SUCCESS && !keys.is_null()) {
    status = ReadColumns(keys, "PartitionKeys", schema.columns);
    if (!status.ok()) return Error(std::move(status));
  }
  if (schema.columns.empty()) return Invalid("StorageDescriptor.Columns is empty");
  std::set<std::string_view> names;
  for (const Field& column : schema.columns) {
    if (!names.insert(column.name).second) return Invalid(fmt::format("column '{}' stands twice", column.name));
  }
  return schema;
}

std::string SchemaToJson(const Schema& schema) {
  std::string out =
      fmt::format(R"({{"format":{},"version":{},"overflow":{},"columns":[)", kFormat, schema.version, schema.overflow);
  for (const Field& column : schema.columns) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    protocol::AppendJsonString(out, column.name);
    out += ",\"type\":";
    protocol::AppendJsonString(out, ToHiveType(column.type));
    out += '}';
  }
  return out + "]}";
}

Result<Schema> SchemaFromJson(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (Status status = ParseDocument(parser, json, root); !status.ok())
    return Error(status.WithContext("pinned schema"));
  std::uint64_t format = 0;
  std::uint64_t version = 0;
  Schema schema;
  element columns;
  if (root.at_key("format").get_uint64().get(format) != simdjson::SUCCESS ||
      root.at_key("version").get_uint64().get(version) != simdjson::SUCCESS || version > UINT32_MAX ||
      root.at_key("overflow").get_bool().get(schema.overflow) != simdjson::SUCCESS ||
      root.at_key("columns").get(columns) != simdjson::SUCCESS) {
    return Error(Code::kCorruption, "pinned schema: not what Sluice writes");
  }
  if (format > kFormat) {
    return Error(Code::kUnimplemented, fmt::format("pinned schema: format {} is of a newer Sluice", format));
  }
  schema.version = static_cast<std::uint32_t>(version);
  if (Status status = ReadColumns(columns, "its columns", schema.columns); !status.ok())
    return Error(status.WithContext("pinned schema"));
  return schema;
}

}  // namespace sluice::delivery
