// Types of columns in Hive's spelling, read and written.
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <initializer_list>
#include <optional>
#include <utility>

#include "broker/delivery/schema.h"
#include "protocol/ascii.h"
#include "protocol/suggest.h"

namespace sluice::delivery {
namespace {

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
    TypeName{"long", TypeKind::kBigint},       TypeName{"bool", TypeKind::kBoolean},
    TypeName{"byte", TypeKind::kTinyint},      TypeName{"short", TypeKind::kSmallint}};

bool IsPlainNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

std::vector<std::string> KnownTypes() {
  std::vector<std::string> names = {"decimal", "char", "varchar", "array", "map", "struct"};
  for (const TypeName& known : kScalarNames) names.emplace_back(known.name);
  return names;
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
    const std::size_t start = Start();
    std::string word = Word();
    for (const TypeName& known : kScalarNames) {
      if (word != known.name) continue;
      SkipPhrase(known.kind);
      return OfKind(known.kind);
    }
    if (word == "decimal" || word == "numeric" || word == "dec") return ParseDecimal();
    if (word == "char" || word == "varchar") return ParseText();
    if (word == "array") return ParseChildren(TypeKind::kArray, {"element"}, depth);
    if (word == "map") return ParseChildren(TypeKind::kMap, {"key", "value"}, depth);
    if (word == "struct") return ParseStruct(depth);
    place_ = start;
    if (word.empty()) return Fail("a type is missing here");
    if (word == "uniontype" || word == "interval" || word == "void") {
      return Fail(fmt::format("the type '{}' is not served", word));
    }
    return Fail(fmt::format("'{}' is no type we know{}", word, protocol::DidYouMean(word, KnownTypes())));
  }

  /// Two types have longer names too: "double precision", "timestamp with local time zone".
  void SkipPhrase(TypeKind kind) {
    const auto skip = [this](std::initializer_list<std::string_view> words) {
      const std::size_t start = place_;
      for (const std::string_view word : words) {
        if (Word() == word) continue;
        place_ = start;
        return;
      }
    };
    if (kind == TypeKind::kDouble) skip({"precision"});
    if (kind == TypeKind::kTimestamp) skip({"with", "local", "time", "zone"});
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
  std::size_t Start() {
    SkipSpace();
    return place_;
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

}  // namespace sluice::delivery
