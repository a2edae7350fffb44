// LOGTOJSON: lines of logs as JSON objects. Values only.
#pragma once

#include <memory>

#include "sluice/status.h"
#include "tools/agent/option_reader.h"
#include "tools/agent/processing.h"

namespace sluice::tools {

/// Reads logFormat, matchPattern, customFieldNames and jsonFormat; mistakes go to the reader.
std::unique_ptr<RecordConverter> NewLogToJson(OptionReader& options);

/// A pattern of Java in RE2's words: named groups are written in another way there.
std::string PatternForRe2(std::string_view pattern);

}  // namespace sluice::tools
