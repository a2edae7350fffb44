// Schema: Hive type strings and the JSON forms. Inference is in schema_inference.cc.
#include "broker/delivery/schema.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "protocol/ascii.h"
#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

using simdjson::dom::element;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kDecimalPrecisionMax = 38;

struct TypeName {
  std::string_view name;
  TypeKind kind;
};

// The first name of a kind is the one that is written.
constexpr std::array kScalarNames{
    TypeName{"boolean", TypeKind::kBoolean},   TypeName{"tinyint", TypeKind::kTinyint},
    TypeName{"smallint", TypeKind::kSmallint}, TypeName{"int", TypeKind::kInt},
    TypeName{"bigint", TypeKind::kBigint},     TypeName{"float", TypeKind::kFloat},
    TypeName{"double", TypeKind::kDouble},     TypeName{"string", TypeKind::kString},
    TypeName{"binary", TypeKind::kBinary},     TypeName{"timestamp", TypeKind::kTimestamp},
    TypeName{"date", TypeKind::kDate},         TypeName{"integer", TypeKind::kInt},
    TypeName{"long", TypeKind::kBigint},       TypeName{"bool", TypeKind::kBoolean}};

bool IsPlainNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

ColumnType OfKind(TypeKind kind) {
  ColumnType type;
  type.kind = kind;
  return type;
}

// A recursive descent over the type string. Every method leaves the error of the first mistake in error_.
class HiveTypeParser {
 public:
  explicit HiveTypeParser(std::string_view text) : text_(text) {}

  Result<ColumnType> Parse() {
    std::optional<ColumnType> type = ParseType(0);
    if (type && !AtEnd()) Fail("text after the end of the type");
    if (!error_.empty()) {
      return Error(Code::kInvalidArgument, fmt::format("type '{}', position {}: {}", text_, place_, error_));
    }
    return *std::move(type);
  }

 private:
  std::optional<ColumnType> ParseType(std::size_t depth) {
    if (depth > kDepthMax) return Fail(fmt::format("nested deeper than {}", kDepthMax));
    std::string word = Word();
    for (const TypeName& known : kScalarNames) {
      if (word == known.name) return OfKind(known.kind);
    }
    if (word == "decimal") return ParseDecimal();
    if (word == "char" || word == "varchar") return ParseText();
    if (word == "array") return ParseChildren(TypeKind::kArray, {"element"}, depth);
    if (word == "map") return ParseChildren(TypeKind::kMap, {"key", "value"}, depth);
    if (word == "struct") return ParseStruct(depth);
    return Fail(word.empty() ? "a type is missing here" : fmt::format("'{}' is no type we know", word));
  }

  std::optional<ColumnType> ParseDecimal() {
    ColumnType type = OfKind(TypeKind::kDecimal);
    type.precision = 10;
    if (!Take('(')) return type;
    std::optional<std::size_t> precision = Number();
    std::optional<std::size_t> scale = Take(',') ? Number() : std::optional<std::size_t>(0);
    if (!precision || !scale || !Take(')')) return Fail("expected decimal(precision,scale)");
    if (*precision < 1 || *precision > kDecimalPrecisionMax || *scale > *precision) {
      return Fail("decimal takes a precision of 1 to 38 and a scale of 0 to the precision");
    }
    type.precision = static_cast<std::uint8_t>(*precision);
    type.scale = static_cast<std::uint8_t>(*scale);
    return type;
  }

  std::optional<ColumnType> ParseText() {
    if (!Take('(') || !Number() || !Take(')')) return Fail("expected a length in parentheses");
    return OfKind(TypeKind::kString);
  }

  std::optional<ColumnType> ParseChildren(TypeKind kind, std::initializer_list<std::string_view> names,
                                          std::size_t depth) {
    ColumnType type = OfKind(kind);
    char before = '<';
    for (std::string_view name : names) {
      if (!Take(before)) return Fail(fmt::format("expected '{}'", before));
      std::optional<ColumnType> child = ParseType(depth + 1);
      if (!child) return std::nullopt;
      type.children.push_back({std::string(name), *std::move(child)});
      before = ',';
    }
    if (!Take('>')) return Fail("expected '>'");
    if (kind == TypeKind::kMap && !IsMapKey(type.children[0].type.kind))
      return Fail("a map's key is a string or an integer");
    return type;
  }

  std::optional<ColumnType> ParseStruct(std::size_t depth) {
    ColumnType type = OfKind(TypeKind::kStruct);
    if (!Take('<')) return Fail("expected '<'");
    do {
      std::string name = FieldName();
      if (name.empty()) return Fail("a field name is missing here");
      if (!Take(':')) return Fail("expected ':'");
      std::optional<ColumnType> child = ParseType(depth + 1);
      if (!child) return std::nullopt;
      type.children.push_back({std::move(name), *std::move(child)});
      if (type.children.size() > kColumnsMax) return Fail(fmt::format("more than {} fields", kColumnsMax));
    } while (Take(','));
    if (!Take('>')) return Fail("expected '>'");
    return type;
  }

  static bool IsMapKey(TypeKind kind) {
    return kind == TypeKind::kString || kind == TypeKind::kTinyint || kind == TypeKind::kSmallint ||
           kind == TypeKind::kInt || kind == TypeKind::kBigint;
  }

  void SkipSpace() {
    while (place_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[place_])) != 0) ++place_;
  }
  bool AtEnd() {
    SkipSpace();
    return place_ == text_.size();
  }
  bool Take(char c) {
    SkipSpace();
    if (place_ == text_.size() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  std::string Word() {
    SkipSpace();
    std::string word;
    while (place_ < text_.size() && protocol::IsLetter(text_[place_])) {
      word += protocol::Lower(text_[place_++]);
    }
    return word;
  }
  std::optional<std::size_t> Number() {
    SkipSpace();
    std::size_t number = 0;
    std::size_t start = place_;
    while (place_ < text_.size() && place_ - start < 6 &&
           std::isdigit(static_cast<unsigned char>(text_[place_])) != 0) {
      number = number * 10 + static_cast<std::size_t>(text_[place_++] - '0');
    }
    return place_ == start ? std::nullopt : std::optional(number);
  }
  // Plain, or in backquotes with a backquote doubled.
  std::string FieldName() {
    SkipSpace();
    std::string name;
    if (place_ < text_.size() && text_[place_] == '`') {
      for (++place_; place_ < text_.size(); ++place_) {
        if (text_[place_] != '`') {
          name += text_[place_];
        } else if (place_ + 1 < text_.size() && text_[place_ + 1] == '`') {
          name += text_[place_++];
        } else {
          ++place_;
          return name;
        }
      }
      return {};
    }
    while (place_ < text_.size() && text_[place_] != ':' && text_[place_] != ',' && text_[place_] != '<' &&
           text_[place_] != '>') {
      name += text_[place_++];
    }
    while (!name.empty() && std::isspace(static_cast<unsigned char>(name.back())) != 0) name.pop_back();
    return name;
  }
  std::nullopt_t Fail(std::string reason) {
    if (error_.empty()) error_ = std::move(reason);
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::string error_;
};

void AppendFieldName(std::string& out, std::string_view name) {
  bool plain = !name.empty();
  for (char c : name) plain = plain && IsPlainNameChar(c);
  if (plain) {
    out += name;
    return;
  }
  out += '`';
  for (char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  out += '`';
}

void AppendHiveType(std::string& out, const ColumnType& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      out += fmt::format("decimal({},{})", type.precision, type.scale);
      return;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct:
      out += type.kind == TypeKind::kArray ? "array" : type.kind == TypeKind::kMap ? "map" : "struct";
      break;
    default:
      for (const TypeName& known : kScalarNames) {
        if (known.kind == type.kind) {
          out += known.name;
          return;
        }
      }
  }
  char before = '<';
  for (const Field& child : type.children) {
    out += before;
    if (type.kind == TypeKind::kStruct) {
      AppendFieldName(out, child.name);
      out += ':';
    }
    AppendHiveType(out, child.type);
    before = ',';
  }
  out += '>';
}

std::unexpected<Status> Invalid(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

// Reads one list of columns; `name_key` and `type_key` differ in case between the forms.
Status ReadColumns(const element& list, std::vector<Field>& out) {
  simdjson::dom::array columns;
  if (list.get_array().get(columns) != simdjson::SUCCESS) {
    return Status(Code::kInvalidArgument, "the columns are not a JSON array");
  }
  for (element column : columns) {
    std::string_view name;
    std::string_view type;
    bool named = column.at_key("Name").get_string().get(name) == simdjson::SUCCESS ||
                 column.at_key("name").get_string().get(name) == simdjson::SUCCESS;
    bool typed = column.at_key("Type").get_string().get(type) == simdjson::SUCCESS ||
                 column.at_key("type").get_string().get(type) == simdjson::SUCCESS;
    if (!named || name.empty()) {
      return Status(Code::kInvalidArgument, fmt::format("column {} has no \"Name\"", out.size() + 1));
    }
    if (!typed) return Status(Code::kInvalidArgument, fmt::format("column '{}' has no \"Type\"", name));
    if (name == kOverflowColumn) return Status(Code::kInvalidArgument, "the name '_overflow' is Sluice's own");
    Result<ColumnType> parsed = ParseHiveType(type);
    if (!parsed) return parsed.error().WithContext(fmt::format("column '{}'", name));
    out.push_back({std::string(name), *std::move(parsed)});
  }
  if (out.size() > kColumnsMax) {
    return Status(Code::kInvalidArgument, fmt::format("{} columns are more than {}", out.size(), kColumnsMax));
  }
  return {};
}

Status ParseDocument(simdjson::dom::parser& parser, std::string_view json, element& root) {
  simdjson::error_code error = parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::SUCCESS) return {};
  return Status(Code::kInvalidArgument,
                fmt::format("not JSON: {}", protocol::JsonErrorText(simdjson::error_message(error))));
}

}  // namespace

bool operator==(const ColumnType& a, const ColumnType& b) {
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale && a.children == b.children;
}

bool operator==(const Field& a, const Field& b) { return a.name == b.name && a.type == b.type; }

Result<ColumnType> ParseHiveType(std::string_view text) { return HiveTypeParser(text).Parse(); }

std::string ToHiveType(const ColumnType& type) {
  std::string out;
  AppendHiveType(out, type);
  return out;
}

Result<Schema> SchemaFromColumns(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  Schema schema;
  if (Status status = ParseDocument(parser, json, root); !status.ok())
    return Error(status.WithContext("inline columns"));
  if (Status status = ReadColumns(root, schema.columns); !status.ok())
    return Error(status.WithContext("inline columns"));
  if (schema.columns.empty()) return Invalid("inline columns: there is no column");
  return schema;
}

Result<Schema> SchemaFromGlueTable(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (Status status = ParseDocument(parser, json, root); !status.ok()) return Error(status.WithContext("table file"));
  element table;
  if (root.at_key("Table").get(table) == simdjson::SUCCESS) root = table;
  element columns;
  if (root.at_key("StorageDescriptor").at_key("Columns").get(columns) != simdjson::SUCCESS) {
    return Invalid("table file: no StorageDescriptor.Columns; expected what 'aws glue get-table' prints");
  }
  Schema schema;
  if (Status status = ReadColumns(columns, schema.columns); !status.ok())
    return Error(status.WithContext("table file"));
  element keys;
  if (root.at_key("PartitionKeys").get(keys) == simdjson::SUCCESS) {
    if (Status status = ReadColumns(keys, schema.columns); !status.ok()) {
      return Error(status.WithContext("table file, PartitionKeys"));
    }
  }
  if (schema.columns.empty()) return Invalid("table file: there is no column");
  return schema;
}

std::string SchemaToJson(const Schema& schema) {
  std::string out =
      fmt::format(R"({{"format":{},"version":{},"overflow":{},"columns":[)", kFormat, schema.version, schema.overflow);
  for (const Field& column : schema.columns) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    protocol::AppendJsonString(out, column.name);
    out += ",\"type\":";
    protocol::AppendJsonString(out, ToHiveType(column.type));
    out += '}';
  }
  return out + "]}";
}

Result<Schema> SchemaFromJson(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (Status status = ParseDocument(parser, json, root); !status.ok())
    return Error(status.WithContext("pinned schema"));
  std::uint64_t format = 0;
  std::uint64_t version = 0;
  Schema schema;
  element columns;
  if (root.at_key("format").get_uint64().get(format) != simdjson::SUCCESS ||
      root.at_key("version").get_uint64().get(version) != simdjson::SUCCESS || version > UINT32_MAX ||
      root.at_key("overflow").get_bool().get(schema.overflow) != simdjson::SUCCESS ||
      root.at_key("columns").get(columns) != simdjson::SUCCESS) {
    return Error(Code::kCorruption, "pinned schema: not what Sluice writes");
  }
  if (format > kFormat) {
    return Error(Code::kUnimplemented, fmt::format("pinned schema: format {} is of a newer Sluice", format));
  }
  schema.version = static_cast<std::uint32_t>(version);
  if (Status status = ReadColumns(columns, schema.columns); !status.ok())
    return Error(status.WithContext("pinned schema"));
  return schema;
}

}  // namespace sluice::delivery
