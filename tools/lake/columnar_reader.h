// Objects that hold columns: Parquet and ORC, as rows. Private to tools/lake. Threads: one at a time.
#pragma once

#include <memory>
#include <string>

#include "tools/lake/object_reader.h"

namespace sluice::tools {

/// kCorruption, which names the file, where it cannot be read as such.
Result<std::unique_ptr<ObjectReader>> OpenParquetObject(const std::string& path);
Result<std::unique_ptr<ObjectReader>> OpenOrcObject(const std::string& path);

}  // namespace sluice::tools
