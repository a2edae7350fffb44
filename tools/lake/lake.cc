// The commands over one object or over all below a directory.
#include "tools/lake/lake.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

#include "tools/lake/object_reader.h"
#include "tools/sluice/units.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCellCharsMax = 40;
constexpr std::size_t kTableRowsMeasured = 1000;  // widths are taken from the first rows

// All objects below `path`, sorted.
Status FindObjects(const std::string& path, std::vector<std::string>& found) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    found.push_back(path);
    return {};
  }
  fs::recursive_directory_iterator walk(path, error);
  if (error) return Status(Code::kNotFound, fmt::format("{}: {}", path, error.message()));
  const std::size_t first = found.size();
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (error) return Status(Code::kIoError, fmt::format("{}: {}", path, error.message()));
    bool hidden = walk->path().filename().native().starts_with('.');
    if (hidden && walk->is_directory()) walk.disable_recursion_pending();
    if (!hidden && walk->is_regular_file()) found.push_back(walk->path().string());
  }
  std::sort(found.begin() + static_cast<std::ptrdiff_t>(first), found.end());
  return {};
}

// All objects that the paths lead to, each once.
Result<std::vector<std::string>> FindObjects(const LakePaths& paths) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    if (Status status = FindObjects(path, found); !status.ok()) return Error(std::move(status));
  }
  std::set<fs::path> seen;
  std::erase_if(found, [&](const std::string& path) { return !seen.insert(fs::path(path).lexically_normal()).second; });
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
  for (const auto& [name, type] : reader.columns(TypeWords::kArrow)) names.push_back(name);
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

Result<std::vector<LakeObject>> ListLake(const LakePaths& paths) {
  Result<std::vector<std::string>> found = FindObjects(paths);
  if (!found) return Error(found.error());
  std::vector<LakeObject> objects;
  for (const std::string& object : *found) objects.push_back(Describe(object));
  return objects;
}

Status LakeDamage(const std::vector<LakeObject>& objects) {
  const auto damaged = [](const LakeObject& object) { return !object.problem.empty(); };
  const auto first = std::ranges::find_if(objects, damaged);
  if (first == objects.end()) return {};
  return Status(Code::kCorruption,
                fmt::format("{} of {} cannot be read; the first: {}", std::ranges::count_if(objects, damaged),
                            FormatCounted(objects.size(), "object"), first->problem));
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

Status PrintLakeList(const LakePaths& paths, std::ostream& out) {
  Result<std::vector<LakeObject>> objects = ListLake(paths);
  if (!objects) return objects.error();
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  if (objects->empty()) {
    fmt::print(out, "No objects below {}.\n", fmt::join(paths, ", "));
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
  return LakeDamage(*objects);
}

Status PrintLakeRows(const LakePaths& paths, const CatOptions& options, std::ostream& out) {
  Result<std::vector<std::string>> found = FindObjects(paths);
  if (!found) return found.error();
  std::uint64_t printed = 0;
  for (const std::string& object : *found) {
    if (options.rows_max > 0 && printed == options.rows_max) break;
    Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(object);
    if (!reader) return reader.error();
    Status status = options.table ? PrintTable(**reader, options.rows_max, printed, out)
                                  : PrintRows(**reader, options.rows_max, printed, out);
    if (!status.ok()) return status.WithContext(object);
  }
  return {};
}

Result<LakeSchemas> ListLakeSchemas(const LakePaths& paths, TypeWords words) {
  Result<std::vector<std::string>> found = FindObjects(paths);
  if (!found) return Error(found.error());
  LakeSchemas objects_by_schema;
  for (const std::string& object : *found) {
    Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(object);
    if (!reader) return Error(reader.error());
    ++objects_by_schema[(*reader)->columns(words)];
  }
  return objects_by_schema;
}

Status PrintLakeSchema(const LakePaths& paths, TypeWords words, std::ostream& out) {
  const Result<LakeSchemas> schemas = ListLakeSchemas(paths, words);
  if (!schemas) return schemas.error();
  for (const auto& [columns, objects] : *schemas) {
    fmt::print(out, "{} {}{}\n", objects, objects == 1 ? "object" : "objects",
               columns.empty() ? " of records without a schema" : ":");
    for (const auto& [name, type] : columns) fmt::print(out, "  {:<32}  {}\n", name, type);
  }
  return {};
}

Status PrintLakeCount(const LakePaths& paths, std::ostream& out) {
  Result<std::vector<LakeObject>> objects = ListLake(paths);
  if (!objects) return objects.error();
  if (Status damage = LakeDamage(*objects); !damage.ok()) return damage;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const LakeObject& object : *objects) {
    rows += object.rows;
    bytes += object.bytes;
  }
  fmt::print(out, "objects {}\nrows    {}\nsize    {}\n", FormatCount(objects->size()), FormatCount(rows),
             FormatSize(bytes));
  return {};
}

}  // namespace sluice::tools
