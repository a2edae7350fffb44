// Looking for the file, and what its columns have to have.
#include "broker/delivery/table_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "broker/delivery/plain_columns.h"
#include "broker/delivery/schema.h"
#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

struct TableFile {
  std::string path;
  std::string json;
};

Result<TableFile> ReadTableFile(const DeliveryConfig& config, std::string_view document_name, const FileReader& read) {
  std::string path = config.table_file;
  const std::size_t slash = document_name.rfind('/');
  if (path.front() != '/' && slash != document_name.npos)
    path = fmt::format("{}/{}", document_name.substr(0, slash), path);
  Result<std::string> json = read(path);
  if (!json) return Error(Code::kInvalidArgument, json.error().message());
  return TableFile{std::move(path), std::move(*json)};
}

Result<TableFile> ReadGlueTable(std::string_view table, const std::string& tables_dir, const FileReader& read) {
  const std::string_view database = table.substr(0, table.find('.'));
  const std::string_view name = table.substr(database.size() + 1);
  std::vector<std::string> paths;
  for (const char between : {'.', '/'}) {
    const std::string file = fmt::format("{}{}{}.json", database, between, name);
    paths.push_back(fmt::format("{}/{}", tables_dir, file));
    const std::string lower = protocol::Lower(file);
    if (lower != file) paths.push_back(fmt::format("{}/{}", tables_dir, lower));
  }
  for (const std::string& path : paths) {
    Result<std::string> json = read(path);
    if (json) return TableFile{path, std::move(*json)};
    if (json.error().code() != Code::kNotFound) return Error(json.error().WithContext(path));
  }
  return Error(Code::kInvalidArgument, fmt::format("there is no table '{}' in database '{}': no file {}", name,
                                                   database, fmt::join(paths, ", no file ")));
}

/// What the columns must have, so that rows can be sorted.
Status CheckSorting(const DeliveryConfig& config, const Schema& schema) {
  for (const SortKey& key : config.columnar().sort_by) {
    const std::string problem =
        PlainColumnProblem(schema.columns, key.column, config.converter.case_insensitive, kSortUse);
    if (problem.empty() || config.infer_schema) continue;
    return Status(Code::kInvalidArgument, fmt::format("Sluice.SortBy: {}", problem));
  }
  return Status();
}

}  // namespace

bool IsGlueTable(std::string_view table) {
  const std::size_t point = table.find('.');
  return point != 0 && point != table.npos && point + 1 < table.size() && table[point + 1] != '.' &&
         table.find('/') == table.npos && table.find('\0') == table.npos;
}

Status ReadTable(DeliveryConfig& config, std::string_view document_name, const std::string& tables_dir,
                 const FileReader& read) {
  const bool glue = !config.glue_table.empty() && !tables_dir.empty();
  if (!glue && config.table_file.empty()) return Status();
  const auto context = [&](const Status& status) {
    return document_name.empty() ? status : status.WithContext(document_name);
  };
  const Result<TableFile> file =
      glue ? ReadGlueTable(config.glue_table, tables_dir, read) : ReadTableFile(config, document_name, read);
  const std::string key = glue ? "SchemaConfiguration" : fmt::format("Sluice.TableFile '{}'", config.table_file);
  if (!file) return context(file.error().WithContext(key));
  const Result<Schema> schema = SchemaFromGlueTable(file->json);
  if (!schema) return context(schema.error().WithContext(file->path).WithContext(key));
  config.columns.clear();
  for (const Field& field : schema->columns) config.columns.push_back({field.name, ToHiveType(field.type)});
  config.table_file.clear();
  const Status sorting = CheckSorting(config, *schema);
  return sorting.ok() ? sorting : context(sorting);
}

}  // namespace sluice::delivery
