// ObjectReader: one lake object, whatever its format, as rows. Private to tools/lake.
// Threads: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/status.h"
#include "tools/lake/lake.h"

namespace sluice::tools {

class ObjectReader {
 public:
  /// Opens by what the bytes say. kNotFound, kCorruption, kIoError name the file.
  static Result<std::unique_ptr<ObjectReader>> Open(const std::string& path);

  virtual ~ObjectReader() = default;

  virtual std::string format() const = 0;
  virtual std::uint64_t rows() = 0;
  /// The metadata as JSON; empty where there is none.
  virtual std::string metadata() const = 0;
  /// Column name and type. Empty for records, which have no columns.
  virtual std::vector<std::pair<std::string, std::string>> columns(TypeWords words) const = 0;

  /// Calls `take` with each row as JSON text until it returns false.
  using TakeRow = std::function<bool(std::string_view json)>;
  virtual Status ForEachRow(const TakeRow& take) = 0;

  /// The same with each row's cells as text, in the order of columns().
  using TakeCells = std::function<bool(const std::vector<std::string>& cells)>;
  virtual Status ForEachCells(const TakeCells& take) = 0;
};

}  // namespace sluice::tools
