// Lambdas behind HTTP: AWS's Invoke, or a URL that takes the same body.
//
// What decides between waiting and the error output is who has answered. No answer, and the statuses by which gateways,
// balancers and Lambda's own front door say that the function was not run, say nothing about the records.
//
// Where the broker has keys of AWS, an invocation is signed, and names the function by its name instead of its ARN: a
// path of nothing but letters, digits, '-' and '_' is the same path to all that sign and check, however often they
// encode it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "broker/delivery/aws_keys.h"
#include "broker/delivery/http_client.h"
#include "broker/delivery/processing/lambda_transport.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr int kTooLarge = 413;
constexpr std::string_view kService = "lambda";
constexpr std::array kNotRun = {401, 403, 404, 407, 429, 502, 503, 504};

/// "http://host:9001/" and "arn:aws:lambda:..:function:clean".
std::string InvokeUrl(std::string_view endpoint, std::string_view function) {
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  return fmt::format("{}/2015-03-31/functions/{}/invocations", endpoint, function);
}

/// "eu-west-1" of "arn:aws:lambda:eu-west-1:123456789012:function:clean:2".
std::string RegionOf(std::string_view arn) {
  constexpr std::string_view kBefore = ":lambda:";
  arn.remove_prefix(arn.find(kBefore) + kBefore.size());
  return std::string(arn.substr(0, arn.find(':')));
}

/// The same of its name, and of a version or an alias as a query in AWS's canonical form.
std::string SignedUrl(std::string_view endpoint, std::string_view arn) {
  constexpr std::string_view kBefore = ":function:";
  arn.remove_prefix(arn.find(kBefore) + kBefore.size());
  const std::size_t end = std::min(arn.find(':'), arn.size());
  std::string url = InvokeUrl(endpoint, arn.substr(0, end));
  if (end == arn.size()) return url;
  std::string_view qualifier = arn.substr(end + 1);
  url += "?Qualifier=";
  if (qualifier.starts_with('$')) {  // "$LATEST"
    url += "%24";
    qualifier.remove_prefix(1);
  }
  return url += qualifier;
}

LambdaFailure Away(std::string message) {
  return {.code = kLambdaFunctionError, .message = std::move(message), .away = true};
}

class LambdaHttp final : public LambdaTransport {
 public:
  LambdaHttp(const LambdaConfig& config, const ProcessorHost& host)
      : config_(config),
        settings_(host.settings),
        url_(config.kind == LambdaKind::kUrl ? config.arn : InvokeUrl(settings_.lambda.endpoint, config.arn)),
        timeout_ms_(settings_.lambda.timeout_ms),
        client_(settings_.ca_file, [&host] { return host.stopping(); }) {}

  std::expected<std::string, LambdaFailure> Invoke(std::string_view request) override {
    const Result<std::optional<AwsSigner>> signer = Signer();
    if (!signer) return std::unexpected(Away(signer.error().message()));
    Result<HttpAnswer> answer =
        client_.Post({.url = *signer ? SignedUrl(settings_.lambda.endpoint, config_.arn) : url_,
                      .headers = {{"Content-Type", "application/json"}, {"X-Amz-Invocation-Type", "RequestResponse"}},
                      .body = request,
                      .signer = *signer ? &**signer : nullptr,
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
  /// A URL is nobody's in particular: what stands behind it is not asked with AWS's keys.
  Result<std::optional<AwsSigner>> Signer() const {
    if (config_.kind != LambdaKind::kFunction) return std::nullopt;
    return ConfiguredSigner(settings_, RegionOf(config_.arn), std::string(kService));
  }

  static LambdaFailure FailureOf(const Status& status) {
    if (status.code() == Code::kTimedOut) return {kLambdaTimedOut, status.message()};
    if (status.code() == Code::kResourceExhausted) return {kLambdaFunctionError, status.message()};
    return Away(status.message());
  }

  const LambdaConfig config_;
  const ProcessorSettings& settings_;
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
