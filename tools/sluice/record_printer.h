// Prints consumed records as text, JSON lines or hex. Threads: one.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "sluice/consumer.h"

namespace sluice::tools {

enum class RecordFormat { kText, kJson, kHex };

/// Appends the record and a newline: text is the value alone (`with_meta`: shard, offset, time and key before it), JSON
/// has all fields, hex is a dump of 16 bytes a line.
void AppendRecord(const ConsumedRecord& record, RecordFormat format, bool with_meta, std::string& out);

/// Text where the bytes are UTF-8, else base64 under NAME_base64.
void AddBytes(boost::json::object& json, const std::string& name, const std::string& bytes);

}  // namespace sluice::tools
