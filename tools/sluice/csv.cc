// A small CSV reader.
#include "tools/sluice/csv.h"

#include <utility>

namespace sluice::tools {

std::size_t CsvRowEnd(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;  // a doubled quote toggles twice
    if (text[i] == '\n' && !quoted) return i;
  }
  return std::string_view::npos;
}

namespace {

/// Reads the quoted field at the start of `rest` and removes it.
Result<CsvField> TakeQuoted(std::string_view& rest) {
  CsvField field{.text = {}, .quoted = true};
  rest.remove_prefix(1);
  while (true) {
    const std::size_t quote = rest.find('"');
    if (quote == std::string_view::npos) return Error(Code::kInvalidArgument, "a quote is never closed");
    field.text.append(rest.substr(0, quote));
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"')) break;
    field.text.push_back('"');
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest.front() != ',') return Error(Code::kInvalidArgument, "text follows a closing quote");
  return field;
}

}  // namespace

Result<std::vector<CsvField>> ParseCsvRow(std::string_view row) {
  if (row.ends_with('\r')) row.remove_suffix(1);
  std::vector<CsvField> fields;
  while (true) {
    if (row.starts_with('"')) {
      auto field = TakeQuoted(row);
      if (!field) return Error(field.error());
      fields.push_back(std::move(*field));
    } else {
      const std::size_t comma = std::min(row.find(','), row.size());
      fields.push_back({.text = std::string(row.substr(0, comma)), .quoted = false});
      row.remove_prefix(comma);
    }
    if (row.empty()) return fields;
    row.remove_prefix(1);  // the comma
  }
}

}  // namespace sluice::tools
