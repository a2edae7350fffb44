// JSON keys and the columns that take them, in the order in which keys were last seen.
#include "broker/delivery/key_table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

// A key as it stands in the JSON, without its escapes. A bad escape leaves it as it is: then no column takes it.
std::string Unescape(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) return std::string(raw);
  simdjson::dom::parser parser;
  std::string_view text;
  auto error = parser.parse('"' + std::string(raw) + '"').get_string().get(text);
  return std::string(error == simdjson::SUCCESS ? text : raw);
}

/// The key that takes the place of the column's name, if there is one.
const std::string* MappedKey(const ConverterOptions& options, const std::string& column) {
  const auto& mappings = options.column_to_key;
  using Mapping = std::pair<std::string, std::string>;
  auto found = std::ranges::find(mappings, column, &Mapping::first);
  if (found == mappings.end() && options.case_insensitive) {
    found = std::ranges::find_if(
        mappings, [&](const Mapping& mapping) { return protocol::Lower(mapping.first) == protocol::Lower(column); });
  }
  return found == mappings.end() ? nullptr : &found->second;
}

}  // namespace

Result<KeyTable> KeyTable::New(const std::vector<Field>& fields, const ConverterOptions& options) {
  KeyTable table;
  table.case_insensitive_ = options.case_insensitive;
  table.dots_to_underscores_ = options.dots_to_underscores;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string& name = fields[i].name;
    const std::string* mapped = MappedKey(options, name);
    std::string key = mapped != nullptr ? *mapped : name;
    if (options.case_insensitive) key = protocol::Lower(key);
    auto& keys = mapped != nullptr ? table.mapped_keys_ : table.columns_;
    if (!keys.emplace(key, static_cast<int>(i)).second) {
      return Error(Code::kInvalidArgument,
                   fmt::format("two columns take the JSON key '{}'; '{}' is the second", key, name));
    }
  }
  return table;
}

int KeyTable::Resolve(std::string_view key) const {
  std::string name = Unescape(key);
  if (case_insensitive_) name = protocol::Lower(name);
  if (auto found = mapped_keys_.find(name); found != mapped_keys_.end()) return found->second;
  if (dots_to_underscores_) std::ranges::replace(name, '.', '_');
  auto found = columns_.find(name);
  return found == columns_.end() ? kNoColumn : found->second;
}

int KeyTable::FindSlow(const char* raw) {
  const char* end = raw;
  while (*end != '"') end += *end == '\\' ? 2 : 1;
  std::string_view key(raw, static_cast<std::size_t>(end - raw));
  if (auto known = entry_of_key_.find(key); known != entry_of_key_.end()) {
    entries_[at_].next = known->second;
    at_ = known->second;
    return entries_[at_].column;
  }
  int column = Resolve(key);
  if (key.size() < kKeyBytesMax && entries_.size() < kEntriesMax) {
    std::size_t added = entries_.size();
    entries_.emplace_back(key, column);
    entry_of_key_.emplace(key, added);
    entries_[at_].next = added;
    at_ = added;
  }
  return column;
}

}  // namespace sluice::delivery
