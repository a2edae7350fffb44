// The three output formats of `sluice get`.
#include "tools/sluice/record_printer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <boost/json.hpp>
#include <iterator>

#include "protocol/base64.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

void AppendMeta(const ConsumedRecord& record, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}:{}\t{}\t{}\t", record.shard, record.offset,
                 FormatTime(record.append_time_ms), record.key.value_or(""));
}

void AppendJson(const ConsumedRecord& record, std::string& out) {
  boost::json::object json{{"shard", record.shard},
                           {"offset", record.offset},
                           {"append_time_ms", record.append_time_ms},
                           {"timestamp_ms", record.timestamp_ms}};
  if (record.key) {
    AddBytes(json, "key", *record.key);
  } else {
    json["key"] = nullptr;
  }
  AddBytes(json, "value", record.value);
  if (!record.headers.empty()) {
    boost::json::object headers;
    for (const auto& [name, value] : record.headers) AddBytes(headers, name, value);
    json["headers"] = std::move(headers);
  }
  out.append(boost::json::serialize(json)).push_back('\n');
}

void AppendHex(const ConsumedRecord& record, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}:{} {} key={} {} bytes\n", record.shard, record.offset,
                 FormatTime(record.append_time_ms), record.key.value_or("-"), record.value.size());
  for (std::size_t start = 0; start < record.value.size(); start += 16) {
    const std::string_view row = std::string_view(record.value).substr(start, 16);
    fmt::format_to(std::back_inserter(out), "  {:08x} ", start);
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
      if (i >= row.size()) {
        out.append("   ");
        continue;
      }
      const auto byte = static_cast<unsigned char>(row[i]);
      fmt::format_to(std::back_inserter(out), " {:02x}", byte);
      text.push_back(byte >= 0x20 && byte < 0x7f ? row[i] : '.');
    }
    out.append("  ").append(text).push_back('\n');
  }
}

}  // namespace

void AddBytes(boost::json::object& json, const std::string& name, const std::string& bytes) {
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) {
    json[name] = bytes;
  } else {
    json[name + "_base64"] = protocol::EncodeBase64(bytes);
  }
}

void AppendRecord(const ConsumedRecord& record, RecordFormat format, bool with_meta, std::string& out) {
  switch (format) {
    case RecordFormat::kText:
      if (with_meta) AppendMeta(record, out);
      out.append(record.value).push_back('\n');
      return;
    case RecordFormat::kJson:
      AppendJson(record, out);
      return;
    case RecordFormat::kHex:
      AppendHex(record, out);
      return;
  }
}

}  // namespace sluice::tools
