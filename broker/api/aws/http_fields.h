// The fields of an HTTP header. All of them share one piece of memory: a small request has ten fields, and memory of
// their own would be most of what it costs. Values only.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <string>
#include <string_view>

namespace sluice::broker::aws {

/// Of HttpFields, valid until they change or move.
struct HttpField {
  std::string_view name;
  std::string_view value;
};

class HttpFields {
 public:
  static constexpr std::size_t kUsualCount = 12;

  HttpFields() = default;
  HttpFields(std::initializer_list<HttpField> fields);

  /// To the end. All together at most 4 GiB.
  void Add(std::string_view name, std::string_view value);
  /// With the name in lower case.
  void AddLower(std::string_view name, std::string_view value);

  std::size_t size() const { return places_.size(); }
  /// As they came: a range of HttpField.
  auto all() const {
    return std::views::transform(places_, [this](const Place& place) { return At(place); });
  }
  /// The value of the first field of this very name; empty where there is none.
  std::string_view Find(std::string_view name) const;

 private:
  struct Place {  // a name from `name_at` to `value_at`, and its value to `end`
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t end;
  };
  HttpField At(const Place& place) const;

  std::string text_;
  boost::container::small_vector<Place, kUsualCount> places_;
};

}  // namespace sluice::broker::aws
