// Characters of tags by RE2, which knows Unicode's classes; changes through the catalog.
#include "broker/api/kinesis/tags.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/stream_change.h"

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

/// Null where the consumer has gone.
Tags* TagsIn(StreamInfo& stream, const std::string& consumer) {
  if (consumer.empty()) return &stream.kinesis.tags;
  const auto found = stream.kinesis.consumers.find(consumer);
  return found == stream.kinesis.consumers.end() ? nullptr : &found->second.tags;
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

std::optional<ApiError> CheckTags(const Tags& tags, const TagTarget& target, const aws::Caller& caller) {
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
                    target.name, caller.account));
  }
  return std::nullopt;
}

std::optional<ApiError> CheckTagCount(const Tags& tags, const TagTarget& target, const aws::Caller& caller) {
  if (tags.size() <= kTagsMax) return std::nullopt;
  return InvalidArgument(
      fmt::format("Failed to add tags to {} under account {} because a given {} cannot have more than {} tags "
                  "associated with it.",
                  target.name, caller.account, target.kind, kTagsMax));
}

ApiResult<std::string> AddTags(const Context& context, const aws::Call& call, const StreamPtr& stream,
                               const TagTarget& target) {
  const Tags added = ReadTags(*call.input().Find("Tags"));
  if (auto wrong = CheckTags(added, target, call.caller())) return std::unexpected(std::move(*wrong));
  return NoBody(ChangeAtOnce(context, call, stream, [&](StreamInfo& now) -> Refusal {
    Tags* const tags = TagsIn(now, target.consumer);
    if (tags == nullptr) return ConsumerNotFound(target.consumer, now.name, call.caller());
    for (const auto& [key, value] : added) (*tags)[key] = value;
    return CheckTagCount(*tags, target, call.caller());
  }));
}

ApiResult<std::string> RemoveTags(const Context& context, const aws::Call& call, const ApiResult<StreamPtr>& found,
                                  const std::string& consumer) {
  return NoBody(ChangeAtOnce(context, call, found, [&](StreamInfo& stream) -> Refusal {
    Tags* const tags = TagsIn(stream, consumer);
    if (tags == nullptr) return ConsumerNotFound(consumer, stream.name, call.caller());
    for (const auto [unnamed, key] : call.input().Find("TagKeys")->children()) {
      if (key.kind() == protocol::aws::Kind::kText) tags->erase(std::string(key.text()));
    }
    return std::nullopt;
  }));
}

}  // namespace sluice::broker::kinesis
