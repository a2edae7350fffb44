// The jq programs that need no jq: one object of plain paths, as most delivery streams partition by,
//
//     {customer: .user.id, "day": .time["day"], first: .items[0].name, region}
//
// compiled once and evaluated in process. What they give for a record is what jq 1.6 gives.
//
// Threads: a value is shared between threads; a reader belongs to one. Source: the jq 1.6 manual, "Object
// Identifier-Index", "Array Index", "Object Construction".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

/// One `name: path`.
struct JqPath {
  using Step = std::variant<std::string, std::int64_t>;  // a key, or a place in a list (from its end where negative)
  std::string name;
  std::vector<Step> steps;
  friend bool operator==(const JqPath&, const JqPath&) = default;
};

/// kUnimplemented where the program is more than plain paths, or no jq at all.
Result<std::vector<JqPath>> CompileJqPaths(std::string_view program);

class JqPathReader {
 public:
  explicit JqPathReader(std::vector<JqPath> paths);
  ~JqPathReader();

  /// The values by the order of the paths; null is an empty one. kInvalidArgument says why the record has none: it is
  /// no JSON, or a path leads through something that has no such place. The views live until the next call; `json` has
  /// 64 readable bytes behind it.
  Status Read(std::string_view json, std::vector<std::string_view>& values);
  const std::vector<JqPath>& paths() const { return paths_; }

 private:
  struct Parser;
  const std::vector<JqPath> paths_;
  std::unique_ptr<Parser> parser_;
  std::vector<std::string> texts_;  // of values that are no strings in the record
};

/// A number as jq 1.6 prints it.
std::string JqNumberText(double number);

}  // namespace sluice::delivery
