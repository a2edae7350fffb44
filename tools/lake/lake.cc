// The commands over one object or over all below a directory.
#include "tools/lake/lake.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "tools/lake/object_reader.h"
#include "tools/sluice/units.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCellCharsMax = 40;
constexpr std::size_t kTableRowsMeasured = 1000;  // widths are taken from the first rows

// All objects below `path`, sorted.
Result<std::vector<std::string>> FindObjects(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return std::vector<std::string>{path};
  fs::recursive_directory_iterator walk(path, error);
  if (error) return Error(Code::kNotFound, fmt::format("{}: {}", path, error.message()));
  std::vector<std::string> found;
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (error) return Error(Code::kIoError, fmt::format("{}: {}", path, error.message()));
    bool hidden = walk->path().filename().native().starts_with('.');
    if (hidden && walk->is_directory()) walk.disable_recursion_pending();
    if (!hidden && walk->is_regular_file()) found.push_back(walk->path().string());
  }
  std::ranges::sort(found);
  return found;
}

LakeObject Describe(const std::string& path) {
  LakeObject object;
  object.path = path;
  std::error_code error;
  object.bytes = fs::file_size(path, error);
  Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(path);
  if (!reader) {
    object.problem = reader.error().ToString();
    return object;
  }
  object.format = (*reader)->format();
  object.rows = (*reader)->rows();
  std::string metadata = (*reader)->metadata();
  if (metadata.empty()) return object;
  Result<delivery::ObjectFacts> facts = delivery::MetadataFromJson(metadata);
  if (facts) {
    object.facts = *std::move(facts);
  } else {
    object.problem = facts.error().ToString();
  }
  return object;
}

// "orders 0:[0,99] 3:[7,7]".
std::string RangesText(const LakeObject& object) {
  if (!object.problem.empty()) return object.problem;
  if (!object.facts) return "-";
  std::string text = object.facts->metadata.stream;
  for (const delivery::SourceRange& range : object.facts->metadata.ranges) {
    text += fmt::format(" {}:[{},{}]", range.shard.value, range.first.value, range.last.value);
  }
  return text;
}

std::string Shortened(const std::string& cell) {
  return cell.size() <= kCellCharsMax ? cell : cell.substr(0, kCellCharsMax - 3) + "...";
}

void PrintCells(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths, std::ostream& out) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += fmt::format("{:<{}}", Shortened(cells[i]), widths[i] + 2);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

// Rows are held back until their widths are known, then streamed.
Status PrintTable(ObjectReader& reader, std::uint64_t rows_max, std::uint64_t& printed, std::ostream& out) {
  std::vector<std::string> names;
  for (const auto& [name, type] : reader.columns()) names.push_back(name);
  std::vector<std::vector<std::string>> rows = {names};
  std::vector<std::size_t> widths(names.size(), 0);
  bool measured = false;
  auto flush = [&] {
    for (const std::vector<std::string>& row : rows) {
      for (std::size_t i = 0; !measured && i < row.size(); ++i) {
        widths[i] = std::max(widths[i], Shortened(row[i]).size());
      }
    }
    measured = true;
    for (const std::vector<std::string>& row : rows) PrintCells(row, widths, out);
    rows.clear();
  };
  Status status = reader.ForEachCells([&](const std::vector<std::string>& cells) {
    if (rows_max > 0 && printed == rows_max) return false;
    rows.push_back(cells);
    ++printed;
    if (measured || rows.size() > kTableRowsMeasured) flush();
    return true;
  });
  if (status.ok()) flush();
  return status;
}

Status PrintRows(ObjectReader& reader, std::uint64_t rows_max, std::uint64_t& printed, std::ostream& out) {
  return reader.ForEachRow([&](std::string_view json) {
    if (rows_max > 0 && printed == rows_max) return false;
    out << json << '\n';
    ++printed;
    return true;
  });
}

}  // namespace

Result<std::vector<LakeObject>> ListLake(const std::string& path) {
  Result<std::vector<std::string>> paths = FindObjects(path);
  if (!paths) return Error(paths.error());
  std::vector<LakeObject> objects;
  for (const std::string& object : *paths) objects.push_back(Describe(object));
  return objects;
}

Result<delivery::ObjectFacts> ReadObjectRanges(const std::string& object) {
  Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(object);
  if (!reader) return Error(reader.error());
  std::string metadata = (*reader)->metadata();
  if (metadata.empty()) {
    return Error(Code::kNotFound, fmt::format("{}: the object does not say where its records come from", object));
  }
  Result<delivery::ObjectFacts> facts = delivery::MetadataFromJson(metadata);
  if (!facts) return Error(facts.error().WithContext(object));
  return facts;
}

Status PrintLakeList(const std::string& path, std::ostream& out) {
  Result<std::vector<LakeObject>> objects = ListLake(path);
  if (!objects) return objects.error();
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  if (objects->empty()) {
    fmt::print(out, "No objects below {}.\n", path);
    return {};
  }
  fmt::print(out, "{:>14} {:>12}  {:<14}  {:<32}  {}\n", "ROWS", "SIZE", "FORMAT", "SOURCE SHARD:[FIRST,LAST]",
             "OBJECT");
  for (const LakeObject& object : *objects) {
    fmt::print(out, "{:>14} {:>12}  {:<14}  {:<32}  {}\n", FormatCount(object.rows), FormatSize(object.bytes),
               object.format.empty() ? "?" : object.format, RangesText(object), object.path);
    rows += object.rows;
    bytes += object.bytes;
  }
  fmt::print(out, "{}, {} in {}\n", FormatCounted(rows, "row"), FormatSize(bytes),
             FormatCounted(objects->size(), "object"));
  return {};
}

Status PrintLakeRows(const std::string& path, const CatOptions& options, std::ostream& out) {
  Result<std::vector<std::string>> paths = FindObjects(path);
  if (!paths) return paths.error();
  std::uint64_t printed = 0;
  for (const std::string& object : *paths) {
    if (options.rows_max > 0 && printed == options.rows_max) break;
    Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(object);
    if (!reader) return reader.error();
    Status status = options.table ? PrintTable(**reader, options.rows_max, printed, out)
                                  : PrintRows(**reader, options.rows_max, printed, out);
    if (!status.ok()) return status.WithContext(object);
  }
  return {};
}

Result<LakeSchemas> ListLakeSchemas(const std::string& path) {
  Result<std::vector<std::string>> paths = FindObjects(path);
  if (!paths) return Error(paths.error());
  LakeSchemas objects_by_schema;
  for (const std::string& object : *paths) {
    Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(object);
    if (!reader) return Error(reader.error());
    ++objects_by_schema[(*reader)->columns()];
  }
  return objects_by_schema;
}

Status PrintLakeSchema(const std::string& path, std::ostream& out) {
  const Result<LakeSchemas> schemas = ListLakeSchemas(path);
  if (!schemas) return schemas.error();
  for (const auto& [columns, objects] : *schemas) {
    fmt::print(out, "{} {}{}\n", objects, objects == 1 ? "object" : "objects",
               columns.empty() ? " of records without a schema" : ":");
    for (const auto& [name, type] : columns) fmt::print(out, "  {:<32}  {}\n", name, type);
  }
  return {};
}

Status PrintLakeCount(const std::string& path, std::ostream& out) {
  Result<std::vector<LakeObject>> objects = ListLake(path);
  if (!objects) return objects.error();
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const LakeObject& object : *objects) {
    if (!object.problem.empty()) return Status(Code::kCorruption, object.problem);
    rows += object.rows;
    bytes += object.bytes;
  }
  fmt::print(out, "objects {}\nrows    {}\nsize    {}\n", FormatCount(objects->size()), FormatCount(rows),
             FormatSize(bytes));
  return {};
}

}  // namespace sluice::tools
