// Updates. First all new values are made out of the old item, then they are put in their places.
#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/item_json.h"

namespace sluice::broker::dynamodb {
namespace {

using Kind = UpdateAction::Kind;

std::unexpected<ApiError> WrongType() {
  return std::unexpected(Validation("An operand in the update expression has an incorrect data type"));
}

std::unexpected<ApiError> TooLarge() {
  return std::unexpected(Validation("Item size to update has exceeded the maximum allowed size"));
}

std::unexpected<ApiError> WrongPath() {
  return std::unexpected(Validation("The document path provided in the update expression is invalid for update"));
}

ApiResult<AttributeValue> Evaluate(const SetValue& value, const Item& item);

ApiResult<AttributeValue> EvaluateOperand(const Operand& operand, const Item& item) {
  if (operand.kind == Operand::Kind::kValue) return operand.value;
  const AttributeValue* const found = Find(item, operand.path);
  if (found != nullptr) return *found;
  return std::unexpected(Validation("The provided expression refers to an attribute that does not exist in the item"));
}

ApiResult<AttributeValue> Sum(const AttributeValue& a, const AttributeValue& b, bool negated) {
  if (a.type != Type::kNumber || b.type != Type::kNumber) return WrongType();
  auto sum = Number::Sum(a.number, negated ? b.number.Negated() : b.number);
  if (!sum) return std::unexpected(Validation(std::move(sum.error())));
  return AttributeValue::Of(*sum);
}

ApiResult<AttributeValue> EvaluateTwo(const SetValue& value, const Item& item) {
  auto first = Evaluate(value.children[0], item);
  if (!first) return first;
  auto second = Evaluate(value.children[1], item);
  if (!second) return second;
  if (value.kind != SetValue::Kind::kListAppend) {
    return Sum(*first, *second, value.kind == SetValue::Kind::kDifference);
  }
  if (first->type != Type::kList || second->type != Type::kList) return WrongType();
  if (first->elements.size() + second->elements.size() > kItemValuesMax) return TooLarge();
  std::ranges::move(second->elements, std::back_inserter(first->elements));
  return first;
}

ApiResult<AttributeValue> Evaluate(const SetValue& value, const Item& item) {
  if (value.kind == SetValue::Kind::kOperand) return EvaluateOperand(value.operand, item);
  if (value.kind == SetValue::Kind::kIfNotExists) {
    const AttributeValue* const found = Find(item, value.operand.path);
    return found != nullptr ? ApiResult<AttributeValue>(*found) : Evaluate(value.children[0], item);
  }
  return EvaluateTwo(value, item);
}

/// What ADD makes of `old`, which may not exist.
ApiResult<AttributeValue> Added(const AttributeValue* old, const UpdateAction& action) {
  if (old == nullptr) return action.value;
  if (action.kind == Kind::kAdd && action.value.type == Type::kNumber) return Sum(*old, action.value, false);
  if (old->type != action.value.type) return WrongType();
  AttributeValue value = *old;
  for (const AttributeValue& element : action.value.elements) {
    const bool known = action.kind == Kind::kAdd && std::ranges::find(old->elements, element) != old->elements.end();
    if (!known) value.elements.push_back(element);
  }
  if (IsSet(value.type)) SortSet(value);
  return value;
}

ApiResult<AttributeValue> Reduced(const AttributeValue& old, const AttributeValue& gone) {
  if (old.type != gone.type) return WrongType();
  AttributeValue value = old;
  std::erase_if(value.elements, [&](const AttributeValue& element) {
    return std::ranges::find(gone.elements, element) != gone.elements.end();
  });
  return value;
}

/// The list or map that the last part of `path` is in; nullptr where there is none. Of a path of one part: nullptr.
AttributeValue* ParentOf(Item& item, const Path& path) {
  const AttributeValue* const parent = Find(item, Path(path.begin(), path.end() - 1));
  return const_cast<AttributeValue*>(parent);  // of an item that may be changed
}

ApiResult<void> Put(Item& item, const Path& path, AttributeValue value) {
  if (path.size() == 1) {
    item.insert_or_assign(std::get<std::string>(path.front()), std::move(value));
    return {};
  }
  AttributeValue* const parent = ParentOf(item, path);
  if (parent == nullptr) return WrongPath();
  if (const auto* const place = std::get_if<std::uint32_t>(&path.back())) {
    if (parent->type != Type::kList) return WrongPath();
    if (*place >= parent->elements.size()) {
      parent->elements.push_back(std::move(value));  // behind the end is the end
    } else {
      parent->elements[*place] = std::move(value);
    }
    return {};
  }
  if (parent->type != Type::kMap) return WrongPath();
  parent->members.insert_or_assign(std::get<std::string>(path.back()), std::move(value));
  return {};
}

ApiResult<void> Remove(Item& item, const Path& path) {
  if (path.size() == 1) {
    item.erase(std::get<std::string>(path.front()));
    return {};
  }
  AttributeValue* const parent = ParentOf(item, path);
  if (parent == nullptr) return WrongPath();
  if (const auto* const place = std::get_if<std::uint32_t>(&path.back())) {
    if (parent->type != Type::kList) return WrongPath();
    if (*place < parent->elements.size()) parent->elements.erase(parent->elements.begin() + *place);
    return {};
  }
  if (parent->type != Type::kMap) return WrongPath();
  parent->members.erase(std::get<std::string>(path.back()));
  return {};
}

/// The new value of an action's path; nullopt: the path goes.
ApiResult<std::optional<AttributeValue>> NewValue(const UpdateAction& action, const Item& old) {
  if (action.kind == Kind::kRemove) return std::nullopt;
  const AttributeValue* const now = Find(old, action.path);
  if (action.kind == Kind::kDelete && now == nullptr) return std::nullopt;
  auto value = action.kind == Kind::kSet      ? Evaluate(action.set, old)
               : action.kind == Kind::kDelete ? Reduced(*now, action.value)
                                              : Added(now, action);
  if (!value) return std::unexpected(std::move(value.error()));
  if (action.kind == Kind::kDelete && value->elements.empty()) return std::nullopt;
  return std::move(*value);
}

}  // namespace

ApiResult<Item> Apply(const Update& update, const Item& item) {
  std::vector<std::pair<Path, AttributeValue>> puts;
  std::vector<Path> removals;
  std::size_t bytes = 0;
  for (const UpdateAction& action : update) {
    auto value = NewValue(action, item);
    if (!value) return std::unexpected(std::move(value.error()));
    if (*value && (bytes += SizeOf(**value)) > kItemBytesMax) return TooLarge();
    if (*value) {
      puts.emplace_back(action.path, std::move(**value));
    } else if (action.kind == Kind::kRemove || Find(item, action.path) != nullptr) {
      removals.push_back(action.path);
    }
  }
  Item changed = item;
  for (auto& [path, value] : puts) {
    if (auto put = Put(changed, path, std::move(value)); !put) return std::unexpected(std::move(put.error()));
  }
  // The last places of a list first, so that the others keep theirs.
  std::ranges::sort(removals, std::greater());
  for (const Path& path : removals) {
    if (auto removed = Remove(changed, path); !removed) return std::unexpected(std::move(removed.error()));
  }
  return changed;
}

}  // namespace sluice::broker::dynamodb
