// The broker's own log: one line per event on stderr, as text for people or JSON for machines.
//
//   log::Info("stream created", {{"stream", name}, {"shards", count}});
//
// Whatever came from outside is escaped. A line that input can cause goes through a RateLimit, so that nobody can fill
// the log.
//
// Threads: any. Before Configure, lines of level info and up go out as text.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::broker {

struct LogOptions {
  std::string level = "info";   // debug, info, warning, error
  std::string format = "text";  // text, json
};

namespace log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// A name and a value beside the message.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v), quoted(true) {}
  Field(std::string_view k, const char* v) : Field(k, std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : Field(k, std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  Field(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, const Status& v) : Field(k, std::string_view(v.ToString())) {}

  std::string_view key;
  std::string value;
  bool quoted = false;
};
using Fields = std::initializer_list<Field>;

/// kInvalidArgument where level or format has another value than LogOptions names.
Status Configure(const LogOptions& options);

/// The line as it would be written, without the time; for Write and for tests.
std::string Render(bool json, Level level, std::string_view message, Fields fields);

void Write(Level level, std::string_view message, Fields fields = {});
inline void Debug(std::string_view message, Fields fields = {}) { Write(Level::kDebug, message, fields); }
inline void Info(std::string_view message, Fields fields = {}) { Write(Level::kInfo, message, fields); }
inline void Warning(std::string_view message, Fields fields = {}) { Write(Level::kWarning, message, fields); }
inline void Error(std::string_view message, Fields fields = {}) { Write(Level::kError, message, fields); }

/// Lets one event per interval through and counts the others. One object per kind of event.
class RateLimit {
 public:
  RateLimit() = default;
  explicit RateLimit(std::int64_t interval_ns) : interval_ns_(interval_ns) {}
  /// True where the event may be logged now; `suppressed` then holds how many were not since the last one.
  bool Allow(std::int64_t now_ns, std::uint64_t& suppressed);

 private:
  const std::int64_t interval_ns_ = 1'000'000'000;
  std::atomic<std::int64_t> next_ns_{INT64_MIN};
  std::atomic<std::uint64_t> suppressed_{0};
};

}  // namespace log
}  // namespace sluice::broker
