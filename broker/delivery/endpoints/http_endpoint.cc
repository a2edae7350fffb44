// Requests and answers of HTTP endpoints, and what is configured of them.
#include "broker/delivery/endpoints/http_endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/config_document.h"
#include "broker/delivery/endpoints/endpoint_fields.h"
#include "broker/delivery/endpoints/waiting_post.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/http_client.h"
#include "protocol/ascii.h"
#include "protocol/compression.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kType = "HttpEndpoint";
constexpr int kOk = 200;
constexpr int kTooLarge = 413;
constexpr std::uint64_t kAnswerBytesMax = 1u << 20;
constexpr std::size_t kErrorMessageBytesMax = 8192;
constexpr std::uint64_t kBodyBytesMax = 64u << 20;
constexpr std::uint64_t kBodyHeadBytesMax = 256;  // of a body besides its records
constexpr std::size_t kAttributesMax = 50;

constexpr std::string_view kDestinationException = "HttpEndpoint.DestinationException";
constexpr std::string_view kInvalidResponse = "HttpEndpoint.InvalidResponseFromDestination";
constexpr std::string_view kResponseTooLarge = "HttpEndpoint.ResponseTooLarge";
constexpr std::string_view kRequestTimeout = "HttpEndpoint.RequestTimeout";
constexpr std::string_view kConnectionFailed = "HttpEndpoint.ConnectionFailed";

RequestFailure Failure(std::string_view code, std::string message, bool permanent = false) {
  return {.code = std::string(code), .message = std::move(message), .permanent = permanent};
}

std::string AttributesHeader(const EndpointConfig& config) {
  protocol::JsonWriter json;
  json.BeginObject().Key("commonAttributes").BeginObject();
  for (const auto& [name, value] : config.attributes) json.Key(name).String(value);
  json.EndObject().EndObject();
  return json.Take();
}

std::string Body(const EndpointRequest& request) {
  std::string body = fmt::format(R"({{"requestId":"{}","timestamp":{},"records":[)", request.id, request.made_ms);
  bool first = true;
  for (const WorkRecord& record : request.records) {
    body += first ? R"({"data":")" : R"(,{"data":")";
    protocol::AppendBase64(body, record.record.value);
    body += R"("})";
    first = false;
  }
  return body += "]}";
}

/// What the endpoint says of its failure.
std::string SaidBy(const HttpAnswer& answer) {
  std::string said = answer.body;
  if (const Result<ConfigNode> tree = ParseJsonTree(answer.body, "answer")) {
    if (const ConfigField* const message = tree->Find("errorMessage")) said = message->value.text;
  }
  return Utf8Text(std::string_view(said).substr(0, kErrorMessageBytesMax));
}

/// Why an answer of status 200 does not say that the records were taken; empty where it does.
std::string ProblemOf(const HttpAnswer& answer, std::string_view request_id) {
  const std::string type = protocol::Lower(answer.Header("content-type"));
  if (type != "application/json" && !type.starts_with("application/json;"))
    return fmt::format("its Content-Type is '{}' and not application/json", type);
  const std::string encoding = protocol::Lower(answer.Header("content-encoding"));
  if (!encoding.empty() && encoding != "identity") return fmt::format("its Content-Encoding is '{}'", encoding);
  if (answer.Header("content-length").empty()) return "it has no Content-Length";
  const Result<ConfigNode> tree = ParseJsonTree(answer.body, "answer");
  if (!tree || tree->kind != ConfigNode::Kind::kMap) return "its body is no JSON object";
  const ConfigField* const id = tree->Find("requestId");
  if (id == nullptr || id->value.text != request_id) return fmt::format("its requestId is not {}", request_id);
  const ConfigField* const time = tree->Find("timestamp");
  if (time == nullptr || time->value.kind != ConfigNode::Kind::kNumber) return "its timestamp is no number";
  return "";
}

class HttpEndpoint final : public Endpoint {
 public:
  HttpEndpoint(const DeliveryConfig& config, const ProcessorHost& host)
      : config_(config.endpoint),
        timeout_ms_(host.settings.endpoint_timeout_ms),
        headers_(
            {{"Content-Type", "application/json"},
             {"X-Amz-Firehose-Protocol-Version", "1.0"},
             {"X-Amz-Firehose-Source-Arn", fmt::format("arn:aws:firehose:{}:{}:deliverystream/{}", host.settings.region,
                                                       host.settings.account, config.name)}}),
        post_(host.settings.ca_file, [&host] { return host.stopping(); }) {
    if (!config_.attributes.empty())
      headers_.emplace_back("X-Amz-Firehose-Common-Attributes", AttributesHeader(config_));
    if (config_.gzip) headers_.emplace_back("Content-Encoding", "gzip");
  }

  std::uint64_t BodyBytesOf(const RecordRef& record) const override {
    return (record.value.size() + 2) / 3 * 4 + std::string_view(R"(,{"data":""})").size();
  }

  SendOutcome Send(const EndpointRequest& request) override {
    std::string body = Body(request);
    if (config_.gzip) {
      std::string packed;
      protocol::Compress(protocol::Compression::kGzip, body, packed);
      body = std::move(packed);
    }
    HttpHeaders headers = headers_;
    headers.emplace_back("X-Amz-Firehose-Request-Id", request.id);
    if (!request.access_key.empty()) headers.emplace_back("X-Amz-Firehose-Access-Key", request.access_key);
    const auto answer = post_.Send({.key = request.id,
                                    .post = {.url = config_.url,
                                             .headers = std::move(headers),
                                             .timeout_ms = timeout_ms_,
                                             .answer_bytes_max = kAnswerBytesMax},
                                    .body = std::move(body)});
    if (!answer) return {.ask_again_ms = post_.ask_again_ms()};
    return {.failure = *answer ? Judge(**answer, request.id) : FailureOf(answer->error())};
  }

 private:
  static RequestFailure FailureOf(const Status& status) {
    if (status.code() == Code::kTimedOut) return Failure(kRequestTimeout, status.message());
    if (status.code() == Code::kResourceExhausted) return Failure(kResponseTooLarge, status.message());
    return Failure(kConnectionFailed, status.message());
  }

  static std::optional<RequestFailure> Judge(const HttpAnswer& answer, std::string_view request_id) {
    if (answer.status != kOk) {
      return Failure(kDestinationException,
                     fmt::format("The endpoint answers with status {}: {}", answer.status, SaidBy(answer)),
                     answer.status == kTooLarge);
    }
    const std::string problem = ProblemOf(answer, request_id);
    if (problem.empty()) return std::nullopt;
    return Failure(kInvalidResponse, fmt::format("The endpoint answers with status 200, but {}.", problem));
  }

  const EndpointConfig config_;
  const std::int64_t timeout_ms_;
  HttpHeaders headers_;
  WaitingPost post_;
};

void ReadEndpoint(MapReader& map, EndpointConfig& config) {
  std::optional<MapReader> endpoint = map.Map("EndpointConfiguration");
  if (!endpoint) {
    map.report().Problem(map.line(), map.PathOf("EndpointConfiguration"), "is missing: its Url says where to send");
    return;
  }
  config.url = ReadEndpointUrl(*endpoint, "Url");
  config.name = endpoint->String("Name").value_or("");
  config.access_key = ReadSecret(*endpoint, "AccessKey");
  endpoint->Finish();
}

void ReadAttributes(MapReader& request, EndpointConfig& config) {
  const ConfigNode* const attributes = request.List("CommonAttributes");
  if (attributes == nullptr) return;
  for (const ConfigNode& item : attributes->items) {
    MapReader attribute(request.report(), item, request.PathOf("CommonAttributes"));
    std::string name = attribute.String("AttributeName").value_or("");
    std::string value = attribute.String("AttributeValue").value_or("");
    attribute.Finish();
    const auto same = [&](const auto& other) { return other.first == name; };
    if (name.empty() || std::ranges::any_of(config.attributes, same)) {
      attribute.report().Problem(item.line, attribute.PathOf("AttributeName"),
                                 name.empty() ? "is missing" : fmt::format("'{}' stands twice", name));
    }
    config.attributes.emplace_back(std::move(name), std::move(value));
  }
  if (config.attributes.size() <= kAttributesMax) return;
  request.report().Problem(attributes->line, request.PathOf("CommonAttributes"),
                           fmt::format("has {} attributes; at most {}", config.attributes.size(), kAttributesMax));
}

void Read(MapReader& map, EndpointConfig& config) {
  ReadEndpoint(map, config);
  std::optional<MapReader> request = map.Map("RequestConfiguration");
  if (!request) return;
  const std::string encoding = request->String("ContentEncoding").value_or("NONE");
  config.gzip = PlainWord(encoding) == "gzip";
  if (!config.gzip && PlainWord(encoding) != "none") {
    request->report().Problem(request->LineOf("ContentEncoding"), request->PathOf("ContentEncoding"),
                              fmt::format("'{}' is neither NONE nor GZIP", encoding));
  }
  ReadAttributes(*request, config);
  request->Finish();
}

void Write(const EndpointConfig& config, Secrets secrets, protocol::JsonWriter& json) {
  json.Key("EndpointConfiguration").BeginObject().Key("Url").String(config.url);
  if (!config.name.empty()) json.Key("Name").String(config.name);
  if (!config.access_key.empty() && secrets == Secrets::kTold) json.Key("AccessKey").String(config.access_key);
  json.EndObject().Key("RequestConfiguration").BeginObject();
  json.Key("ContentEncoding").String(config.gzip ? "GZIP" : "NONE").Key("CommonAttributes").BeginList();
  for (const auto& [name, value] : config.attributes) {
    json.BeginObject().Key("AttributeName").String(name).Key("AttributeValue").String(value).EndObject();
  }
  json.EndList().EndObject();
}

std::unique_ptr<Endpoint> Make(const DeliveryConfig& config, const ProcessorHost& host) {
  return std::make_unique<HttpEndpoint>(config, host);
}

}  // namespace

EndpointKind HttpEndpointKind() {
  return {.type = kType,
          .error_type = kHttpEndpointFailed,
          .size_mb_max = 64,
          .interval_s_default = 300,
          .retry_s_default = 300,
          .records_max = 10'000,
          .body_bytes_max = kBodyBytesMax - kBodyHeadBytesMax,
          .failed_only = "FailedDataOnly",
          .all = "AllData",
          .secret_member = "api_key",
          .read = Read,
          .write = Write,
          .make = Make};
}

}  // namespace sluice::delivery
