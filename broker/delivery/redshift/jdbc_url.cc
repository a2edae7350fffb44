// Scheme, host, port, database, query.
#include "broker/delivery/redshift/jdbc_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kForm = "write jdbc:redshift://HOST:PORT/DATABASE";
constexpr std::array<std::string_view, 6> kSslModes = {"disable", "allow",     "prefer",
                                                       "require", "verify-ca", "verify-full"};

struct Scheme {
  std::string_view text;
  std::uint16_t port;  // where none is given
};
constexpr std::array kSchemes = {Scheme{"jdbc:redshift://", 5439}, Scheme{"jdbc:postgresql://", 5432}};

std::unexpected<Status> Invalid(std::string_view why) {
  return Error(Code::kInvalidArgument, fmt::format("{}; {}", why, kForm));
}

bool IsHost(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return protocol::IsLetterOrDigit(c) || std::string_view(".-_:").contains(c);
  });
}

/// "ssl=false" and "sslmode=.." as JDBC drivers have them.
Status ReadQuery(std::string_view query, JdbcUrl& url) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    if (name == "ssl" && (value == "true" || value == "false")) {
      url.ssl_mode = value == "true" ? "require" : "disable";
    } else if (name == "sslmode" && std::ranges::find(kSslModes, value) != kSslModes.end()) {
      url.ssl_mode = value;
    } else if (protocol::Lower(name) == "user" || protocol::Lower(name) == "password") {
      return Status(Code::kInvalidArgument, "has a user or a password behind '?'; give Username and Password");
    } else {
      return Status(Code::kInvalidArgument,
                    fmt::format("has '{}' behind '?'; what can stand there is sslmode=disable, allow, prefer, require, "
                                "verify-ca or verify-full",
                                name));
    }
  }
  return Status();
}

/// "HOST", "HOST:PORT", "[ADDRESS]:PORT".
Status ReadAuthority(std::string_view text, JdbcUrl& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return Status(Code::kInvalidArgument, "has a '[' without its ']'");
    url.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return Status(Code::kInvalidArgument, "has something behind ']'");
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    url.host = text.substr(0, colon);
    port = text.substr(std::min(colon + 1, text.size()));
    if (colon < text.size() && port.empty()) return Status(Code::kInvalidArgument, "has no port behind ':'");
  }
  if (!IsHost(url.host)) return Status(Code::kInvalidArgument, fmt::format("'{}' is no host", url.host));
  if (port.empty()) return Status();
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0)
    return Status(Code::kInvalidArgument, fmt::format("'{}' is no port", port));
  return Status();
}

}  // namespace

std::string JdbcUrl::Text() const { return fmt::format("{}:{}/{}", host, port, database); }

Result<JdbcUrl> ParseJdbcUrl(std::string_view text) {
  const auto scheme = std::ranges::find_if(kSchemes, [&](const Scheme& each) { return text.starts_with(each.text); });
  if (scheme == kSchemes.end()) return Invalid("begins neither with jdbc:redshift:// nor with jdbc:postgresql://");
  text.remove_prefix(scheme->text.size());
  JdbcUrl url{.host = {}, .port = scheme->port, .database = {}};
  const std::size_t mark = std::min(text.find('?'), text.size());
  if (Status status = ReadQuery(text.substr(std::min(mark + 1, text.size())), url); !status.ok())
    return Error(std::move(status));
  text = text.substr(0, mark);
  const std::size_t slash = std::min(text.find('/'), text.size());
  if (Status status = ReadAuthority(text.substr(0, slash), url); !status.ok()) return Invalid(status.message());
  url.database = text.substr(std::min(slash + 1, text.size()));
  if (url.database.empty()) return Invalid("names no database");
  if (url.database.find_first_of("/ \t\r\n'\"\\") != url.database.npos)
    return Invalid(fmt::format("'{}' is no database's name", url.database));
  return url;
}

}  // namespace sluice::delivery
