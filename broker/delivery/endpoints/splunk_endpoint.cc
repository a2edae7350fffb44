// Requests to the collector, acknowledgements, and what is configured of it.
#include "broker/delivery/endpoints/splunk_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "broker/delivery/config_document.h"
#include "broker/delivery/endpoints/endpoint_fields.h"
#include "broker/delivery/endpoints/waiting_post.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/http_client.h"
#include "broker/delivery/prefix.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kType = "Splunk";
constexpr int kOk = 200;
constexpr int kNotFound = 404;
constexpr int kTooLarge = 413;
constexpr std::uint64_t kAnswerBytesMax = 1u << 20;
constexpr std::size_t kSaidBytesMax = 1024;
constexpr std::size_t kRecordsMax = 100'000;
constexpr std::uint64_t kBodyBytesMax = 64u << 20;
constexpr std::int64_t kAskFirstMs = 1000;  // for an acknowledgement; doubles
constexpr std::int64_t kAskMaxMs = 10'000;
constexpr std::int64_t kAckSecondsMin = 180;
constexpr std::int64_t kAckSecondsMax = 600;

/// What the collector's codes mean in Firehose's words. What the records themselves are to blame for stays so.
struct HecCode {
  int code;
  std::string_view name;
  bool permanent = false;
};
constexpr std::array kHecCodes = {HecCode{1, "Splunk.DisabledToken"},
                                  HecCode{2, "Splunk.InvalidToken"},
                                  HecCode{3, "Splunk.InvalidToken"},
                                  HecCode{4, "Splunk.InvalidToken"},
                                  HecCode{7, "Splunk.InvalidIndex"},
                                  HecCode{9, "Splunk.IndexerBusy"},
                                  HecCode{14, "Splunk.DisabledAck"},
                                  HecCode{5, "Splunk.InvalidDataFormat", true},
                                  HecCode{6, "Splunk.InvalidDataFormat", true},
                                  HecCode{12, "Splunk.InvalidDataFormat", true},
                                  HecCode{13, "Splunk.InvalidDataFormat", true},
                                  HecCode{15, "Splunk.InvalidDataFormat", true}};

RequestFailure Failure(std::string_view code, std::string message, bool permanent = false) {
  return {.code = std::string(code), .message = std::move(message), .permanent = permanent};
}

std::optional<std::int64_t> NumberAt(const ConfigNode& map, std::string_view key) {
  const ConfigField* const field = map.Find(key);
  if (field == nullptr || field->value.kind != ConfigNode::Kind::kNumber) return std::nullopt;
  std::int64_t number = 0;
  const std::string& text = field->value.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

RequestFailure FailureOf(const HttpAnswer& answer) {
  const std::string said = Utf8Text(std::string_view(answer.body).substr(0, kSaidBytesMax));
  std::string message = fmt::format("The collector answers with status {}: {}", answer.status, said);
  const Result<ConfigNode> tree = ParseJsonTree(answer.body, "answer");
  const std::optional<std::int64_t> code = tree ? NumberAt(*tree, "code") : std::nullopt;
  const auto known = std::ranges::find_if(kHecCodes, [&](const HecCode& each) { return code == each.code; });
  if (known != kHecCodes.end()) return Failure(known->name, std::move(message), known->permanent);
  if (answer.status == kNotFound) return Failure("Splunk.URLNotFound", std::move(message));
  if (answer.status == kTooLarge) return Failure("Splunk.ServerError.ContentTooLarge", std::move(message), true);
  return Failure("Splunk.ServerError", std::move(message));
}

RequestFailure FailureOf(const Status& status) {
  if (status.code() == Code::kTimedOut) return Failure("Splunk.ConnectionTimeout", status.message());
  if (status.code() == Code::kResourceExhausted) return Failure("Splunk.ServerError", status.message());
  return Failure("Splunk.ConnectionClosed", status.message());
}

std::string Body(const EndpointRequest& request) {
  std::string body;
  for (const WorkRecord& record : request.records) {
    if (!body.empty() && !request.delimiter_after_last) body.append(request.delimiter);
    body.append(record.record.value);
    if (request.delimiter_after_last) body.append(request.delimiter);
  }
  return body;
}

class Splunk final : public Endpoint {
 public:
  Splunk(const DeliveryConfig& config, const ProcessorHost& host)
      : config_(config.endpoint),
        channel_(HashedUuid(host.run_id + "|channel")),
        timeout_ms_(host.settings.endpoint_timeout_ms),
        clock_(*host.clock),
        post_(host.settings.ca_file, [&host] { return host.stopping(); }) {
    post_.KeepCookies();  // only the indexer that took a request knows its ackId
  }

  std::uint64_t BodyBytesOf(const RecordRef& record) const override { return record.value.size(); }

  SendOutcome Send(const EndpointRequest& request) override {
    if (waiting_ && waiting_->request == request.id) return AskForAcknowledgement(request.access_key);
    waiting_.reset();
    const auto sent = Post(config_.splunk_events ? "event" : "raw", request.id, Body(request), request.access_key);
    if (!sent) return {.ask_again_ms = post_.ask_again_ms()};
    const Result<HttpAnswer>& answer = *sent;
    if (!answer) return {.failure = FailureOf(answer.error())};
    const Result<ConfigNode> tree = ParseJsonTree(answer->body, "answer");
    const bool success = answer->status == kOk && tree && NumberAt(*tree, "code") == 0;
    if (!success) return {.failure = FailureOf(*answer)};
    const std::optional<std::int64_t> ack = NumberAt(*tree, "ackId");
    if (!ack) {
      return {.failure = Failure("Splunk.DisabledAck",
                                 "The collector took the records and gave no ackId: enable indexer acknowledgement for "
                                 "the token. They are not sent again, which would double them.",
                                 true)};
    }
    waiting_ = Waiting{.request = request.id, .ack = *ack, .since_ms = NowMs()};
    return {.ask_again_ms = kAskFirstMs};
  }

 private:
  /// A request that was taken and is not indexed yet.
  struct Waiting {
    std::string request;
    std::int64_t ack = 0;
    std::int64_t since_ms = 0;
    std::int64_t pause_ms = kAskFirstMs;
  };

  /// A question that fails is asked again, as one that is answered with no.
  SendOutcome AskForAcknowledgement(std::string_view token) {
    const auto asked =
        Post("ack", "ack of " + waiting_->request, fmt::format(R"({{"acks":[{}]}})", waiting_->ack), token);
    if (!asked) return {.ask_again_ms = post_.ask_again_ms()};
    const Result<HttpAnswer>& answer = *asked;
    const std::int64_t waited_ms = NowMs() - waiting_->since_ms;
    if (answer && answer->status == kOk && IsAcknowledged(answer->body)) {
      waiting_.reset();
      return {.waited_ms = waited_ms};
    }
    const std::int64_t left_ms = static_cast<std::int64_t>(config_.splunk_ack_s) * 1000 - waited_ms;
    if (left_ms > 0) {
      waiting_->pause_ms = std::min(kAskMaxMs, 2 * waiting_->pause_ms);
      return {.ask_again_ms = std::min(left_ms, waiting_->pause_ms)};
    }
    waiting_.reset();
    RequestFailure timeout =
        Failure("Splunk.AckTimeout", fmt::format("The collector took the records and did not say within {} s that they "
                                                 "are indexed; they may be nevertheless.",
                                                 config_.splunk_ack_s));
    timeout.unanswered = true;
    return {.failure = std::move(timeout), .waited_ms = waited_ms};
  }

  bool IsAcknowledged(const std::string& body) const {
    const Result<ConfigNode> tree = ParseJsonTree(body, "answer");
    const ConfigField* const acks = tree ? tree->Find("acks") : nullptr;
    const ConfigField* const mine = acks == nullptr ? nullptr : acks->value.Find(std::to_string(waiting_->ack));
    return mine != nullptr && mine->value.text == "true";
  }

  std::optional<Result<HttpAnswer>> Post(std::string_view what, std::string key, std::string body,
                                         std::string_view token) {
    std::string_view base = config_.url;
    while (base.ends_with('/')) base.remove_suffix(1);
    return post_.Send({.key = std::move(key),
                       .post = {.url = fmt::format("{}/services/collector/{}?channel={}", base, what, channel_),
                                .headers = {{"Authorization", fmt::format("Splunk {}", token)},
                                            {"X-Splunk-Request-Channel", channel_},
                                            {"Content-Type", "application/json"}},
                                .timeout_ms = timeout_ms_,
                                .answer_bytes_max = kAnswerBytesMax},
                       .body = std::move(body)});
  }

  std::int64_t NowMs() const { return clock_.MonotonicNs() / 1'000'000; }

  const EndpointConfig config_;
  const std::string channel_;
  const std::int64_t timeout_ms_;
  storage::Clock& clock_;
  WaitingPost post_;
  std::optional<Waiting> waiting_;
};

void Read(MapReader& map, EndpointConfig& config) {
  config.url = ReadEndpointUrl(map, "HECEndpoint");
  config.access_key = ReadSecret(map, "HECToken");
  if (config.access_key.empty() && !config.secret.enabled)
    map.report().Problem(map.LineOf("HECToken"), map.PathOf("HECToken"), "is missing");
  const std::string type = map.String("HECEndpointType").value_or("");
  config.splunk_events = PlainWord(type) == "event";
  if (!config.splunk_events && PlainWord(type) != "raw") {
    map.report().Problem(map.LineOf("HECEndpointType"), map.PathOf("HECEndpointType"),
                         fmt::format("'{}' is neither Raw nor Event", type));
  }
  if (const auto seconds = map.Int("HECAcknowledgmentTimeoutInSeconds", kAckSecondsMin, kAckSecondsMax))
    config.splunk_ack_s = static_cast<std::uint64_t>(*seconds);
}

void Write(const EndpointConfig& config, Secrets secrets, protocol::JsonWriter& json) {
  json.Key("HECEndpoint").String(config.url);
  json.Key("HECEndpointType").String(config.splunk_events ? "Event" : "Raw");
  if (!config.access_key.empty() && secrets == Secrets::kTold) json.Key("HECToken").String(config.access_key);
  json.Key("HECAcknowledgmentTimeoutInSeconds").Number(config.splunk_ack_s);
}

std::unique_ptr<Endpoint> Make(const DeliveryConfig& config, const ProcessorHost& host) {
  SLUICE_CHECK(host.clock != nullptr);
  return std::make_unique<Splunk>(config, host);
}

}  // namespace

EndpointKind SplunkKind() {
  return {.type = kType,
          .error_type = kSplunkFailed,
          .size_mb_max = 5,
          .interval_s_default = 60,
          .retry_s_default = 3600,
          .joins_records = true,
          .records_max = kRecordsMax,
          .body_bytes_max = kBodyBytesMax,
          .failed_only = "FailedEventsOnly",
          .all = "AllEvents",
          .lambda_buffer_mb = "0.25",
          .secret_member = "hec_token",
          .read = Read,
          .write = Write,
          .make = Make};
}

}  // namespace sluice::delivery
