// Inference: a tree of guesses is fed with records; a pinned schema is the same tree to begin with, only less willing
// to change.
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "broker/delivery/json_scan.h"
#include "broker/delivery/schema.h"
#include "broker/delivery/text_values.h"
#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

using protocol::Lower;
using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kKeyBytesMax = 255;

bool IsInteger(TypeKind kind) {
  return kind == TypeKind::kTinyint || kind == TypeKind::kSmallint || kind == TypeKind::kInt ||
         kind == TypeKind::kBigint;
}

bool FitsInteger(TypeKind kind, std::int64_t value) {
  switch (kind) {
    case TypeKind::kTinyint:
      return value >= INT8_MIN && value <= INT8_MAX;
    case TypeKind::kSmallint:
      return value >= INT16_MIN && value <= INT16_MAX;
    case TypeKind::kInt:
      return value >= INT32_MIN && value <= INT32_MAX;
    default:
      return true;
  }
}

bool IsScalar(TypeKind kind) { return kind != TypeKind::kArray && kind != TypeKind::kMap && kind != TypeKind::kStruct; }

// What is known of one field. A field that was only ever null (or an empty list or object) is no column yet.
class Guess {
 public:
  struct Member {
    std::string name;
    std::unique_ptr<Guess> guess;
  };

  Guess() = default;
  explicit Guess(const ColumnType& type) : known_(true), pinned_(true), type_(type) {
    if (type.kind == TypeKind::kStruct) {
      for (const Field& child : type.children) AddMember(child.name, std::make_unique<Guess>(child.type));
    } else if (type.kind == TypeKind::kArray) {
      element_ = std::make_unique<Guess>(type.children[0].type);
    }
  }

  bool known() const { return known_; }

  Guess* FindMember(std::string_view name) {
    auto found = member_by_key_.find(Lower(name));
    return found == member_by_key_.end() ? nullptr : members_[found->second].guess.get();
  }
  Guess& AddMember(std::string_view name, std::unique_ptr<Guess> guess) {
    member_by_key_.emplace(Lower(name), members_.size());
    members_.push_back({std::string(name), std::move(guess)});
    return *members_.back().guess;
  }
  Guess& Element() {
    if (element_ == nullptr) element_ = std::make_unique<Guess>();
    return *element_;
  }

  // True where `kind` may take the place of what is known, which is then changed.
  bool Become(TypeKind kind, const InferenceRules& rules) {
    if (!known_) {
      known_ = true;
      type_.kind = kind;
      return true;
    }
    if (type_.kind == kind) return true;
    bool number = IsInteger(type_.kind) && (kind == TypeKind::kDouble || (kind == TypeKind::kBigint));
    bool text =
        kind == TypeKind::kString && IsScalar(type_.kind) && (rules.widen_to_string || (!pinned_ && IsUnsureText()));
    if ((number && rules.widen_numbers) || text) {
      type_ = {};
      type_.kind = kind;
      return true;
    }
    return false;
  }

  TypeKind kind() const { return type_.kind; }

  // Nothing where no value ever said what it is.
  bool ToType(ColumnType& out) const {
    if (!known_) return false;
    out = type_;
    if (type_.kind == TypeKind::kStruct) {
      out.children.clear();
      AppendFields(out.children);
      return !out.children.empty();
    }
    if (type_.kind != TypeKind::kArray) return true;
    out.children.assign(1, Field{"element", {}});
    return element_ != nullptr && element_->ToType(out.children[0].type);
  }
  void AppendFields(std::vector<Field>& out) const {
    for (const Member& member : members_) {
      Field field{member.name, {}};
      if (member.guess->ToType(field.type)) out.push_back(std::move(field));
    }
  }

 private:
  // A text that looked like a timestamp and then did not.
  bool IsUnsureText() const { return type_.kind == TypeKind::kTimestamp; }

  bool known_ = false;
  bool pinned_ = false;
  ColumnType type_;  // children only of pinned maps
  std::vector<Member> members_;
  std::map<std::string, std::size_t> member_by_key_;
  std::unique_ptr<Guess> element_;
};

class Inference {
 public:
  explicit Inference(const InferenceRules& rules) : rules_(rules) {}

  void Pin(const std::vector<Field>& columns) {
    for (const Field& column : columns) {
      root_.AddMember(column.name, std::make_unique<Guess>(column.type));
      leaves_ += Leaves(column.type);
    }
  }

  void Observe(std::string_view record) {
    for (std::string_view rest = TrimJson(record); !rest.empty(); rest = TrimJson(rest)) {
      std::string_view value = SkipJsonValue(rest, kDepthMax);
      element parsed;
      if (value.empty() || parser_.parse(value.data(), value.size()).get(parsed) != simdjson::SUCCESS) return;
      if (parsed.type() == element_type::OBJECT) ObserveMembers(root_, parsed);
      rest.remove_prefix(value.size());
    }
  }

  std::vector<Field> Columns() const {
    std::vector<Field> columns;
    root_.AppendFields(columns);
    return columns;
  }

 private:
  static std::size_t Leaves(const ColumnType& type) {
    std::size_t count = type.children.empty() ? 1 : 0;
    for (const Field& child : type.children) count += Leaves(child.type);
    return count;
  }

  // Recursion is as deep as the JSON, which SkipJsonValue has limited to kDepthMax.
  void ObserveMembers(Guess& guess, const element& object) {
    simdjson::dom::object members;
    if (object.get_object().get(members) != simdjson::SUCCESS) return;
    for (const auto& [key, value] : members) {
      Guess* member = guess.FindMember(key);
      if (member == nullptr) {
        if (!MayAdd(key, value)) continue;
        member = &guess.AddMember(key, std::make_unique<Guess>());
        ++leaves_;
      }
      ObserveValue(*member, value);
    }
  }

  bool MayAdd(std::string_view key, const element& value) const {
    return rules_.add_columns && leaves_ < rules_.columns_max && !key.empty() && key.size() <= kKeyBytesMax &&
           Lower(key) != kOverflowColumn && value.type() != element_type::NULL_VALUE;
  }

  void ObserveValue(Guess& guess, const element& value) {
    switch (value.type()) {
      case element_type::NULL_VALUE:
        return;
      case element_type::OBJECT:
        if (guess.Become(TypeKind::kStruct, rules_)) ObserveMembers(guess, value);
        return;
      case element_type::ARRAY: {
        if (!guess.Become(TypeKind::kArray, rules_)) return;
        for (element item : simdjson::dom::array(value.get_array().value_unsafe())) ObserveValue(guess.Element(), item);
        return;
      }
      case element_type::BOOL:
        Widen(guess, TypeKind::kBoolean);
        return;
      case element_type::STRING:
        ObserveText(guess, value.get_string().value_unsafe());
        return;
      case element_type::INT64:
        ObserveInteger(guess, value.get_int64().value_unsafe());
        return;
      case element_type::UINT64:  // past 2^63, so the overflow column's: a double would lose digits, here and below
        if (!TakesNumbers(guess) && !(guess.known() && IsInteger(guess.kind()))) Widen(guess, TypeKind::kBigint);
        return;
      case element_type::DOUBLE:
        if (!TakesNumbers(guess)) Widen(guess, TypeKind::kDouble);
        return;
    }
  }

  static bool TakesNumbers(const Guess& guess) {
    return guess.known() && (guess.kind() == TypeKind::kDouble || guess.kind() == TypeKind::kFloat ||
                             guess.kind() == TypeKind::kDecimal || guess.kind() == TypeKind::kTimestamp);
  }

  void ObserveInteger(Guess& guess, std::int64_t value) {
    if (TakesNumbers(guess)) return;
    if (guess.known() && IsInteger(guess.kind()) && FitsInteger(guess.kind(), value)) return;
    Widen(guess, TypeKind::kBigint);
  }

  void ObserveText(Guess& guess, std::string_view text) {
    bool timestamp = text.size() > 10 && text[10] == 'T' && ParseTimestamp(text).has_value();
    if (guess.known() && guess.kind() == TypeKind::kTimestamp && ParseTimestamp(text)) return;
    if (guess.known() && (guess.kind() == TypeKind::kDate || guess.kind() == TypeKind::kBinary)) return;
    bool take_timestamp = timestamp && rules_.infer_timestamps && !guess.known();
    Widen(guess, take_timestamp ? TypeKind::kTimestamp : TypeKind::kString);
  }

  // To `kind`, or to a string where the rules allow it; else the field stays and the value is the overflow column's.
  void Widen(Guess& guess, TypeKind kind) {
    if (!guess.Become(kind, rules_)) guess.Become(TypeKind::kString, rules_);
  }

  const InferenceRules rules_;
  simdjson::dom::parser parser_;
  Guess root_;
  std::size_t leaves_ = 0;
};

}  // namespace

Result<Schema> InferSchema(std::span<const std::string_view> records, const InferenceRules& rules) {
  Inference inference(rules);
  for (std::string_view record : records) inference.Observe(record);
  Schema schema;
  schema.columns = inference.Columns();
  schema.overflow = true;
  if (!schema.columns.empty()) return schema;
  return Error(Code::kInvalidArgument,
               "no record holds a JSON object with a key that has a value: there is no schema to infer");
}

Schema WidenSchema(const Schema& pinned, std::span<const std::string_view> records, const InferenceRules& rules) {
  Inference inference(rules);
  inference.Pin(pinned.columns);
  for (std::string_view record : records) inference.Observe(record);
  Schema widened = pinned;
  widened.columns = inference.Columns();
  if (widened.columns != pinned.columns) ++widened.version;
  return widened;
}

}  // namespace sluice::delivery
