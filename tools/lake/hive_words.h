// Hive's names of Arrow's types: what a table over delivered objects declares, and what Sluice.Columns takes.
// Thread-safe.
#pragma once

#include <string>

namespace arrow {
class DataType;
}  // namespace arrow

namespace sluice::tools {

/// "bigint", "struct<a:int>". A type that delivery never writes and Hive has no name for keeps Arrow's.
std::string HiveWord(const arrow::DataType& type);

}  // namespace sluice::tools
