// Document::ReadJson over simdjson On-Demand: one pass. Text without escapes stays where it is; for the base64 of a
// PutRecords that saves a copy of the whole request.
#include <simdjson.h>

#include "protocol/aws/node_builder.h"
#include "protocol/json_text.h"

namespace sluice::protocol::aws {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr const char* kTooMany = "more values than a request may have";

class JsonReader {
 public:
  explicit JsonReader(NodeBuilder& nodes) : nodes_(nodes) {}

  /// Throws simdjson::simdjson_error where it is not JSON; nullptr, or what else is wrong.
  const char* Read(ondemand::value value, std::size_t depth) {
    switch (value.type()) {
      case ondemand::json_type::object:
        return depth == Document::kDepthMax ? "nested too deep" : ReadMap(value, depth);
      case ondemand::json_type::array:
        return depth == Document::kDepthMax ? "nested too deep" : ReadList(value, depth);
      case ondemand::json_type::string:
        return Enough(nodes_.AddText(Kind::kText, TextOf(value)));
      case ondemand::json_type::number:
        return ReadNumber(value);
      case ondemand::json_type::boolean:
        return Enough(nodes_.AddBoolean(value.get_bool()));
      case ondemand::json_type::null:
        return value.is_null() ? Enough(nodes_.AddNull()) : "expected null";
    }
    return "not JSON";
  }

 private:
  static const char* Enough(bool added) { return added ? nullptr : kTooMany; }

  const char* ReadMap(ondemand::value value, std::size_t depth) {
    std::uint32_t index = 0;
    if (!nodes_.Open(Kind::kMap, index)) return kTooMany;
    std::uint32_t members = 0;
    for (ondemand::field field : value.get_object()) {
      if (!nodes_.AddText(Kind::kText, field.unescaped_key())) return kTooMany;
      if (const char* wrong = Read(field.value(), depth + 1); wrong != nullptr) return wrong;
      ++members;
    }
    nodes_.Close(index, members);
    return nullptr;
  }

  const char* ReadList(ondemand::value value, std::size_t depth) {
    std::uint32_t index = 0;
    if (!nodes_.Open(Kind::kList, index)) return kTooMany;
    std::uint32_t elements = 0;
    for (ondemand::value element : value.get_array()) {
      if (const char* wrong = Read(element, depth + 1); wrong != nullptr) return wrong;
      ++elements;
    }
    nodes_.Close(index, elements);
    return nullptr;
  }

  const char* ReadNumber(ondemand::value value) {
    std::int64_t integer = 0;
    if (value.get_int64().get(integer) == simdjson::SUCCESS) return Enough(nodes_.AddInteger(Kind::kInteger, integer));
    return Enough(nodes_.AddReal(value.get_double()));  // a fraction, or beyond 64 bits
  }

  static std::string_view TextOf(ondemand::value value) {
    std::string_view token = value.raw_json_token();  // up to what follows it
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    if (token.size() < 2 || token.back() != '"' || token.contains('\\')) return value.get_string();
    return token.substr(1, token.size() - 2);
  }

  NodeBuilder& nodes_;
};

}  // namespace

struct Document::JsonParser {
  ondemand::parser parser;
};

Document::Document() = default;
Document::~Document() = default;

Status Document::ReadJson(std::string_view json) {
  static_assert(kPaddingBytes >= simdjson::SIMDJSON_PADDING);
  if (json_ == nullptr) json_ = std::make_unique<JsonParser>();
  NodeBuilder nodes(*this);
  const char* wrong = nullptr;
  try {
    ondemand::document document =
        json_->parser.iterate(simdjson::padded_string_view(json.data(), json.size(), json.size() + kPaddingBytes));
    if (document.type() != ondemand::json_type::object) {
      wrong = "expected an object";
    } else {
      wrong = JsonReader(nodes).Read(document.get_value(), 0);
      const char* rest = nullptr;  // an error where the text ends with its value
      if (wrong == nullptr && document.current_location().get(rest) == simdjson::SUCCESS) wrong = "more text behind it";
    }
  } catch (const simdjson::simdjson_error& error) {
    wrong = JsonErrorText(error.what()).data();  // the end of a text that ends with a zero
  }
  if (wrong == nullptr) return {};
  nodes_.clear();
  return Status(Code::kInvalidArgument, std::string("not a JSON document: ") + wrong);
}

}  // namespace sluice::protocol::aws
