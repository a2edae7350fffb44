// Lambdas that are programs of this machine. Each request is one line on the program's standard input, each answer one
// line on its standard output, as they would stand in HTTP's bodies.
//
// The program is started with the first request and runs until it ends, fails or the delivery stream goes. One that
// cannot be run at all says nothing about the records; one that ends over them does.
#include <fmt/format.h>

#include "broker/delivery/processing/child_process.h"
#include "broker/delivery/processing/lambda_transport.h"
#include "broker/log.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kLogLinesMax = 20;  // of one invocation: nobody shall fill the log

class LambdaCommand final : public LambdaTransport {
 public:
  LambdaCommand(const LambdaConfig& config, const ProcessorHost& host, std::string_view delivery_stream)
      : command_(config.command.front()),
        host_(host),
        bounds_{.timeout_ms = host.settings.lambda.timeout_ms, .answer_bytes_max = kLambdaBytesMax},
        delivery_stream_(delivery_stream),
        program_(config.command, [this](std::string_view line) { Log(line); }) {}

  std::expected<std::string, LambdaFailure> Invoke(std::string_view request) override {
    log_lines_ = 0;
    Result<std::string> answer = program_.Exchange(request, bounds_, [this] { return host_.stopping(); });
    if (answer) return std::move(*answer);
    return std::unexpected(FailureOf(answer.error()));
  }

 private:
  LambdaFailure FailureOf(const Status& status) const {
    const bool late = status.code() == Code::kTimedOut;
    return {.code = late ? kLambdaTimedOut : kLambdaFunctionError,
            .message = fmt::format("{}: {}", command_, status.message()),
            .away = status.code() == Code::kUnavailable};
  }

  void Log(std::string_view line) {
    if (++log_lines_ > kLogLinesMax) return;
    broker::log::Info(log_lines_ < kLogLinesMax ? "a Lambda command says"
                                                : "a Lambda command says more than is logged of one invocation",
                      {{"delivery_stream", delivery_stream_}, {"command", command_}, {"line", line}});
  }

  const std::string command_;  // without its arguments
  const ProcessorHost& host_;
  const ExchangeBounds bounds_;
  const std::string delivery_stream_;
  std::size_t log_lines_ = 0;
  RestartedProcess program_;  // last: says its last lines when it goes
};

}  // namespace

std::unique_ptr<LambdaTransport> NewLambdaCommand(const LambdaConfig& config, const ProcessorHost& host,
                                                  std::string_view delivery_stream) {
  SLUICE_CHECK(config.kind == LambdaKind::kCommand);
  return std::make_unique<LambdaCommand>(config, host, delivery_stream);
}

}  // namespace sluice::delivery
