// A document as text, in the diagnostic notation of RFC 8949 section 8, with times as 1(milliseconds).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "protocol/aws/document.h"

namespace sluice::protocol::aws {

/// With a point or an exponent in each, so that it is told from an integer; the same with every version of fmt.
inline std::string ShowReal(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == text.npos) text += ".0";  // not of 1e+300, inf, nan
  return text;
}

inline std::string Show(Value value) {
  switch (value.kind()) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return value.boolean() ? "true" : "false";
    case Kind::kInteger:
      return fmt::format("{}", value.integer());
    case Kind::kReal:
      return ShowReal(value.real());
    case Kind::kText:
      return fmt::format("\"{}\"", value.text());
    case Kind::kBytes: {
      std::string hex;
      for (const char byte : value.text()) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      return fmt::format("h'{}'", hex);
    }
    case Kind::kTimestamp:
      return fmt::format("1({})", value.integer());
    case Kind::kList:
    case Kind::kMap:
      break;
  }
  std::string inside;
  for (const auto [name, child] : value.children()) {
    if (!inside.empty()) inside += ", ";
    if (value.kind() == Kind::kMap) inside += fmt::format("\"{}\": ", name);
    inside += Show(child);
  }
  return value.kind() == Kind::kMap ? fmt::format("{{{}}}", inside) : fmt::format("[{}]", inside);
}

}  // namespace sluice::protocol::aws
