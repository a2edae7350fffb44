// Tags as answers of AWS's APIs tell them.
#pragma once

#include <map>
#include <string>

#include "protocol/aws/writer.h"

namespace sluice::broker::aws {

/// The member Tags of a map that has begun: a list of maps with Key and Value.
inline void WriteTags(protocol::aws::Writer& writer, const std::map<std::string, std::string>& tags) {
  writer.Name("Tags").BeginList();
  for (const auto& [key, value] : tags) {
    writer.BeginMap();
    writer.Name("Key").Text(key);
    writer.Name("Value").Text(value);
    writer.EndMap();
  }
  writer.EndList();
}

}  // namespace sluice::broker::aws
