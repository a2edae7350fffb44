// The functions that templates can call, by their names in faker.js and the Kinesis Data Generator. Values only.
#pragma once

#include <boost/json/array.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "tools/generate/template.h"

namespace sluice::tools {

/// Appends what the call gives.
using TemplateCall = std::function<void(RenderContext& context, std::string& out)>;

/// The call of a function with these arguments. kNotFound where there is no such function, with a guess at what was
/// meant; kInvalidArgument where it does not take these arguments.
Result<TemplateCall> BindTemplateFunction(std::string_view name, const boost::json::array& arguments);

}  // namespace sluice::tools
