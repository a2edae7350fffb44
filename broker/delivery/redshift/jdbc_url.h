// The address of a cluster as Firehose has it:
//
//     jdbc:redshift://HOST[:PORT]/DATABASE[?sslmode=MODE]       jdbc:postgresql://..
//
// The port is 5439 of a redshift: URL and 5432 of a postgresql: one where none is given, MODE one of libpq's. Values
// only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::delivery {

struct JdbcUrl {
  std::string host;  // a name or an address, IPv6 without its brackets
  std::uint16_t port = 0;
  std::string database;
  std::string ssl_mode = "require";  // disable, allow, prefer, require, verify-ca, verify-full

  /// "HOST:PORT/DATABASE", for messages.
  std::string Text() const;
  friend bool operator==(const JdbcUrl&, const JdbcUrl&) = default;
};

/// kInvalidArgument says what is wrong with `text` and what would be right.
Result<JdbcUrl> ParseJdbcUrl(std::string_view text);

}  // namespace sluice::delivery
