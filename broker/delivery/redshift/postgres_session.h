// One session with a server that speaks PostgreSQL's protocol, by libpq, in pieces that never wait long: a server that
// is gone holds nobody up. Only the look-up of a name may take the resolver's time.
//
// A session that has failed is of no use any more: make another one. One that ends while a statement runs asks the
// server to cancel it, and what was not committed is rolled back there.
//
// One thread at a time. A crash is a connection that breaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "broker/delivery/redshift/jdbc_url.h"

namespace sluice::delivery {

struct SessionSettings {
  JdbcUrl url;
  std::string username;
  std::string password;
  std::string ca_file;  // PEM, where certificates are verified; empty: the system's
};

enum class SessionState : std::uint8_t { kConnecting, kReady, kRunning, kFailed };

/// Why a session has failed.
struct SessionFailure {
  std::string sql_state;  // of PostgreSQL, five characters; empty: the server has not said one
  std::string message;    // one line
  bool lost = false;      // there is no connection (any more): what became of the statement is not known
};

class PostgresSession {
 public:
  explicit PostgresSession(const SessionSettings& settings);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  /// Goes on with what is under way, and waits `wait_ms` at most where the server has nothing new.
  SessionState Wait(int wait_ms);
  /// kReady becomes kRunning.
  void Send(const std::string& sql);

  /// How many rows the last statement gave; kReady.
  std::size_t rows() const { return rows_; }
  /// "COMMIT", "INSERT 0 1"; kReady.
  const std::string& tag() const { return tag_; }
  /// kFailed.
  const SessionFailure& failure() const { return failure_; }

 private:
  struct Connection;
  void Connect(int wait_ms);
  void Receive(int wait_ms);
  bool TakeResults();
  void Fail(std::string sql_state, std::string message);

  std::unique_ptr<Connection> connection_;
  SessionState state_ = SessionState::kConnecting;
  bool connecting_reads_ = false;
  std::size_t rows_ = 0;
  std::string tag_;
  SessionFailure failure_;
};

}  // namespace sluice::delivery
