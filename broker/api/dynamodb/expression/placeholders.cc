// Reading them, and the messages where they do not fit the expressions.
#include "broker/api/dynamodb/expression/placeholders.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "broker/api/dynamodb/item_json.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

ApiError BadKey(std::string_view parameter, std::string_view key) {
  return Validation(fmt::format("{} contains invalid key: Syntax error; key: \"{}\"", parameter, key));
}

template <typename Held>
std::vector<std::string> Unused(const std::map<std::string, Held, std::less<>>& all) {
  std::vector<std::string> unused;
  for (const auto& [holder, held] : all) {
    if (!held.used) unused.push_back(holder);
  }
  return unused;
}

}  // namespace

ApiResult<Placeholders> Placeholders::Read(api::Value input) {
  Placeholders holders;
  if (const auto names = input.Find("ExpressionAttributeNames"); names && names->kind() == api::Kind::kMap) {
    for (const auto [holder, name] : names->children()) {
      if (!holder.starts_with('#')) return std::unexpected(BadKey("ExpressionAttributeNames", holder));
      if (name.kind() != api::Kind::kText) return std::unexpected(Serialization("Unexpected field type"));
      holders.names_.insert_or_assign(std::string(holder), Held<std::string>{std::string(name.text())});
    }
  }
  if (const auto values = input.Find("ExpressionAttributeValues"); values && values->kind() == api::Kind::kMap) {
    for (const auto [holder, json] : values->children()) {
      if (!holder.starts_with(':')) return std::unexpected(BadKey("ExpressionAttributeValues", holder));
      auto value = ReadAttributeValue(json);
      if (!value) {
        ApiError& error = value.error();
        if (error.type == "ValidationException") {
          error.message =
              fmt::format("ExpressionAttributeValues contains invalid value: {} for key {}", error.message, holder);
        }
        return std::unexpected(std::move(error));
      }
      holders.values_.insert_or_assign(std::string(holder), Held<AttributeValue>{std::move(*value)});
    }
  }
  return holders;
}

const std::string* Placeholders::UseName(std::string_view holder) {
  const auto found = names_.find(holder);
  if (found == names_.end()) return nullptr;
  found->second.used = true;
  return &found->second.value;
}

const AttributeValue* Placeholders::UseValue(std::string_view holder) {
  const auto found = values_.find(holder);
  if (found == values_.end()) return nullptr;
  found->second.used = true;
  return &found->second.value;
}

ApiResult<void> Placeholders::CheckAllUsed() const {
  const auto refuse = [](std::string_view parameter, const std::vector<std::string>& unused) {
    return std::unexpected(Validation(
        fmt::format("Value provided in {} unused in expressions: keys: {{{}}}", parameter, fmt::join(unused, ", "))));
  };
  if (const auto unused = Unused(names_); !unused.empty()) return refuse("ExpressionAttributeNames", unused);
  if (const auto unused = Unused(values_); !unused.empty()) return refuse("ExpressionAttributeValues", unused);
  return {};
}

}  // namespace sluice::broker::dynamodb
