// One attempt to load a manifest, in pieces that never wait long:
//
//     connect
//     SET statement_timeout
//     BEGIN
//     LOCK TABLE loads                                           # waits for an attempt whose connection broke
//     SELECT 1 FROM loads WHERE delivery_stream = .. AND manifest = ..
//         there is a row?                                        loaded before: nothing is done
//     COPY ..
//     INSERT INTO loads
//     COMMIT
//
// LOCK stands first so that what is looked at was committed before: also with snapshots, and also where the server is
// still at work on an attempt whose connection broke at COMMIT. Without a table of loads there are BEGIN, COPY and
// COMMIT only.
//
// An attempt that ends early is rolled back. One thread at a time. A crash is a connection that breaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/delivery/redshift/postgres_session.h"
#include "broker/delivery/redshift/redshift_config.h"
#include "storage/env/env.h"

namespace sluice::delivery {

struct LoadRequest {
  std::string delivery_stream;
  std::string manifest;  // its key
  std::string copy;      // copy_statement.h
  RedshiftConfig config;
  std::string ca_file;
  std::int64_t timeout_ms = 0;  // of each statement
  bool creates_table = false;   // of loads, where it is missing
  friend bool operator==(const LoadRequest&, const LoadRequest&) = default;
};

/// Who logs in. Not a part of the request: a password that is replaced counts from the next attempt on.
struct ClusterUser {
  std::string username;
  std::string password;
  bool secret = false;  // both are: the name is told by no message either
};

struct LoadOutcome {
  enum class End : std::uint8_t {
    kNotYet,
    kLoaded,
    kLoadedBefore,
    kNoLoadsTable,  // nothing is loaded
    kFailed,        // nothing is loaded
    kUnknown,       // failed, but it may be loaded
  };
  End end = End::kNotYet;
  std::string code = {};  // in Firehose's words
  std::string message = {};
  bool looked = false;  // the table of loads did not have it: no earlier attempt has loaded it
};

class LoadAttempt {
 public:
  /// The clock outlives it.
  LoadAttempt(LoadRequest request, ClusterUser user, storage::Clock& clock);

  /// Goes on. Of no use any more once it has told an end.
  LoadOutcome Advance();
  const LoadRequest& request() const { return request_; }

 private:
  enum class Kind : std::uint8_t { kSet, kCreate, kBegin, kLock, kLook, kCopy, kNote, kCommit };
  struct Step {
    Kind kind;
    std::string sql;
  };
  std::vector<Step> Steps() const;
  std::int64_t NowMs() const { return clock_.MonotonicNs() / 1'000'000; }
  bool IsOver(std::int64_t limit_ms) const { return NowMs() - since_ms_ >= limit_ms; }
  LoadOutcome WhileWaiting(SessionState state) const;
  LoadOutcome Failed(const SessionFailure& failure) const;
  /// What a server says, without secrets.
  std::string Told(std::string message) const;
  LoadOutcome End(const Step& step) const;

  const LoadRequest request_;
  const ClusterUser user_;
  storage::Clock& clock_;
  const std::vector<Step> steps_;
  std::size_t sent_ = 0;  // the last of them runs, or has ended
  std::int64_t since_ms_;
  PostgresSession session_;
};

}  // namespace sluice::delivery
