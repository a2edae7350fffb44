// Compact is boost's own way; the other is walked by hand.
#include "tools/agent/json_printer.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace sluice::tools {
namespace {

void PrintObject(const boost::json::object& object, std::size_t depth, std::string& out) {
  const std::string margin(2 * depth, ' ');
  out.append("{\n");
  bool first = true;
  for (const auto& [key, value] : object) {
    if (!first) out.append(",\n");
    first = false;
    out.append(margin).append("  ").append(boost::json::serialize(boost::json::value(key))).append(" : ");
    if (const auto* const inner = value.if_object(); inner != nullptr && !inner->empty()) {
      PrintObject(*inner, depth + 1, out);
    } else {
      out.append(boost::json::serialize(value));
    }
  }
  out.append("\n").append(margin).append("}");
}

}  // namespace

std::string PrintJsonRecord(const boost::json::object& object, bool pretty) {
  std::string out;
  if (pretty && !object.empty()) {
    PrintObject(object, 0, out);
  } else {
    out = boost::json::serialize(object);
  }
  out.push_back('\n');
  return out;
}

}  // namespace sluice::tools
