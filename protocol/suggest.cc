// Optimal string alignment distance (Damerau-Levenshtein without overlapping swaps).
#include "protocol/suggest.h"

#include <algorithm>
#include <vector>

#include "protocol/ascii.h"

namespace sluice::protocol {

namespace {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (Lower(a[i - 1]) == Lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> NearestName(std::string_view word, std::span<const std::string> candidates) {
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  std::optional<std::string> best;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) best_distance = distance, best = candidate;
  }
  return best;
}

std::string DidYouMean(std::string_view word, std::span<const std::string> candidates) {
  const auto nearest = NearestName(word, candidates);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

std::string NoSuchShard(std::string_view stream, std::uint32_t shard, std::size_t shards) {
  const std::string there = shards == 1 ? "only 0" : "0 to " + std::to_string(shards - 1);
  return "stream '" + std::string(stream) + "' has no shard " + std::to_string(shard) + "; it has " + there;
}

}  // namespace sluice::protocol
