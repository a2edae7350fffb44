// Reads the members of a JSON object of the agent's configuration, with messages that name the place of a mistake.
//
// Threads: one.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/status.h"

namespace sluice::tools {

/// The first mistake is kept, and later reads give their presets: look at `error` once, at the end.
class OptionReader {
 public:
  /// `where`: "agent.json: flows[0]", or "agent.json: " for the outermost object. The object outlives the reader.
  OptionReader(const boost::json::object& object, std::string where) : object_(object), where_(std::move(where)) {}

  /// nullptr where it is absent or null.
  const boost::json::value* Find(std::string_view key);
  std::optional<std::string> Text(std::string_view key);
  /// Numbers may stand in quotes, as the Kinesis Agent takes them.
  std::uint64_t Number(std::string_view key, std::uint64_t preset, std::uint64_t min, std::uint64_t max);
  bool Flag(std::string_view key, bool preset);
  /// One of `words`; the first where it is absent.
  std::string Word(std::string_view key, const std::vector<std::string>& words);
  std::vector<std::string> Texts(std::string_view key);

  /// "WHERE.KEY: WHAT"
  void Mistake(std::string_view key, std::string_view what);
  /// The same for a mistake that is named already.
  void Fail(const Status& error) {
    if (error_.ok()) error_ = error;
  }
  const Status& error() const { return error_; }
  const std::string& where() const { return where_; }
  /// "agent.json: flows[0].KEY"
  std::string PlaceOf(std::string_view key) const;
  /// Keys of the object that nobody has asked for.
  std::vector<std::string> Unread() const;

 private:
  const boost::json::object& object_;
  const std::string where_;
  std::vector<std::string> read_;
  Status error_;
};

}  // namespace sluice::tools
