// Conditions and projections.
#include "broker/api/dynamodb/expression/evaluate.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sluice::broker::dynamodb {
namespace {

using Kind = Condition::Kind;

const AttributeValue* Step(const AttributeValue& value, const Path::value_type& part) {
  if (const auto* const place = std::get_if<std::uint32_t>(&part)) {
    const bool there = value.type == Type::kList && *place < value.elements.size();
    return there ? &value.elements[*place] : nullptr;
  }
  if (value.type != Type::kMap) return nullptr;
  const auto member = value.members.find(std::get<std::string>(part));
  return member == value.members.end() ? nullptr : &member->second;
}

/// What the function size() gives; nullopt for types that have none.
std::optional<std::size_t> SizeFunction(const AttributeValue& value) {
  switch (value.type) {
    case Type::kString:
    case Type::kBinary:
      return value.text.size();
    case Type::kMap:
      return value.members.size();
    case Type::kNumber:
    case Type::kBoolean:
    case Type::kNull:
      return std::nullopt;
    default:
      return value.elements.size();
  }
}

/// An operand's value: the item's, the expression's, or one that is made here.
class Resolved {
 public:
  Resolved(const Operand& operand, const Item& item) {
    if (operand.kind == Operand::Kind::kValue) {
      value_ = &operand.value;
      return;
    }
    value_ = Find(item, operand.path);
    if (operand.kind != Operand::Kind::kSize || value_ == nullptr) return;
    const std::optional<std::size_t> size = SizeFunction(*value_);
    if (size) made_ = AttributeValue::Of(Number(*size));
    value_ = size ? &made_ : nullptr;
  }
  Resolved(const Resolved&) = delete;
  Resolved& operator=(const Resolved&) = delete;
  const AttributeValue* get() const { return value_; }

 private:
  const AttributeValue* value_ = nullptr;
  AttributeValue made_;
};

bool Equal(const AttributeValue* a, const AttributeValue* b) { return a != nullptr && b != nullptr && *a == *b; }

/// Whether both are there, can be compared, and compare as asked.
bool Ordered(const AttributeValue* a, const AttributeValue* b, Kind kind) {
  if (a == nullptr || b == nullptr || a->type != b->type || !IsOrdered(a->type)) return false;
  const std::strong_ordering order = CompareScalars(*a, *b);
  if (kind == Kind::kLess) return order < 0;
  if (kind == Kind::kLessEqual) return order <= 0;
  return kind == Kind::kGreater ? order > 0 : order >= 0;
}

bool BeginsWith(const AttributeValue* a, const AttributeValue* b) {
  if (a == nullptr || b == nullptr || a->type != b->type) return false;
  return (a->type == Type::kString || a->type == Type::kBinary) && a->text.starts_with(b->text);
}

bool Contains(const AttributeValue* a, const AttributeValue* b) {
  if (a == nullptr || b == nullptr) return false;
  if (a->type == Type::kString || a->type == Type::kBinary) return a->type == b->type && a->text.contains(b->text);
  return std::ranges::find(a->elements, *b) != a->elements.end();
}

bool HoldsOfOperands(const Condition& condition, const Item& item) {
  const Resolved first(condition.operands[0], item);
  if (condition.kind == Kind::kExists) return first.get() != nullptr;
  if (condition.kind == Kind::kNotExists) return first.get() == nullptr;
  if (condition.kind == Kind::kIn) {
    return std::any_of(condition.operands.begin() + 1, condition.operands.end(),
                       [&](const Operand& operand) { return Equal(first.get(), Resolved(operand, item).get()); });
  }
  const Resolved second(condition.operands[1], item);
  switch (condition.kind) {
    case Kind::kEqual:
      return Equal(first.get(), second.get());
    case Kind::kNotEqual:
      return !Equal(first.get(), second.get());
    case Kind::kBetween:
      return Ordered(first.get(), second.get(), Kind::kGreaterEqual) &&
             Ordered(first.get(), Resolved(condition.operands[2], item).get(), Kind::kLessEqual);
    case Kind::kHasType:
      return first.get() != nullptr && TypeName(first.get()->type) == second.get()->text;
    case Kind::kBeginsWith:
      return BeginsWith(first.get(), second.get());
    case Kind::kContains:
      return Contains(first.get(), second.get());
    default:
      return Ordered(first.get(), second.get(), condition.kind);
  }
}

/// Puts the part of `from` behind `path` to its place in `to`; lists lose the elements that nobody asked for.
void CopyPart(const AttributeValue& from, std::span<const Path::value_type> path, AttributeValue& to) {
  if (path.empty()) {
    to = from;
    return;
  }
  const AttributeValue* const part = Step(from, path.front());
  to.type = from.type;
  if (from.type == Type::kMap) return CopyPart(*part, path.subspan(1), to.members[std::get<std::string>(path.front())]);
  CopyPart(*part, path.subspan(1), to.elements.emplace_back());
}

}  // namespace

const AttributeValue* Find(const Item& item, const Path& path) {
  const auto member = item.find(std::get<std::string>(path.front()));
  if (member == item.end()) return nullptr;
  const AttributeValue* value = &member->second;
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) value = Step(*value, path[i]);
  return value;
}

bool Holds(const Condition& condition, const Item& item) {
  const auto holds = [&](const Condition& part) { return Holds(part, item); };
  if (condition.kind == Kind::kAnd) return std::ranges::all_of(condition.children, holds);
  if (condition.kind == Kind::kOr) return std::ranges::any_of(condition.children, holds);
  if (condition.kind == Kind::kNot) return !Holds(condition.children[0], item);
  return HoldsOfOperands(condition, item);
}

Item Project(const Item& item, std::span<const Path> paths) {
  Item projected;
  for (const Path& path : paths) {
    if (Find(item, path) == nullptr) continue;
    const std::string& name = std::get<std::string>(path.front());
    CopyPart(item.find(name)->second, std::span(path).subspan(1), projected[name]);
  }
  return projected;
}

}  // namespace sluice::broker::dynamodb
