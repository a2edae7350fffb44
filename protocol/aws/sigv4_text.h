// Pieces of text that the two halves of the signature code share. Private to protocol/aws.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::protocol::aws {

/// `use` of each part of `text` between two separators; none where it is empty.
inline void ForEachPart(std::string_view text, char separator, auto use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Names and values as they stand there, in that order; a name without an equals sign has an empty value.
inline std::vector<std::pair<std::string_view, std::string_view>> QueryParameters(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  ForEachPart(query, '&', [&](std::string_view one) {
    const std::size_t equals = std::min(one.find('='), one.size());
    if (!one.empty()) parameters.emplace_back(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
  });
  return parameters;
}

}  // namespace sluice::protocol::aws
