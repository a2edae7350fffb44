// Characters of tags by RE2, which knows Unicode's classes.
#include "broker/api/kinesis/tags.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "broker/api/kinesis/errors.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

bool HasTagCharacters(const std::string& text) {
  static const re2::RE2 allowed(R"([\p{L}\p{N}\p{Z}\t_./=+\-%@]*)", re2::RE2::Quiet);
  return re2::RE2::FullMatch(text, allowed);
}

bool AnyOf(const Tags& tags, bool (*holds)(const std::string&)) {
  return std::ranges::any_of(tags, [&](const auto& tag) { return holds(tag.first) || holds(tag.second); });
}

}  // namespace

Tags ReadTags(protocol::aws::Value map) {
  Tags tags;
  for (const auto [key, value] : map.children()) {
    const bool is_text = value.kind() == protocol::aws::Kind::kText;
    tags[std::string(key)] = is_text ? std::string(value.text()) : std::string();
  }
  return tags;
}

ApiError TooManyTags(std::string_view target, std::string_view kind, const aws::Caller& caller) {
  return InvalidArgument(
      fmt::format("Failed to add tags to {} under account {} because a given {} cannot have more than {} tags "
                  "associated with it.",
                  target, caller.account, kind, kTagsMax));
}

std::optional<ApiError> CheckTags(const Tags& tags, std::string_view target, const aws::Caller& caller) {
  if (std::ranges::any_of(tags, [](const auto& tag) { return tag.first.starts_with("aws:"); })) {
    return InvalidArgument("Some tag keys in the request started with 'aws:'. System tags cannot be modified.");
  }
  if (AnyOf(tags, [](const std::string& text) { return !HasTagCharacters(text); })) {
    return InvalidArgument(
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % "
        "@.");
  }
  if (AnyOf(tags, [](const std::string& text) { return text.contains('%'); })) {
    return InvalidArgument(
        fmt::format("Failed to add tags to {} under account {} because some tags contained illegal characters. The "
                    "allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.",
                    target, caller.account));
  }
  return std::nullopt;
}

}  // namespace sluice::broker::kinesis
