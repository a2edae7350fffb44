// Bulk requests, what the items of an answer say, and what is configured.
#include "broker/delivery/endpoints/search_endpoint.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "broker/delivery/config_document.h"
#include "broker/delivery/endpoints/endpoint_fields.h"
#include "broker/delivery/endpoints/search_config.h"
#include "broker/delivery/endpoints/waiting_post.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/http_client.h"
#include "broker/delivery/json_scan.h"

namespace sluice::delivery {
namespace {

constexpr int kOk = 200;
constexpr int kTooLarge = 413;
constexpr int kTooMany = 429;
constexpr int kServerError = 500;
constexpr std::uint64_t kAnswerBytesMax = 64u << 20;
constexpr std::size_t kSaidBytesMax = 1024;
constexpr std::size_t kReasonBytesMax = 500;
constexpr std::size_t kRecordsMax = 100'000;
constexpr std::uint64_t kBodyBytesMax = 100u << 20;
constexpr std::uint64_t kActionBytes = 256;  // of the line in front of a document, about
constexpr std::size_t kDepthMax = 64;
constexpr std::string_view kUnreachable = "ES.ServiceException";
constexpr std::string_view kMalformed = "ES.MalformedData";

/// One object in one line, or nothing.
class Minifier {
 public:
  bool Append(std::string_view record, std::string& out) {
    if (!IsObject(record)) return false;
    const std::size_t begin = out.size();
    out.resize(begin + record.size());
    std::size_t size = 0;
    if (simdjson::minify(record.data(), record.size(), out.data() + begin, size) != simdjson::SUCCESS) size = 0;
    out.resize(begin + size);
    return size > 0;
  }

 private:
  bool IsObject(std::string_view record) {
    const simdjson::padded_string padded(record);
    simdjson::dom::element element;
    // Numbers beyond 64 bits, which it does not take, are JSON, too: what they are is the cluster's mapping to say.
    if (parser_.parse(padded).get(element) != simdjson::SUCCESS) return IsObjectText(record);
    return element.is_object();
  }

  static bool IsObjectText(std::string_view record) {
    const std::string_view text = TrimJson(record);
    return text.starts_with('{') && SkipJsonValue(text, kDepthMax).size() == text.size() &&
           simdjson::validate_utf8(text.data(), text.size());
  }

  simdjson::dom::parser parser_;
};

RequestFailure Failure(std::string_view code, std::string message, bool permanent = false) {
  return {.code = std::string(code), .message = Utf8Text(message), .permanent = permanent};
}

RequestFailure FailureOf(const HttpAnswer& answer) {
  return Failure(std::to_string(answer.status),
                 fmt::format("The cluster answers with status {}: {}", answer.status,
                             std::string_view(answer.body).substr(0, kSaidBytesMax)),
                 answer.status == kTooLarge);
}

int StatusOf(const ConfigNode& item) {
  const ConfigField* const field = item.Find("status");
  int status = 0;
  if (field != nullptr)
    std::from_chars(field->value.text.data(), field->value.text.data() + field->value.text.size(), status);
  return status;
}

/// "mapper_parsing_exception: failed to parse field [a]".
std::string ReasonOf(const ConfigNode& item) {
  const ConfigField* const error = item.Find("error");
  if (error == nullptr) return "";
  if (error->value.kind != ConfigNode::Kind::kMap) return error->value.text;
  const ConfigField* const type = error->value.Find("type");
  const ConfigField* const reason = error->value.Find("reason");
  const std::string text =
      fmt::format("{}: {}", type == nullptr ? "" : type->value.text, reason == nullptr ? "" : reason->value.text);
  return text.substr(0, kReasonBytesMax);
}

/// Of one item, which has one member: the operation's.
std::optional<RequestFailure> ItemFailure(const ConfigNode& item) {
  if (item.fields.size() != 1) return Failure(kUnreachable, "an item of the answer is none of an operation");
  const ConfigNode& result = item.fields.front().value;
  const int status = StatusOf(result);
  if (status >= 200 && status < 300) return std::nullopt;
  const bool later = status == kTooMany || status >= kServerError || status == 0;
  return Failure(std::to_string(status), ReasonOf(result), !later);
}

class Search final : public Endpoint {
 public:
  Search(EndpointConfig config, const ProcessorHost& host)
      : config_(std::move(config)),
        settings_(host.settings),
        url_(*ClusterUrl(config_, host.settings.domains)),
        timeout_ms_(host.settings.endpoint_timeout_ms),
        post_(host.settings.ca_file, [&host] { return host.stopping(); }) {}

  std::uint64_t BodyBytesOf(const RecordRef& record) const override { return record.value.size() + kActionBytes; }

  Status Prepare() override {
    Result<std::optional<AwsSigner>> signer = ClusterSigner(config_, settings_);
    if (!signer) return signer.error();
    signer_ = std::move(*signer);
    return Status();
  }

  SendOutcome Send(const EndpointRequest& request) override {
    SendOutcome outcome;
    std::vector<std::size_t> places;  // of the records in the body
    std::string body = Body(request, places, outcome.records);
    if (places.empty()) return outcome;
    const auto answer = post_.Send({.key = request.id,
                                    .post = {.url = BulkUrl(),
                                             .headers = {{"Content-Type", "application/x-ndjson"}},
                                             .timeout_ms = timeout_ms_,
                                             .answer_bytes_max = kAnswerBytesMax},
                                    .body = std::move(body),
                                    .signer = signer_});
    if (!answer) return {.ask_again_ms = post_.ask_again_ms()};
    if (!*answer) return {.failure = Failure(kUnreachable, answer->error().message())};
    if ((*answer)->status != kOk) return {.failure = FailureOf(**answer)};
    return Judge((*answer)->body, places, std::move(outcome));
  }

  std::vector<std::pair<std::string, std::string>> ErrorFields(const RecordRef& record,
                                                               std::string_view uid) const override {
    const auto text = [](std::string_view value) { return fmt::format("\"{}\"", value); };
    return {{"esDocumentId", text(config_.document_ids ? DocumentId(record, uid) : "")},
            {"esIndexName", text(RotatedIndex(config_.index, config_.rotation, record.append_time_ms))},
            {"esTypeName", text(config_.index_type)}};
  }

 private:
  static std::string DocumentId(const RecordRef& record, std::string_view uid) {
    const std::string id = fmt::format("{}-{}-{}", uid, record.shard.value, record.offset.value);
    return record.sub_sequence ? fmt::format("{}-{}", id, *record.sub_sequence) : id;
  }

  std::string BulkUrl() const {
    std::string_view base = url_;
    while (base.ends_with('/')) base.remove_suffix(1);
    // errors,items.*.status,items.*.error.type,items.*.error.reason, as AWS signs it.
    return fmt::format("{}/_bulk?filter_path=errors%2Citems.%2A.status%2Citems.%2A.error.type%2Citems.%2A.error.reason",
                       base);
  }

  std::string Body(const EndpointRequest& request, std::vector<std::size_t>& places,
                   std::vector<RecordFailure>& malformed) {
    std::string body;
    for (std::size_t i = 0; i < request.records.size(); ++i) {
      const RecordRef& record = request.records[i].record;
      const std::size_t before = body.size();
      body += Action(record, request.uid);
      if (minifier_.Append(record.value, body)) {
        body += '\n';
        places.push_back(i);
      } else {
        body.resize(before);
        malformed.push_back({i, Failure(kMalformed, "The record is not one JSON object.", true)});
      }
    }
    return body;
  }

  std::string Action(const RecordRef& record, std::string_view uid) const {
    protocol::JsonWriter json;
    json.BeginObject().Key("index").BeginObject();
    json.Key("_index").String(RotatedIndex(config_.index, config_.rotation, record.append_time_ms));
    if (!config_.index_type.empty()) json.Key("_type").String(config_.index_type);
    if (config_.document_ids) json.Key("_id").String(DocumentId(record, uid));
    json.EndObject().EndObject();
    return json.Take() + '\n';
  }

  static SendOutcome Judge(const std::string& body, const std::vector<std::size_t>& places, SendOutcome outcome) {
    const Result<ConfigNode> tree = ParseJsonTree(body, "answer");
    const ConfigField* const errors = tree ? tree->Find("errors") : nullptr;
    if (errors != nullptr && errors->value.text == "false") return outcome;
    const ConfigField* const items = tree ? tree->Find("items") : nullptr;
    if (items == nullptr || items->value.items.size() != places.size())
      return {.failure = Failure(kUnreachable, "The cluster's answer does not say what became of each document.")};
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (auto failure = ItemFailure(items->value.items[i]))
        outcome.records.push_back({places[i], std::move(*failure)});
    }
    return outcome;
  }

  const EndpointConfig config_;
  const ProcessorSettings& settings_;
  const std::string url_;
  std::optional<AwsSigner> signer_;  // of the next Send; nullopt: it is not signed
  const std::int64_t timeout_ms_;
  WaitingPost post_;
  Minifier minifier_;
};

Status Check(const EndpointConfig& config, const ProcessorSettings& settings) {
  const Result<std::optional<AwsSigner>> signer = ClusterSigner(config, settings);
  return signer ? Status() : signer.error();
}

std::unique_ptr<Endpoint> Make(const DeliveryConfig& config, const ProcessorHost& host) {
  return std::make_unique<Search>(config.endpoint, host);
}

EndpointKind Kind(std::string_view type, std::string_view error_type) {
  return {.type = type,
          .error_type = error_type,
          .size_mb_max = 100,
          .interval_s_default = 300,
          .retry_s_default = 300,
          .records_max = kRecordsMax,
          .body_bytes_max = kBodyBytesMax,
          .failed_only = "FailedDocumentsOnly",
          .all = "AllDocuments",
          .read = ReadSearchConfig,
          .write = WriteSearchConfig,
          .check = Check,
          .make = Make};
}

}  // namespace

std::string RotatedIndex(std::string_view index, IndexRotation rotation, std::int64_t time_ms) {
  using namespace std::chrono;
  const auto time = floor<seconds>(sys_time<milliseconds>(milliseconds(time_ms)));
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const int year = static_cast<int>(date.year());
  const auto month = static_cast<unsigned>(date.month());
  const auto day_of_month = static_cast<unsigned>(date.day());
  switch (rotation) {
    case IndexRotation::kNone:
      return std::string(index);
    case IndexRotation::kHour:
      return fmt::format("{}-{:04}-{:02}-{:02}-{:02}", index, year, month, day_of_month,
                         duration_cast<hours>(time - day).count());
    case IndexRotation::kDay:
      return fmt::format("{}-{:04}-{:02}-{:02}", index, year, month, day_of_month);
    case IndexRotation::kWeek: {  // that of its Thursday
      const sys_days thursday = day - (weekday(day) - Monday) + days(3);
      const auto of_year = year_month_day(thursday).year();
      const auto week = (thursday - sys_days(of_year / January / 1)).count() / 7 + 1;
      return fmt::format("{}-{:04}-w{:02}", index, static_cast<int>(of_year), week);
    }
    case IndexRotation::kMonth:
      return fmt::format("{}-{:04}-{:02}", index, year, month);
  }
  return std::string(index);
}

EndpointKind OpenSearchKind() { return Kind("Amazonopensearchservice", kOpenSearchFailed); }
EndpointKind ElasticsearchKind() { return Kind("Elasticsearch", kElasticsearchFailed); }

}  // namespace sluice::delivery
