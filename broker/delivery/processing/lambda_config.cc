// Reading of parameters, which are all texts.
#include "broker/delivery/processing/lambda_config.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace sluice::delivery {
namespace {

constexpr std::string_view kCommand = "command:";
constexpr std::int64_t kRetriesMax = 300;
constexpr std::int64_t kIntervalSecondsMax = 900;
constexpr double kBufferMbMin = 0.2;
constexpr double kBufferMbMax = 3;

/// "command:/usr/bin/python3 clean.py": no shell, no quotes.
std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

bool IsFunctionArn(std::string_view text) {
  const std::size_t service = text.find(':', std::string_view("arn:").size());
  return text.starts_with("arn:") && service != text.npos && text.substr(service).starts_with(":lambda:") &&
         text.contains(":function:") && text.find_first_of(" \t\r\n") == text.npos;
}

Status ReadArn(std::string_view text, LambdaConfig& config) {
  config.arn = text;
  if (text.starts_with("http://") || text.starts_with("https://")) {
    config.kind = LambdaKind::kUrl;
  } else if (text.starts_with(kCommand)) {
    config.kind = LambdaKind::kCommand;
    config.command = WordsOf(text.substr(kCommand.size()));
    if (config.command.empty() || !config.command.front().starts_with('/')) {
      return Status(Code::kInvalidArgument,
                    fmt::format("LambdaArn: '{}' names no program; write command:/path/to/program", text));
    }
  } else if (!IsFunctionArn(text)) {
    return Status(Code::kInvalidArgument,
                  fmt::format("LambdaArn: '{}' is none of arn:aws:lambda:REGION:ACCOUNT:function:NAME, "
                              "http://.., https://.., command:/path/to/program",
                              text));
  }
  return Status();
}

template <typename Number>
std::optional<Number> ReadNumber(std::string_view text, Number min, Number max) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(number >= min && number <= max)) return std::nullopt;
  return number;
}

}  // namespace

Result<LambdaConfig> ParseLambdaConfig(const ProcessorConfig& config) {
  LambdaConfig lambda;
  const std::string* const arn = config.Find("LambdaArn");
  if (arn == nullptr || arn->empty()) return Error(Code::kInvalidArgument, "LambdaArn is missing");
  if (Status status = ReadArn(*arn, lambda); !status.ok()) return Error(std::move(status));
  if (const std::string* const text = config.Find("NumberOfRetries")) {
    const auto retries = ReadNumber<std::int64_t>(*text, 0, kRetriesMax);
    if (!retries) return Error(Code::kInvalidArgument, fmt::format("NumberOfRetries: '{}' is not 0 to 300", *text));
    lambda.retries = static_cast<std::uint32_t>(*retries);
  }
  if (const std::string* const text = config.Find(kLambdaBufferSize)) {
    const auto buffer_mb = ReadNumber<double>(*text, kBufferMbMin, kBufferMbMax);
    if (!buffer_mb) return Error(Code::kInvalidArgument, fmt::format("BufferSizeInMBs: '{}' is not 0.2 to 3", *text));
    lambda.buffer_bytes = static_cast<std::uint64_t>(*buffer_mb * (1u << 20));
  }
  // When records go to a Lambda is decided by the delivery stream's own hints; this one is only told.
  const std::string* const interval = config.Find("BufferIntervalInSeconds");
  if (interval != nullptr && !ReadNumber<std::int64_t>(*interval, 0, kIntervalSecondsMax)) {
    return Error(Code::kInvalidArgument, fmt::format("BufferIntervalInSeconds: '{}' is not 0 to 900", *interval));
  }
  return lambda;
}

Status CheckLambda(const LambdaConfig& config, const LambdaOptions& options) {
  if (config.kind == LambdaKind::kFunction && options.endpoint.empty()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("LambdaArn: '{}' is a function of an endpoint that this broker does not know; set "
                              "delivery.lambda_endpoint to its address, or give the http:// URL of a function",
                              config.arn));
  }
  if (config.kind == LambdaKind::kCommand && !options.allow_commands) {
    return Status(Code::kInvalidArgument,
                  fmt::format("LambdaArn: '{}' would run a program as the broker's user; whoever may make delivery "
                              "streams could run any. Set delivery.allow_commands = true to allow that",
                              config.arn));
  }
  return Status();
}

}  // namespace sluice::delivery
