// Statement after statement.
#include "broker/delivery/redshift/load_attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/delivery/iso_time.h"
#include "broker/delivery/redshift/sql_text.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr int kWaitMs = 100;
constexpr std::int64_t kConnectMs = 30'000;  // a workgroup that sleeps takes its time
constexpr std::int64_t kServerMs = 5'000;    // that the server has beyond its own limit to say so
constexpr std::string_view kNoSuchTable = "42P01";

/// What SQLSTATEs mean in Firehose's words; those that end with 00 of their whole class. The others are
/// DataLoadFailed.
struct StateCode {
  std::string_view begin;
  std::string_view code;
};
constexpr std::array kStateCodes = {
    StateCode{"28", "Redshift.AuthenticationFailed"},     StateCode{"3D000", "Redshift.DatabaseNotFound"},
    StateCode{kNoSuchTable, "Redshift.TableNotFound"},    StateCode{"42703", "Redshift.ColumnNotFound"},
    StateCode{"42501", "Redshift.InsufficientPrivilege"}, StateCode{"42601", "Redshift.SyntaxError"},
    StateCode{"25006", "Redshift.ReadOnlyCluster"},       StateCode{"53100", "Redshift.DiskFull"}};
constexpr std::string_view kConnectionFailed = "Redshift.ConnectionFailed";
constexpr std::string_view kLoadFailed = "Redshift.DataLoadFailed";

/// libpq tells no SQLSTATE of a connection that was refused.
std::string_view CodeOfRefusal(std::string_view message) {
  if (message.contains("authentication failed")) return "Redshift.AuthenticationFailed";
  if (message.contains("database \"") && message.contains("does not exist")) return "Redshift.DatabaseNotFound";
  return kConnectionFailed;
}

std::string_view CodeOf(const SessionFailure& failure) {
  const auto found = std::ranges::find_if(
      kStateCodes, [&](const StateCode& each) { return failure.sql_state.starts_with(each.begin); });
  if (found != kStateCodes.end()) return found->code;
  return failure.lost ? CodeOfRefusal(failure.message) : kLoadFailed;
}

JdbcUrl UrlOf(const LoadRequest& request) {
  Result<JdbcUrl> url = ParseJdbcUrl(request.config.url);
  SLUICE_CHECK(url.has_value());  // the configuration was checked
  return std::move(*url);
}

}  // namespace

LoadAttempt::LoadAttempt(LoadRequest request, ClusterUser user, storage::Clock& clock)
    : request_(std::move(request)),
      user_(std::move(user)),
      clock_(clock),
      steps_(Steps()),
      since_ms_(NowMs()),
      session_({.url = UrlOf(request_),
                .username = user_.username,
                .password = user_.password,
                .ca_file = request_.ca_file}) {}

std::vector<LoadAttempt::Step> LoadAttempt::Steps() const {
  const std::string& loads = request_.config.loads_table;
  const std::string stream = SqlLiteral(request_.delivery_stream);
  const std::string manifest = SqlLiteral(request_.manifest);
  std::vector<Step> steps = {{Kind::kSet, fmt::format("SET statement_timeout TO {}", request_.timeout_ms)}};
  if (!loads.empty() && request_.creates_table) {
    steps.push_back({Kind::kCreate, fmt::format("CREATE TABLE IF NOT EXISTS {} (delivery_stream VARCHAR(64) NOT NULL, "
                                                "manifest VARCHAR(1024) NOT NULL, loaded_at TIMESTAMP NOT NULL)",
                                                loads)});
  }
  steps.push_back({Kind::kBegin, "BEGIN"});
  if (!loads.empty()) {
    steps.push_back({Kind::kLock, fmt::format("LOCK TABLE {}", loads)});
    steps.push_back({Kind::kLook, fmt::format("SELECT 1 FROM {} WHERE delivery_stream = {} AND manifest = {} LIMIT 1",
                                              loads, stream, manifest)});
  }
  steps.push_back({Kind::kCopy, request_.copy});
  if (!loads.empty()) {
    std::string now = IsoTimeText(clock_.WallMs());
    std::ranges::replace(now, 'T', ' ');
    if (now.ends_with('Z')) now.pop_back();
    steps.push_back(
        {Kind::kNote, fmt::format("INSERT INTO {} (delivery_stream, manifest, loaded_at) VALUES ({}, {}, {})", loads,
                                  stream, manifest, SqlLiteral(now))});
  }
  steps.push_back({Kind::kCommit, "COMMIT"});
  return steps;
}

LoadOutcome LoadAttempt::Advance() {
  while (true) {
    const SessionState state = session_.Wait(kWaitMs);
    if (state == SessionState::kFailed) return Failed(session_.failure());
    if (state != SessionState::kReady) return WhileWaiting(state);
    if (sent_ > 0) {
      const LoadOutcome outcome = End(steps_[sent_ - 1]);
      if (outcome.end != LoadOutcome::End::kNotYet) return outcome;
    }
    session_.Send(steps_[sent_++].sql);
    since_ms_ = NowMs();
  }
}

/// A statement that has ended well; kNotYet: the next one follows.
LoadOutcome LoadAttempt::End(const Step& step) const {
  if (step.kind == Kind::kLook && session_.rows() > 0) return {.end = LoadOutcome::End::kLoadedBefore};
  if (step.kind != Kind::kCommit) return {};
  if (session_.tag() == "COMMIT") return {.end = LoadOutcome::End::kLoaded};
  return {.end = LoadOutcome::End::kFailed,
          .code = std::string(kLoadFailed),
          .message = fmt::format("the server answers COMMIT with {}", session_.tag())};
}

LoadOutcome LoadAttempt::WhileWaiting(SessionState state) const {
  if (state == SessionState::kConnecting) {
    if (!IsOver(kConnectMs)) return {};
    return Failed(
        {.sql_state = {}, .message = fmt::format("no connection within {} s", kConnectMs / 1000), .lost = true});
  }
  if (!IsOver(request_.timeout_ms + kServerMs)) return {};
  return Failed({.sql_state = {},
                 .message = fmt::format("no answer within {} s (delivery.load_timeout)", request_.timeout_ms / 1000),
                 .lost = true});
}

LoadOutcome LoadAttempt::Failed(const SessionFailure& failure) const {
  const JdbcUrl url = UrlOf(request_);
  LoadOutcome outcome{.end = LoadOutcome::End::kFailed, .code = std::string(CodeOf(failure)), .message = {}};
  if (sent_ == 0) {
    outcome.message = fmt::format("{}: {}", url.Text(), Told(failure.message));
    return outcome;
  }
  const Kind kind = steps_[sent_ - 1].kind;
  if (kind == Kind::kLock && failure.sql_state == kNoSuchTable && !request_.creates_table)
    return {.end = LoadOutcome::End::kNoLoadsTable};
  constexpr std::array<std::string_view, 8> kNames = {"SET",    "CREATE TABLE", "BEGIN",  "LOCK TABLE",
                                                      "SELECT", "COPY",         "INSERT", "COMMIT"};
  const bool own = kind == Kind::kCreate || kind == Kind::kLock || kind == Kind::kLook || kind == Kind::kNote;
  outcome.message = fmt::format("{}: {}{}: {}", url.Text(), kNames[static_cast<std::size_t>(kind)],
                                own ? fmt::format(" of {} (Sluice.LoadsTable)", request_.config.loads_table) : "",
                                Told(failure.message));
  outcome.looked = !request_.config.loads_table.empty() && kind >= Kind::kCopy;
  if (kind == Kind::kCommit && failure.lost) outcome.end = LoadOutcome::End::kUnknown;
  return outcome;
}

std::string LoadAttempt::Told(std::string message) const {
  message = WithoutSecret(WithoutCredentialsOf(request_.copy, std::move(message)), user_.password);
  return user_.secret ? WithoutSecret(std::move(message), user_.username) : message;
}

}  // namespace sluice::delivery
