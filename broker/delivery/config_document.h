// A JSON or YAML document as a tree in which every key and value knows its line, so that a message about a
// configuration can name the place. JSON is parsed strictly (RFC 8259; a key may stand only once in an object),
// YAML 1.2 with the same keys, and with the short forms that CloudFormation has for its functions.
//
// Values only; safe to call from any thread on its own data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

struct ConfigField;

struct ConfigNode {
  enum class Kind { kNull, kBool, kNumber, kString, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 0;                     // 1 and up
  std::string text;                 // of a scalar: "true", "12.5", or the string with its escapes resolved
  std::vector<ConfigNode> items;    // of a list
  std::vector<ConfigField> fields;  // of a map, in the order of the document

  const ConfigField* Find(std::string_view key) const;
};

struct ConfigField {
  std::string key;
  int line = 0;
  ConfigNode value;
};

inline constexpr std::size_t kConfigDocumentBytesMax = 1u << 20;

/// Parses `document` as YAML where `document_name` ends in .yaml or .yml or the text does not open with '{', else as
/// JSON. kInvalidArgument: "NAME:LINE: what is wrong".
Result<ConfigNode> ParseConfigDocument(std::string_view document, std::string_view document_name);

/// JSON of any size, such as our own stored documents.
Result<ConfigNode> ParseJsonTree(std::string_view json, std::string_view name);

/// "a map", "a list", "a string" ...; for messages.
std::string_view KindName(ConfigNode::Kind kind);

}  // namespace sluice::delivery
