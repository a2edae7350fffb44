// Lambdas behind HTTP: AWS's Invoke, or a URL that takes the same body.
//
// What decides between waiting and the error output is who has answered. No answer, and the statuses by which gateways,
// balancers and Lambda's own front door say that the function was not run, say nothing about the records.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/delivery/http_client.h"
#include "broker/delivery/processing/lambda_transport.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr int kTooLarge = 413;
constexpr std::array kNotRun = {401, 403, 404, 407, 429, 502, 503, 504};

/// "http://host:9001/" and "arn:aws:lambda:..:function:clean".
std::string InvokeUrl(std::string_view endpoint, std::string_view arn) {
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  return fmt::format("{}/2015-03-31/functions/{}/invocations", endpoint, arn);
}

LambdaFailure Away(std::string message) {
  return {.code = kLambdaFunctionError, .message = std::move(message), .away = true};
}

class LambdaHttp final : public LambdaTransport {
 public:
  LambdaHttp(const LambdaConfig& config, const ProcessorHost& host)
      : url_(config.kind == LambdaKind::kUrl ? config.arn : InvokeUrl(host.settings.lambda.endpoint, config.arn)),
        timeout_ms_(host.settings.lambda.timeout_ms),
        client_(host.settings.ca_file, [&host] { return host.stopping(); }) {}

  std::expected<std::string, LambdaFailure> Invoke(std::string_view request) override {
    Result<HttpAnswer> answer =
        client_.Post({.url = url_,
                      .headers = {{"Content-Type", "application/json"}, {"X-Amz-Invocation-Type", "RequestResponse"}},
                      .body = request,
                      .timeout_ms = timeout_ms_,
                      .answer_bytes_max = kLambdaBytesMax});
    if (!answer) return std::unexpected(FailureOf(answer.error()));
    const std::string_view error = answer->Header("x-amz-function-error");
    const bool success = answer->status >= 200 && answer->status < 300;
    if (success && error.empty()) return std::move(answer->body);
    const std::string said = LambdaErrorText(answer->body);
    if (success) return std::unexpected(LambdaFailure{kLambdaFunctionError, fmt::format("{}: {}", error, said)});
    const std::string message = fmt::format("{} answers with status {}: {}", url_, answer->status, said);
    if (std::ranges::find(kNotRun, answer->status) != kNotRun.end()) return std::unexpected(Away(message));
    return std::unexpected(
        LambdaFailure{answer->status == kTooLarge ? kLambdaTooLarge : kLambdaFunctionError, message});
  }

 private:
  static LambdaFailure FailureOf(const Status& status) {
    if (status.code() == Code::kTimedOut) return {kLambdaTimedOut, status.message()};
    if (status.code() == Code::kResourceExhausted) return {kLambdaFunctionError, status.message()};
    return Away(status.message());
  }

  const std::string url_;
  const std::int64_t timeout_ms_;
  HttpClient client_;
};

}  // namespace

std::unique_ptr<LambdaTransport> NewLambdaHttp(const LambdaConfig& config, const ProcessorHost& host) {
  SLUICE_CHECK(config.kind != LambdaKind::kCommand);
  return std::make_unique<LambdaHttp>(config, host);
}

}  // namespace sluice::delivery
