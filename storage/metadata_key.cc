// Printing keys, and the bounds of a prefix.
#include "storage/metadata_key.h"

#include <fmt/format.h>

#include <iterator>

#include "protocol/check.h"

namespace sluice::storage {

std::string PrintableKey(std::string_view key) {
  std::string text = "'";
  for (const char c : key) {
    if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text + "'";
}

Status ConditionRefused(std::string_view key) {
  return Status(Code::kFenced,
                fmt::format("metadata key {} was changed by somebody else; read it again", PrintableKey(key)));
}

std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  SLUICE_DCHECK(end.empty() || end > prefix);
  return end;
}

}  // namespace sluice::storage
