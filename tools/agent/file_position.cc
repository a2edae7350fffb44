// To JSON and back.
#include "tools/agent/file_position.h"

#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

namespace sluice::tools {

boost::json::object ToJson(const FilePosition& position) {
  return {{"path", position.path},
          {"name", position.name},
          {"device", position.device},
          {"inode", position.inode},
          {"offset", position.offset},
          {"head_bytes", position.head.bytes},
          {"head_crc32c", position.head.crc32c},
          {"tail_bytes", position.tail.bytes},
          {"tail_crc32c", position.tail.crc32c},
          {"header_lines_left", position.header_lines_left},
          {"cutting", position.cutting},
          {"held", position.held},
          {"seen_ms", position.seen_ms}};
}

Result<FilePosition> FilePositionFrom(const boost::json::value& json) {
  // The library throws where a member is not there or does not fit.
  try {
    const boost::json::object& object = json.as_object();
    const auto number = [&](const char* name) { return object.at(name).to_number<std::uint64_t>(); };
    const auto crc = [&](const char* name) { return object.at(name).to_number<std::uint32_t>(); };
    return FilePosition{.path = std::string(object.at("path").as_string()),
                        .name = std::string(object.at("name").as_string()),
                        .device = number("device"),
                        .inode = number("inode"),
                        .offset = number("offset"),
                        .head = {number("head_bytes"), crc("head_crc32c")},
                        .tail = {number("tail_bytes"), crc("tail_crc32c")},
                        .header_lines_left = number("header_lines_left"),
                        .cutting = object.at("cutting").as_bool(),
                        .held = object.at("held").as_bool(),
                        .seen_ms = object.at("seen_ms").to_number<std::int64_t>()};
  } catch (const std::exception& error) {
    return Error(Code::kCorruption, error.what());
  }
}

}  // namespace sluice::tools
