// Lines of the log over spdlog: it keeps time, level and the lock around stderr; the rest of the line is made here.
#include "broker/log.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace sluice::broker::log {
namespace {

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view Name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

std::unique_ptr<spdlog::logger> NewLogger() {
  auto logger = std::make_unique<spdlog::logger>("sluice", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  logger->flush_on(spdlog::level::trace);
  return logger;
}

struct Output {
  std::unique_ptr<spdlog::logger> logger = NewLogger();
  std::atomic<bool> json{false};
};

Output& TheOutput() {
  static Output output;
  return output;
}

// JSON's own escapes; every other control byte and every byte above ASCII as \u00XX, so that a line is always valid and
// short.
void AppendQuoted(std::string& out, std::string_view text) {
  constexpr std::size_t kValueBytesMax = 4096;
  out.push_back('"');
  for (const char c : text.substr(0, kValueBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

Status Configure(const LogOptions& options) {
  Output& output = TheOutput();
  if (options.format != "text" && options.format != "json") {
    return Status(Code::kInvalidArgument, "log.format is '" + options.format + "'; use text or json");
  }
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (Name(level) != options.level) continue;
    const bool json = options.format == "json";
    output.json = json;
    output.logger->set_level(ToSpdlog(level));
    output.logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
    return {};
  }
  return Status(Code::kInvalidArgument, "log.level is '" + options.level + "'; use debug, info, warning or error");
}

std::string Render(bool json, Level level, std::string_view message, Fields fields) {
  std::string line;
  if (json) {
    fmt::format_to(std::back_inserter(line), R"("level":"{}","message":)", Name(level));
    AppendQuoted(line, message);
  } else {
    fmt::format_to(std::back_inserter(line), "{:<7} {}", Name(level), message);
  }
  for (const Field& field : fields) {
    if (json) {
      line.push_back(',');
      AppendQuoted(line, field.key);
      line.push_back(':');
    } else {
      line.append(" ").append(field.key).append("=");
    }
    if (field.quoted) {
      AppendQuoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  return line;
}

void Write(Level level, std::string_view message, Fields fields) {
  Output& output = TheOutput();
  if (!output.logger->should_log(ToSpdlog(level))) return;
  output.logger->log(ToSpdlog(level), spdlog::string_view_t(Render(output.json, level, message, fields)));
}

bool RateLimit::Allow(std::int64_t now_ns, std::uint64_t& suppressed) {
  std::int64_t next_ns = next_ns_.load(std::memory_order_relaxed);
  if (now_ns < next_ns || !next_ns_.compare_exchange_strong(next_ns, now_ns + interval_ns_)) {
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  suppressed = suppressed_.exchange(0);
  return true;
}

}  // namespace sluice::broker::log
