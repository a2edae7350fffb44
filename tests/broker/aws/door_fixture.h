// An AWS port with the test service behind it.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "broker/api/aws/aws_door.h"
#include "broker/loop/event_loops.h"
#include "storage/env/posix_env.h"
#include "tests/broker/aws/http_client.h"
#include "tests/broker/aws/test_service.h"

namespace sluice::broker::aws {

struct AwsPort {
  /// TLS where `options` name a certificate.
  explicit AwsPort(AwsDoorOptions options = {}, std::size_t loop_count = 1,
                   std::unique_ptr<storage::Env> its_env = storage::NewPosixEnv(), HeldStreams* streams = nullptr)
      : env(std::move(its_env)), loops(loop_count) {
    options.port = 0;
    options.tls.port = 0;
    options.tls.enabled = !options.tls.files.certificate.empty();
    options.auth.accept_any_signature = options.auth.access_keys.empty();
    door = std::move(*AwsDoor::Start(parts(), TestServices(held, streams), std::move(options)));
  }
  ~AwsPort() {
    if (!stopped) Stop(10'000);
  }
  bool Stop(std::int64_t timeout_ms) {
    stopped = true;
    door->StopAccepting();
    const bool clean = door->Finish(timeout_ms);
    loops.Stop();
    return clean;
  }
  AwsDoorParts parts() { return {.loops = loops, .env = *env}; }
  std::uint16_t port() const { return door->port(); }
  void WaitForHeld(std::size_t calls) {
    while (held.size() < calls) std::this_thread::yield();
  }
  /// Of the door's metrics without labels.
  void WaitForMetric(std::string_view name, std::uint64_t value) {
    const std::string line = fmt::format("\n{} {}\n", name, value);
    for (std::string text; text.find(line) == std::string::npos;) {
      Metrics metrics(1);
      metrics.AddSource([this](MetricSink& sink) { door->CollectMetrics(sink); });
      text = metrics.Render();
    }
  }

  const std::unique_ptr<storage::Env> env;
  HeldCalls held;
  EventLoops loops;
  std::unique_ptr<AwsDoor> door;
  bool stopped = false;
};

}  // namespace sluice::broker::aws
