// JSON through simdjson, whose tokens are views into the text and so tell their place; YAML through yaml-cpp, which
// keeps marks.
#include "broker/delivery/config_document.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

constexpr int kDepthMax = 32;
constexpr std::size_t kNodesMax = 100'000;  // YAML aliases can make a small text a large tree

std::unexpected<Status> Problem(std::string_view name, int line, std::string_view what) {
  return Error(Code::kInvalidArgument, fmt::format("{}:{}: {}", name, line, what));
}

Status CheckKeyIsNew(const ConfigNode& map, std::string_view key, std::string_view name, int line) {
  const ConfigField* first = map.Find(key);
  if (first == nullptr) return Status();
  return Status(Code::kInvalidArgument, fmt::format("{}:{}: the key '{}' stands here a second time (first on line {})",
                                                    name, line, key, first->line));
}

/// Walks one JSON document; simdjson checks the grammar of what is walked, and everything is.
class JsonWalker {
 public:
  JsonWalker(std::string_view document, std::string_view name) : padded_(document), name_(name) {}

  Result<ConfigNode> Walk() {
    try {
      document_ = parser_.iterate(padded_);
      iterating_ = true;
      ConfigNode node;
      simdjson::ondemand::value value = document_.get_value();
      Status status = Fill(value, 0, node);
      if (!status.ok()) return Error(std::move(status));
      const char* after = nullptr;  // an error where the walk ended at the end of the text
      if (document_.current_location().get(after) == simdjson::SUCCESS)
        return Problem(name_, LineHere(), "there is more text after the end of the JSON document");
      return node;
    } catch (const simdjson::simdjson_error& error) {
      // A document that ends too early is noticed at its end or, by newer versions of the library, before its first
      // value.
      const bool cut = error.error() == simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
      const int line = cut ? LineAt(padded_.data() + padded_.size()) : LineHere();
      return Problem(name_, line, fmt::format("not valid JSON: {}", protocol::JsonErrorText(error.what())));
    }
  }

 private:
  /// The walk goes forward, so lines are counted once.
  int LineAt(const char* place) {
    const char* end = std::clamp<const char*>(place, padded_.data(), padded_.data() + padded_.size());
    if (counted_to_ == nullptr) counted_to_ = padded_.data();
    if (end > counted_to_) {
      line_ += static_cast<int>(std::count(counted_to_, end, '\n'));
      counted_to_ = end;
    }
    return line_;
  }

  int LineHere() {
    const char* place = nullptr;
    if (!iterating_ || document_.current_location().get(place) != simdjson::SUCCESS) {
      return LineAt(padded_.data() + padded_.size());
    }
    return LineAt(place);
  }

  Status Fill(simdjson::ondemand::value value, int depth, ConfigNode& out) {
    if (depth > kDepthMax) return Problem(name_, LineHere(), "nested too deeply").error();
    const std::string_view token = value.raw_json_token();
    out.line = LineAt(token.data());
    switch (value.type()) {
      case simdjson::ondemand::json_type::object:
        return FillMap(value.get_object(), depth, out);
      case simdjson::ondemand::json_type::array:
        return FillList(value.get_array(), depth, out);
      case simdjson::ondemand::json_type::string:
        out.kind = ConfigNode::Kind::kString;
        out.text = std::string(std::string_view(value.get_string()));
        return Status();
      case simdjson::ondemand::json_type::number:
        // Throws where the digits are not a number; as a double, so that whole numbers may be of any size.
        static_cast<void>(value.get_double().value());
        out.kind = ConfigNode::Kind::kNumber;
        out.text = std::string(token.substr(0, token.find_last_not_of(" \t\r\n") + 1));
        return Status();
      case simdjson::ondemand::json_type::boolean:
        out.kind = ConfigNode::Kind::kBool;
        out.text = value.get_bool() ? "true" : "false";
        return Status();
      case simdjson::ondemand::json_type::null:
        if (!value.is_null()) return Problem(name_, out.line, "not valid JSON: expected null").error();
        out.kind = ConfigNode::Kind::kNull;
        return Status();
    }
    return Problem(name_, out.line, "not valid JSON").error();
  }

  Status FillMap(simdjson::ondemand::object object, int depth, ConfigNode& out) {
    out.kind = ConfigNode::Kind::kMap;
    for (simdjson::ondemand::field field : object) {
      const int line = LineAt(field.key().raw());
      std::string key(std::string_view(field.unescaped_key()));
      if (Status status = CheckKeyIsNew(out, key, name_, line); !status.ok()) return status;
      out.fields.push_back({std::move(key), line, ConfigNode()});
      if (Status status = Fill(field.value(), depth + 1, out.fields.back().value); !status.ok()) return status;
    }
    return Status();
  }

  Status FillList(simdjson::ondemand::array array, int depth, ConfigNode& out) {
    out.kind = ConfigNode::Kind::kList;
    for (simdjson::ondemand::value item : array) {
      out.items.emplace_back();
      if (Status status = Fill(item, depth + 1, out.items.back()); !status.ok()) return status;
    }
    return Status();
  }

  simdjson::padded_string padded_;
  std::string_view name_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;  // a member, so that it still tells the place when an exception is caught
  bool iterating_ = false;
  const char* counted_to_ = nullptr;
  int line_ = 1;
};

bool IsNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && text.find_first_of("0123456789") != text.npos;
}

ConfigNode::Kind PlainScalarKind(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return ConfigNode::Kind::kNull;
  if (text == "true" || text == "True" || text == "TRUE") return ConfigNode::Kind::kBool;
  if (text == "false" || text == "False" || text == "FALSE") return ConfigNode::Kind::kBool;
  return IsNumber(text) ? ConfigNode::Kind::kNumber : ConfigNode::Kind::kString;
}

/// Takes note of where documents begin, and of nothing else.
class YamlDocuments : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    ++count;
    last_line = std::max(mark.line, 0) + 1;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  int count = 0;
  int last_line = 1;
};

/// None, one, or two for more. Not YAML::LoadAll: it never ends where a document takes nothing from the text ("!,1").
YamlDocuments CountYamlDocuments(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  YamlDocuments documents;
  if (parser.HandleNextDocument(documents)) parser.HandleNextDocument(documents);
  return documents;
}

class YamlWalker {
 public:
  explicit YamlWalker(std::string_view name) : name_(name) {}

  Result<ConfigNode> Walk(std::string_view document) {
    try {
      const std::string text(document);
      const YamlDocuments documents = CountYamlDocuments(text);
      if (documents.count == 0) return Problem(name_, 1, "the document is empty");
      if (documents.count > 1) return Problem(name_, documents.last_line, "only one YAML document per file");
      ConfigNode node;
      if (Status status = Fill(YAML::Load(text), 0, node); !status.ok()) return Error(std::move(status));
      return node;
    } catch (const YAML::Exception& error) {
      const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
      return Problem(name_, line, fmt::format("not valid YAML: {}", error.msg));
    }
  }

 private:
  /// CloudFormation's short form of a function: !Ref X is {Ref: X}, and !Sub X is {Fn::Sub: X}.
  Status Fill(const YAML::Node& node, int depth, ConfigNode& out) {
    const std::string& tag = node.Tag();
    if (tag.size() < 2 || tag.front() != '!') return FillValue(node, depth, out);
    out.line = std::max(node.Mark().line, 0) + 1;
    out.kind = ConfigNode::Kind::kMap;
    out.fields.push_back({tag == "!Ref" ? "Ref" : "Fn::" + tag.substr(1), out.line, ConfigNode()});
    return FillValue(node, depth + 1, out.fields.back().value);
  }

  Status FillValue(const YAML::Node& node, int depth, ConfigNode& out) {
    out.line = std::max(node.Mark().line, 0) + 1;
    if (depth > kDepthMax) return Problem(name_, out.line, "nested too deeply").error();
    if (++nodes_ > kNodesMax) return Problem(name_, out.line, "the document is too large").error();
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return FillMap(node, depth, out);
      case YAML::NodeType::Sequence:
        return FillList(node, depth, out);
      case YAML::NodeType::Scalar:
        FillScalar(node, out);
        return Status();
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        out.kind = ConfigNode::Kind::kNull;
        return Status();
    }
    return Status();
  }

  static void FillScalar(const YAML::Node& node, ConfigNode& out) {
    const bool plain = node.Tag() == "?";
    out.kind = plain ? PlainScalarKind(node.Scalar()) : ConfigNode::Kind::kString;
    out.text = node.Scalar();
    if (out.kind == ConfigNode::Kind::kBool) {
      std::transform(out.text.begin(), out.text.end(), out.text.begin(),
                     [](char c) { return static_cast<char>(c | 0x20); });
    }
  }

  Status FillMap(const YAML::Node& node, int depth, ConfigNode& out) {
    out.kind = ConfigNode::Kind::kMap;
    for (const auto& entry : node) {
      const int line = std::max(entry.first.Mark().line, 0) + 1;
      if (!entry.first.IsScalar()) return Problem(name_, line, "a key must be a plain word").error();
      if (Status status = CheckKeyIsNew(out, entry.first.Scalar(), name_, line); !status.ok()) return status;
      out.fields.push_back({entry.first.Scalar(), line, ConfigNode()});
      if (Status status = Fill(entry.second, depth + 1, out.fields.back().value); !status.ok()) return status;
    }
    return Status();
  }

  Status FillList(const YAML::Node& node, int depth, ConfigNode& out) {
    out.kind = ConfigNode::Kind::kList;
    for (const YAML::Node& item : node) {
      out.items.emplace_back();
      if (Status status = Fill(item, depth + 1, out.items.back()); !status.ok()) return status;
    }
    return Status();
  }

  std::string_view name_;
  std::size_t nodes_ = 0;
};

bool LooksLikeYaml(std::string_view document, std::string_view name) {
  if (name.ends_with(".yaml") || name.ends_with(".yml")) return true;
  if (name.ends_with(".json")) return false;
  const std::size_t first = document.find_first_not_of(" \t\r\n");
  return first != document.npos && document[first] != '{';
}

}  // namespace

const ConfigField* ConfigNode::Find(std::string_view key) const {
  const auto it =
      std::find_if(fields.begin(), fields.end(), [&](const ConfigField& field) { return field.key == key; });
  return it == fields.end() ? nullptr : &*it;
}

std::string_view KindName(ConfigNode::Kind kind) {
  switch (kind) {
    case ConfigNode::Kind::kNull:
      return "nothing";
    case ConfigNode::Kind::kBool:
      return "true or false";
    case ConfigNode::Kind::kNumber:
      return "a number";
    case ConfigNode::Kind::kString:
      return "a string";
    case ConfigNode::Kind::kList:
      return "a list";
    case ConfigNode::Kind::kMap:
      return "a map";
  }
  return "an unknown kind";
}

Result<ConfigNode> ParseConfigDocument(std::string_view document, std::string_view document_name) {
  if (document.size() > kConfigDocumentBytesMax) {
    return Problem(
        document_name, 1,
        fmt::format("the document has {} bytes; at most {} are read", document.size(), kConfigDocumentBytesMax));
  }
  if (document.starts_with("\xEF\xBB\xBF")) document.remove_prefix(3);  // a byte order mark that some editors leave
  if (document.find_first_not_of(" \t\r\n") == document.npos) return Problem(document_name, 1, "the document is empty");
  // YAML would take any bytes, and the stored form, which is JSON, could then not be read back.
  if (!simdjson::validate_utf8(document.data(), document.size())) {
    return Problem(document_name, 1, "the document is not UTF-8; save it with that encoding");
  }
  if (LooksLikeYaml(document, document_name)) return YamlWalker(document_name).Walk(document);
  return ParseJsonTree(document, document_name);
}

Result<ConfigNode> ParseJsonTree(std::string_view json, std::string_view name) { return JsonWalker(json, name).Walk(); }

}  // namespace sluice::delivery
