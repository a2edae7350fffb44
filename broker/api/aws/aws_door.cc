// The connections of all loops, their beginning and end, and what is said of signatures at the start.
#include "broker/api/aws/aws_door.h"

#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <utility>

#include "broker/api/acceptor.h"
#include "broker/api/aws/aws_loop.h"
#include "broker/api/aws/connection.h"
#include "broker/api/aws/tls_stream.h"
#include "broker/log.h"

namespace sluice::broker::aws {
namespace {

void LogAuthentication(const AuthOptions& auth) {
  if (auth.accept_any_signature) {
    log::Warning("the AWS port answers everybody: aws.accept_any_signature is set", {{"account", auth.account}});
  } else if (auth.access_keys.empty()) {
    log::Info(
        "the AWS port refuses every request until it knows access keys: name some in aws.access_keys, or set "
        "aws.accept_any_signature for local tests");
  }
}

}  // namespace

class AwsDoor::Impl {
 public:
  Impl(const AwsDoorParts& parts, std::vector<Service> services, AwsDoorOptions options)
      : shared_{.parts = parts, .options = std::move(options), .services = std::move(services)},
        acceptor_(parts.loops, parts.loops.size(), parts.env.clock(), "aws"),
        tls_acceptor_(parts.loops, parts.loops.size(), parts.env.clock(), "aws") {
    for (std::size_t i = 0; i < parts.loops.size(); ++i) {
      loops_.push_back(std::make_unique<AwsLoop>(shared_, parts.loops.loop(i)));
    }
  }

  Status Listen();
  std::uint16_t port() const { return acceptor_.port(); }
  std::uint16_t tls_port() const { return tls_acceptor_.port(); }

  void Start();
  void StopAccepting();
  bool Finish(std::int64_t timeout_ms);
  void CollectMetrics(MetricSink& sink) const;

 private:
  void Accepted(std::size_t loop_index, Acceptor::Socket socket, bool tls);
  void OnEachLoop(const std::function<void(AwsLoop&)>& task);

  DoorShared shared_;
  std::vector<std::unique_ptr<AwsLoop>> loops_;  // constant after construction
  std::unique_ptr<TlsCertificate> certificate_;  // null: no TLS; of the first loop after Start
  Acceptor acceptor_;
  Acceptor tls_acceptor_;
};

Status AwsDoor::Impl::Listen() {
  const AwsDoorOptions& options = shared_.options;
  Status status = acceptor_.Listen(options.address, options.port);
  if (!status.ok() || !options.tls.enabled) return status;
  auto certificate = TlsCertificate::Open(shared_.parts.env, options.tls.files);
  if (!certificate) return certificate.error();
  certificate_ = std::move(*certificate);
  return tls_acceptor_.Listen(options.address, options.tls.port, "tls_port");
}

void AwsDoor::Impl::Start() {
  LogAuthentication(shared_.options.auth);
  OnEachLoop([](AwsLoop& loop) { loop.StartTicks(); });
  const auto accepted = [this](bool tls) {
    return [this, tls](std::size_t loop, Acceptor::Socket socket) { Accepted(loop, std::move(socket), tls); };
  };
  acceptor_.Start(accepted(false));
  if (certificate_) tls_acceptor_.Start(accepted(true));
}

void AwsDoor::Impl::Accepted(std::size_t loop_index, Acceptor::Socket socket, bool tls) {
  AwsLoop& loop = *loops_[loop_index];
  if (!shared_.connections.Add(shared_.options.connections_max)) {
    loop.loop().Post([&loop] { loop.metrics().connections_refused.Add(); });
    return;  // the socket closes
  }
  auto stream = tls ? std::make_unique<TlsStream>(certificate_->Current()) : nullptr;
  loop.loop().Post([&loop, socket = std::move(socket), stream = std::move(stream)]() mutable {
    loop.Add(std::make_shared<Connection>(loop, socket.release(), std::move(stream)));
  });
}

void AwsDoor::Impl::OnEachLoop(const std::function<void(AwsLoop&)>& task) {
  std::latch done(static_cast<std::ptrdiff_t>(loops_.size()));
  for (const auto& loop : loops_) {
    loop->loop().Post([&task, &done, &loop = *loop] {
      task(loop);
      done.count_down();
    });
  }
  done.wait();
}

void AwsDoor::Impl::StopAccepting() {
  acceptor_.Stop();
  tls_acceptor_.Stop();
  OnEachLoop([](AwsLoop& loop) { loop.BeginStop(); });
}

bool AwsDoor::Impl::Finish(std::int64_t timeout_ms) {
  const bool drained = shared_.connections.WaitForNone(std::chrono::milliseconds(timeout_ms));
  OnEachLoop([](AwsLoop& loop) { loop.CloseAll(); });
  return drained;
}

void AwsDoor::Impl::CollectMetrics(MetricSink& sink) const {
  const auto sum = [this](Counter AwsMetrics::* member) {
    double total = 0;
    for (const auto& loop : loops_) total += static_cast<double>((loop->metrics().*member).value());
    return total;
  };
  sink.AddCounter("sluice_aws_requests_total", "Requests taken.", sum(&AwsMetrics::requests));
  sink.AddCounter("sluice_aws_errors_total", "Requests answered with an error.", sum(&AwsMetrics::client_errors),
                  {{"side", "client"}});
  sink.AddCounter("sluice_aws_errors_total", "Requests answered with an error.", sum(&AwsMetrics::server_errors),
                  {{"side", "server"}});
  sink.AddCounter("sluice_aws_connections_total", "Connections accepted.", sum(&AwsMetrics::connections_opened));
  sink.AddGauge("sluice_aws_connections", "Open connections.",
                sum(&AwsMetrics::connections_opened) - sum(&AwsMetrics::connections_closed));
  sink.AddCounter("sluice_aws_connections_refused_total", "Connections closed because there were too many.",
                  sum(&AwsMetrics::connections_refused));
  sink.AddCounter("sluice_aws_protocol_errors_total", "Connections ended because of what came in.",
                  sum(&AwsMetrics::protocol_errors));
  sink.AddGauge("sluice_aws_body_bytes", "Bodies of requests that are not answered.",
                static_cast<double>(shared_.bodies->bytes()));
  sink.AddGauge("sluice_aws_answer_bytes", "Answers that are not sent, of connections with more than 128 KiB of them.",
                static_cast<double>(shared_.answers->bytes()));
}

AwsDoor::AwsDoor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AwsDoor::~AwsDoor() = default;

Result<std::unique_ptr<AwsDoor>> AwsDoor::Start(AwsDoorParts parts, std::vector<Service> services,
                                                AwsDoorOptions options) {
  auto impl = std::make_unique<Impl>(parts, std::move(services), std::move(options));
  if (Status status = impl->Listen(); !status.ok()) return Error(status);
  impl->Start();
  return std::unique_ptr<AwsDoor>(new AwsDoor(std::move(impl)));
}

std::uint16_t AwsDoor::port() const { return impl_->port(); }
std::uint16_t AwsDoor::tls_port() const { return impl_->tls_port(); }
void AwsDoor::CollectMetrics(MetricSink& sink) const { impl_->CollectMetrics(sink); }
void AwsDoor::StopAccepting() { impl_->StopAccepting(); }
bool AwsDoor::Finish(std::int64_t timeout_ms) { return impl_->Finish(timeout_ms); }

}  // namespace sluice::broker::aws
