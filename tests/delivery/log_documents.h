// What CloudWatch Logs sends to a subscription, for tests of the processors that open it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/compression.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

inline std::string Gzip(std::string_view bytes) {
  std::string out;
  protocol::Compress(protocol::Compression::kGzip, bytes, out);
  return out;
}

inline std::string LogDocument(const std::vector<std::string>& messages, std::string_view type = "DATA_MESSAGE") {
  protocol::JsonWriter json;
  json.BeginObject().Key("owner").String("1").Key("logGroup").String("g").Key("logStream").String("s");
  json.Key("subscriptionFilters").BeginList().String("f").EndList().Key("logEvents").BeginList();
  for (const std::string& message : messages) {
    json.BeginObject().Key("id").String("3").Key("timestamp").Number(1).Key("message").String(message).EndObject();
  }
  json.EndList().Key("messageType").String(type).EndObject();
  return json.Take();
}

}  // namespace sluice::delivery
