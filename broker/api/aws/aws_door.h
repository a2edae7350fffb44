// The AWS port: a TCP listener for every AWS API that the broker serves (docs/aws.md), over HTTP/1.1 and over HTTP/2
// with prior knowledge, and a second one for the same over TLS. Which API and operation a request is for, its
// X-Amz-Target says.
//
// Every connection belongs to one event loop. Bad bytes end their own connection, nothing else.
//
// Threads: Start and Stop by one thread, not an event loop; CollectMetrics by any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/api/aws/authenticator.h"
#include "broker/api/aws/http_session.h"
#include "broker/api/aws/operation.h"
#include "broker/api/aws/tls_certificate.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker::aws {

struct TlsOptions {
  bool enabled = true;
  std::uint16_t port = 4567;  // 0: any free port
  TlsFiles files{};
};

struct AwsDoorOptions {
  bool enabled = true;
  std::string address = "127.0.0.1";
  std::uint16_t port = 4566;                  // 0: any free port
  std::uint32_t connections_max = 20'000;     // further ones are closed at once
  std::uint64_t body_bytes_max = 256u << 20;  // of all unanswered requests, and of all unsent answers; more is refused
  std::int64_t request_timeout_ms = 60'000;   // from the first to the last byte of a request, and for a write to move
  std::int64_t idle_timeout_ms = 600'000;     // without a request
  AuthOptions auth{};
  HttpLimits limits{};
  TlsOptions tls{};
};

/// What the door needs; all of it outlives the door.
struct AwsDoorParts {
  EventLoops& loops;
  storage::Env& env;
};

class AwsDoor {
 public:
  /// Listens. kUnavailable where the address cannot be bound, and other codes for a certificate that cannot be used:
  /// the message says which setting to change.
  static Result<std::unique_ptr<AwsDoor>> Start(AwsDoorParts parts, std::vector<Service> services,
                                                AwsDoorOptions options);
  /// After the event loops have ended.
  ~AwsDoor();

  std::uint16_t port() const;
  /// 0: there is no TLS.
  std::uint16_t tls_port() const;
  void CollectMetrics(MetricSink& sink) const;
  /// Takes no connection and no request any more; what was taken is still answered.
  void StopAccepting();
  /// Waits until every connection is closed, `timeout_ms` at most, and closes what is left. After StopAccepting. False
  /// where connections had to be cut.
  bool Finish(std::int64_t timeout_ms);

 private:
  class Impl;
  explicit AwsDoor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker::aws
