// CSV as RFC 4180 writes it: fields apart by commas, quoted fields may hold commas, newlines and doubled quotes. Values
// only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::tools {

/// The newline that ends the row at the start of `text`, npos where the row is not complete.
std::size_t CsvRowEnd(std::string_view text);

struct CsvField {
  std::string text;
  bool quoted = false;
};

/// The fields of one row (without its newline). kInvalidArgument for a quote that is never closed or text behind one.
Result<std::vector<CsvField>> ParseCsvRow(std::string_view row);

}  // namespace sluice::tools
