// The constraint check, in AWS's words.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "protocol/aws/shape.h"

namespace sluice::protocol::aws {
namespace {

constexpr std::size_t kProblemsMax = 10;

std::int64_t Characters(std::string_view utf8) {
  return std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

/// Where a value stands; its text is made for what is wrong only, as most values are right.
struct Place {
  const Place* parent = nullptr;  // null: the input itself
  std::string_view member;        // of a structure
  std::size_t element = 0;        // of a list, from 1 on; 0 where `member` counts

  /// "records.3.member.data" for Data in the third element of Records.
  std::string Text() const {
    if (element > 0) return fmt::format("{}.{}.member", parent->Text(), element);
    std::string text = parent == nullptr ? std::string() : parent->Text() + ".";
    text += member;
    char& first = text[text.size() - member.size()];
    if (first >= 'A' && first <= 'Z') first = static_cast<char>(first + 32);
    return text;
  }
};

/// As Java prints it; nullopt for what AWS does not repeat.
std::optional<std::string> Printed(Value value) {
  switch (value.kind()) {
    case Kind::kText:
      return std::string(value.text());
    case Kind::kInteger:
      return std::to_string(value.integer());
    case Kind::kReal:
      return std::to_string(ToInteger(value, INT64_MAX));
    case Kind::kBoolean:
      return value.boolean() ? "true" : "false";
    case Kind::kList:
    case Kind::kMap:
      break;
    default:
      return std::nullopt;
  }
  std::string inside;
  for (const auto [name, child] : value.children()) {
    const std::optional<std::string> printed =
        child.kind() == Kind::kMap || child.kind() == Kind::kList ? std::nullopt : Printed(child);
    if (!printed) return std::nullopt;
    if (!inside.empty()) inside += ", ";
    inside += value.kind() == Kind::kMap ? fmt::format("{}={}", name, *printed) : *printed;
  }
  return value.kind() == Kind::kMap ? fmt::format("{{{}}}", inside) : fmt::format("[{}]", inside);
}

}  // namespace

class ConstraintCheck {
 public:
  const std::vector<std::string>& problems() const { return problems_; }

  /// `parent`: where the structure stands; null: it is the input.
  void CheckStructure(Value value, const Shape& shape, const Place* parent) {
    for (const Shape::Field& field : shape.fields_) {
      const Place at{.parent = parent, .member = field.name};
      const std::optional<Value> member = value.Find(field.name);
      if (member) {
        Check(*member, *field.shape, at);
      } else if (field.required) {
        Add(fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null", at.Text()));
      }
    }
  }

 private:
  void Check(Value value, const Shape& shape, const Place& at) {
    if (shape.type_ == Shape::Type::kStructure) return CheckStructure(value, shape, &at);
    for (const std::string& broken : Broken(value, shape)) AddBroken(value, shape, at, broken);
    if (shape.type_ == Shape::Type::kList) CheckList(value, *shape.element_, at);
    if (shape.type_ == Shape::Type::kMap) CheckMap(value, shape, at);
  }

  /// A structure in a list is named by its place, a simple value stands for the whole list.
  void CheckList(Value value, const Shape& element, const Place& at) {
    if (element.type_ == Shape::Type::kStructure) {
      Place place{.parent = &at, .member = {}};
      for (const auto [name, child] : value.children()) {
        ++place.element;
        if (child.kind() != Kind::kNull) CheckStructure(child, element, &place);
      }
      return;
    }
    bool good = true;
    for (const auto [name, child] : value.children()) {
      if (child.kind() != Kind::kNull && !Broken(child, element).empty()) good = false;
    }
    if (!good) AddAll(value, at, "Member", element);
  }

  void CheckMap(Value value, const Shape& shape, const Place& at) {
    bool keys_good = true;
    bool values_good = true;
    for (const auto [name, child] : value.children()) {
      if (!InLength(Characters(name), *shape.key_)) keys_good = false;
      if (shape.key_->pattern_ != nullptr && !Matches(name, *shape.key_)) keys_good = false;
      if (child.kind() != Kind::kNull && !Broken(child, *shape.element_).empty()) values_good = false;
    }
    if (!keys_good) AddAll(value, at, "Map keys", *shape.key_);
    if (!values_good) AddAll(value, at, "Map value", *shape.element_);
  }

  static bool InLength(std::int64_t length, const Shape& shape) {
    return (!shape.least_ || length >= *shape.least_) && (!shape.most_ || length <= *shape.most_);
  }

  static bool Matches(std::string_view text, const Shape& shape) {
    const re2::StringPiece piece(text.data(), text.size());
    if (!re2::RE2::FullMatch(piece, *shape.pattern_)) return false;
    return shape.never_ == nullptr || !re2::RE2::FullMatch(piece, *shape.never_);
  }

  static std::int64_t Measure(Value value, const Shape& shape) {
    switch (shape.type_) {
      case Shape::Type::kText:
        return Characters(value.text());
      case Shape::Type::kBlob:
        return static_cast<std::int64_t>(BlobBytes(value));
      case Shape::Type::kList:
      case Shape::Type::kMap:
        return static_cast<std::int64_t>(value.size());
      case Shape::Type::kInteger:
        return ToInteger(value, INT32_MAX);
      case Shape::Type::kLong:
        return ToInteger(value, INT64_MAX);
      default:
        return 0;
    }
  }

  static std::string AtMost(const Shape& shape) {
    return fmt::format("Member must have {} less than or equal to {}", Measured(shape), *shape.most_);
  }
  static std::string AtLeast(const Shape& shape) {
    return fmt::format("Member must have {} greater than or equal to {}", Measured(shape), *shape.least_);
  }
  static const char* Measured(const Shape& shape) {
    const bool number = shape.type_ == Shape::Type::kInteger || shape.type_ == Shape::Type::kLong ||
                        shape.type_ == Shape::Type::kDouble;
    return number ? "value" : "length";
  }
  static std::string Matching(const Shape& shape) {
    return fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern_text_);
  }
  static std::string Among(const Shape& shape) {
    return fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.one_of_, ", "));
  }

  /// The constraints of its own that a value breaks.
  static std::vector<std::string> Broken(Value value, const Shape& shape) {
    std::vector<std::string> broken;
    if (shape.pattern_ != nullptr && !Matches(value.text(), shape)) broken.push_back(Matching(shape));
    if (!shape.one_of_.empty() && std::ranges::find(shape.one_of_, value.text()) == shape.one_of_.end()) {
      broken.push_back(Among(shape));
    }
    if (!shape.least_ && !shape.most_) return broken;
    if (shape.type_ == Shape::Type::kDouble) {
      AddOutside(ToDouble(value), shape, broken);
    } else {
      AddOutside(Measure(value, shape), shape, broken);
    }
    return broken;
  }

  template <typename Number>
  static void AddOutside(Number measure, const Shape& shape, std::vector<std::string>& broken) {
    if (shape.least_ && measure < static_cast<Number>(*shape.least_)) broken.push_back(AtLeast(shape));
    if (shape.most_ && measure > static_cast<Number>(*shape.most_)) broken.push_back(AtMost(shape));
  }

  void AddBroken(Value value, const Shape& shape, const Place& at, const std::string& broken) {
    std::optional<std::string> printed = shape.type_ == Shape::Type::kBlob ? std::nullopt : Printed(value);
    if (shape.type_ == Shape::Type::kDouble && value.kind() == Kind::kReal) printed = fmt::format("{}", value.real());
    Add(fmt::format("Value {}at '{}' failed to satisfy constraint: {}", printed ? fmt::format("'{}' ", *printed) : "",
                    at.Text(), broken));
  }

  /// "Map keys must satisfy constraint: [all that there is]".
  void AddAll(Value value, const Place& at, std::string_view whose, const Shape& shape) {
    std::vector<std::string> all;
    if (shape.most_) all.push_back(AtMost(shape));
    if (shape.least_) all.push_back(AtLeast(shape));
    if (shape.pattern_ != nullptr) all.push_back(Matching(shape));
    if (!shape.one_of_.empty()) all.push_back(Among(shape));
    const std::optional<std::string> printed = Printed(value);
    Add(fmt::format("Value {}at '{}' failed to satisfy constraint: {} must satisfy constraint: [{}]",
                    printed ? fmt::format("'{}' ", *printed) : "", at.Text(), whose, fmt::join(all, ", ")));
  }

  void Add(std::string problem) {
    if (problems_.size() < kProblemsMax) problems_.push_back(std::move(problem));
  }

  std::vector<std::string> problems_;
};

std::optional<ApiError> CheckConstraints(Value input, const Shape& shape) {
  ConstraintCheck check;
  check.CheckStructure(input, shape, nullptr);
  if (check.problems().empty()) return std::nullopt;
  return ValidationError(check.problems());
}

ApiError ValidationError(std::span<const std::string> problems) {
  return {"ValidationException", fmt::format("{} validation error{} detected: {}", problems.size(),
                                             problems.size() == 1 ? "" : "s", fmt::join(problems, "; "))};
}

}  // namespace sluice::protocol::aws
