// Names and values one behind the other.
#include "broker/api/aws/http_fields.h"

#include "protocol/ascii.h"

namespace sluice::broker::aws {
namespace {

constexpr std::size_t kUsualBytes = 640;

}  // namespace

HttpFields::HttpFields(std::initializer_list<HttpField> fields) {
  for (const HttpField& field : fields) Add(field.name, field.value);
}

void HttpFields::Add(std::string_view name, std::string_view value) {
  if (places_.empty()) text_.reserve(kUsualBytes);
  const auto at = static_cast<std::uint32_t>(text_.size());
  text_.append(name).append(value);
  const auto value_at = static_cast<std::uint32_t>(at + name.size());
  places_.push_back({at, value_at, static_cast<std::uint32_t>(text_.size())});
}

void HttpFields::AddLower(std::string_view name, std::string_view value) {
  Add(name, value);
  for (std::uint32_t i = places_.back().name_at; i < places_.back().value_at; ++i) text_[i] = protocol::Lower(text_[i]);
}

HttpField HttpFields::At(const Place& place) const {
  const std::string_view text(text_);
  return {text.substr(place.name_at, place.value_at - place.name_at),
          text.substr(place.value_at, place.end - place.value_at)};
}

std::string_view HttpFields::Find(std::string_view name) const {
  for (const HttpField field : all()) {
    if (field.name == name) return field.value;
  }
  return {};
}

}  // namespace sluice::broker::aws
