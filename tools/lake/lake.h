// Reading the lake back: what `sluice lake ls|cat|schema|count PATH..` and `sluice verify` call.
//
// A path is an object or a directory below which all objects are taken, in the order of their paths; an object that two
// paths lead to is taken once. Parquet, ORC, and objects of records in every format that delivery writes (plain, gzip,
// zip, Snappy, Hadoop Snappy); names that start with '.' are passed over. Threads: pure functions over files; each call
// opens what it needs. An object is read whole except Parquet and ORC, which are streamed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "broker/delivery/object_writer.h"
#include "sluice/status.h"

namespace sluice::tools {

struct LakeObject {
  std::string path;
  std::string format;  // "parquet", "orc", "records", "records.gz", "records.zip", "records.snappy"
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;                      // of Parquet and ORC: by the footer; else counted
  std::optional<delivery::ObjectFacts> facts;  // where the object has them
  std::string problem;                         // not empty: why it could not be read
};

using LakePaths = std::vector<std::string>;

/// kNotFound where there is no such path. An object that cannot be read is listed with its problem.
Result<std::vector<LakeObject>> ListLake(const LakePaths& paths);
/// kCorruption where some of the objects could not be read.
Status LakeDamage(const std::vector<LakeObject>& objects);

/// What the object says about its sources. kNotFound where it says nothing (formats without a place for it, objects of
/// others).
Result<delivery::ObjectFacts> ReadObjectRanges(const std::string& object);

enum class TypeWords : std::uint8_t { kArrow, kHive };

/// Name and type of each column -> how many objects have just these; no columns: records without a schema.
using LakeSchemas = std::map<std::vector<std::pair<std::string, std::string>>, std::size_t>;
Result<LakeSchemas> ListLakeSchemas(const LakePaths& paths, TypeWords words);

struct CatOptions {
  std::uint64_t rows_max = 0;  // 0: all
  bool table = false;          // aligned columns instead of JSON lines; Parquet and ORC only
};

/// `sluice lake ls`: one line an object: rows, bytes, format, source ranges, path; a last line with the sums. Where
/// objects cannot be read it says so behind them all.
Status PrintLakeList(const LakePaths& paths, std::ostream& out);
/// `sluice lake cat`: rows as JSON lines, or as a table.
Status PrintLakeRows(const LakePaths& paths, const CatOptions& options, std::ostream& out);
/// `sluice lake schema`: the columns and their types, once for each different schema, with the objects that have it
/// counted.
Status PrintLakeSchema(const LakePaths& paths, TypeWords words, std::ostream& out);
/// `sluice lake count`: objects, rows, bytes.
Status PrintLakeCount(const LakePaths& paths, std::ostream& out);

}  // namespace sluice::tools
