// libpq without blocking.
#include "broker/delivery/redshift/postgres_session.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <array>

#include "protocol/check.h"
#include "protocol/freer.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kDetailBytesMax = 1000;
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

using ResultPtr = std::unique_ptr<PGresult, protocol::Freer<PQclear>>;

/// libpq's messages are lines.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != '\t') {
      line += c;
    } else if (!line.empty() && !line.ends_with(' ')) {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string ErrorField(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

/// Without the excerpt of the statement, which may hold secrets.
std::string WhatFailed(const PGresult* result) {
  const std::string message = ErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string detail = ErrorField(result, PG_DIAG_MESSAGE_DETAIL).substr(0, kDetailBytesMax);
  if (message.empty()) return PQresultErrorMessage(result);
  return detail.empty() ? message : fmt::format("{} ({})", message, detail);
}

/// True when the socket is ready for `events`, or has an error.
bool IsReady(int socket, short events, int wait_ms) {
  if (socket < 0) return true;
  pollfd descriptor{.fd = socket, .events = events, .revents = 0};
  return poll(&descriptor, 1, wait_ms) > 0;
}

/// Else libpq writes what servers tell to the standard error.
void DropNotice(void*, const PGresult*) {}

PGconn* Start(const SessionSettings& settings) {
  const std::string port = std::to_string(settings.url.port);
  const bool verifies = settings.url.ssl_mode.starts_with("verify");
  const char* const authorities = settings.ca_file.empty() ? kSystemAuthorities : settings.ca_file.c_str();
  // What stands in the environment (PGOPTIONS and the like) counts for nothing.
  const std::array<std::pair<const char*, const char*>, 17> parameters = {{
      {"host", settings.url.host.c_str()},
      {"port", port.c_str()},
      {"dbname", settings.url.database.c_str()},
      {"user", settings.username.c_str()},
      {"password", settings.password.c_str()},
      {"sslmode", settings.url.ssl_mode.c_str()},
      {"sslrootcert", verifies ? authorities : ""},
      {"gssencmode", "disable"},
      {"client_encoding", "UTF8"},
      {"application_name", "sluice"},
      {"options", ""},
      {"keepalives", "1"},  // a server that is gone while a COPY runs is known within a minute
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "10000"},  // also bounds the connection by which a statement is cancelled
      {"target_session_attrs", "any"},
  }};
  std::array<const char*, parameters.size() + 1> names = {}, values = {};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    names[i] = parameters[i].first;
    values[i] = parameters[i].second;
  }
  return PQconnectStartParams(names.data(), values.data(), 0);
}

}  // namespace

struct PostgresSession::Connection {
  std::unique_ptr<PGconn, protocol::Freer<PQfinish>> handle;
  ResultPtr failed;  // of the statement that runs: what went wrong

  PGconn* get() const { return handle.get(); }
  bool lost() const { return PQstatus(get()) == CONNECTION_BAD; }
};

PostgresSession::PostgresSession(const SessionSettings& settings) : connection_(std::make_unique<Connection>()) {
  connection_->handle.reset(Start(settings));
  SLUICE_CHECK(connection_->get() != nullptr);
  PQsetNoticeReceiver(connection_->get(), DropNotice, nullptr);
  if (connection_->lost()) Fail("", PQerrorMessage(connection_->get()));
}

/// Nobody waits for what the server says to it.
PostgresSession::~PostgresSession() {
  if (state_ != SessionState::kRunning || connection_->lost()) return;
  const std::unique_ptr<PGcancel, protocol::Freer<PQfreeCancel>> cancel(PQgetCancel(connection_->get()));
  std::array<char, 256> why = {};
  if (cancel != nullptr) (void)PQcancel(cancel.get(), why.data(), static_cast<int>(why.size()));
}

SessionState PostgresSession::Wait(int wait_ms) {
  if (state_ == SessionState::kConnecting) Connect(wait_ms);
  if (state_ == SessionState::kRunning) Receive(wait_ms);
  return state_;
}

void PostgresSession::Connect(int wait_ms) {
  PGconn* const handle = connection_->get();
  while (state_ == SessionState::kConnecting) {
    if (!IsReady(PQsocket(handle), connecting_reads_ ? POLLIN : POLLOUT, wait_ms)) return;
    switch (PQconnectPoll(handle)) {
      case PGRES_POLLING_OK:
        PQsetnonblocking(handle, 1);
        state_ = SessionState::kReady;
        break;
      case PGRES_POLLING_READING:
        connecting_reads_ = true;
        break;
      case PGRES_POLLING_FAILED:
        Fail("", PQerrorMessage(handle));
        failure_.lost = true;
        break;
      default:
        connecting_reads_ = false;
        break;
    }
  }
}

void PostgresSession::Send(const std::string& sql) {
  SLUICE_CHECK(state_ == SessionState::kReady);
  rows_ = 0;
  tag_.clear();
  state_ = SessionState::kRunning;
  if (PQsendQuery(connection_->get(), sql.c_str()) == 0) Fail("", PQerrorMessage(connection_->get()));
}

void PostgresSession::Receive(int wait_ms) {
  PGconn* const handle = connection_->get();
  while (state_ == SessionState::kRunning) {
    const int unsent = PQflush(handle);
    if (unsent < 0) return Fail("", PQerrorMessage(handle));
    if (TakeResults()) return;
    const short events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    if (!IsReady(PQsocket(handle), events, wait_ms)) return;
    if (PQconsumeInput(handle) == 0) return Fail("", PQerrorMessage(handle));
  }
}

/// True when the statement has come to its end.
bool PostgresSession::TakeResults() {
  while (PQisBusy(connection_->get()) == 0) {
    ResultPtr result(PQgetResult(connection_->get()));
    if (result == nullptr) {
      const PGresult* const failed = connection_->failed.get();
      if (failed == nullptr) {
        state_ = SessionState::kReady;
        return true;
      }
      Fail(ErrorField(failed, PG_DIAG_SQLSTATE), WhatFailed(failed));
      return true;
    }
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      Fail("", "the server wants to copy over this connection; COPY has to read from s3://");
      return true;
    }
    const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
    rows_ = static_cast<std::size_t>(PQntuples(result.get()));
    tag_ = PQcmdStatus(result.get());
    if (!good && connection_->failed == nullptr) connection_->failed = std::move(result);
  }
  return false;
}

void PostgresSession::Fail(std::string sql_state, std::string message) {
  failure_ = {.sql_state = std::move(sql_state), .message = OneLine(message), .lost = connection_->lost()};
  state_ = SessionState::kFailed;
}

}  // namespace sluice::delivery
