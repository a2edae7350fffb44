// JSON as the options of the Kinesis Agent write it. Values only; thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace sluice::tools {

/// With a newline at the end. `pretty`: a member a line, indented, " : " behind keys.
std::string PrintJsonRecord(const boost::json::object& object, bool pretty);

}  // namespace sluice::tools
