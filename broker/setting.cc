// The table of all settings, and how a value gets into its place.
#include "broker/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <limits>

#include "broker/delivery/bucket_root.h"
#include "broker/delivery/http_client.h"
#include "broker/delivery/secret_provider.h"
#include "protocol/units.h"

namespace sluice::broker {
namespace {

constexpr std::uint64_t kKiB = 1u << 10;
constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kGiB = 1u << 30;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr std::uint64_t kMinuteMs = 60'000;
constexpr std::uint64_t kHourMs = 60 * kMinuteMs;
constexpr std::uint64_t kDayMs = 24 * kHourMs;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

std::string Shown(const SettingValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return Quoted(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return std::get<bool>(value) ? "true" : "false";
}

Status Wrong(const Setting& setting, const SettingValue& value, std::string_view what) {
  return Status(Code::kInvalidArgument, fmt::format("{} is {}; allowed: {}", Shown(value), what, RangeOf(setting)));
}

std::optional<std::uint64_t> ToNumber(const SettingValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
  }
  const auto* text = std::get_if<std::string>(&value);
  std::uint64_t number = 0;
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

template <typename Int>
Status AssignNumber(const Setting& setting, const SettingValue& value, Int* target) {
  const auto number = ToNumber(value);
  if (!number) return Wrong(setting, value, "not a whole number");
  if (*number < setting.min || *number > setting.max) return Wrong(setting, value, "out of range");
  *target = static_cast<Int>(*number);
  return {};
}

Status AssignBytes(const Setting& setting, const SettingValue& value, std::uint64_t* target) {
  const auto* text = std::get_if<std::string>(&value);
  const auto bytes = text != nullptr ? protocol::ParseBytes(*text) : ToNumber(value);
  if (!bytes) return Wrong(setting, value, "not a size such as \"64MiB\"");
  if (*bytes < setting.min || *bytes > setting.max) return Wrong(setting, value, "out of range");
  *target = *bytes;
  return {};
}

Status AssignDuration(const Setting& setting, const SettingValue& value, std::int64_t* target) {
  const auto* text = std::get_if<std::string>(&value);
  const auto ms = text != nullptr ? protocol::ParseDurationMs(*text) : std::nullopt;
  if (!ms) return Wrong(setting, value, "not a time with a unit, such as \"10s\" or \"24h\"");
  const auto unsigned_ms = static_cast<std::uint64_t>(*ms);
  if (unsigned_ms < setting.min || unsigned_ms > setting.max) return Wrong(setting, value, "out of range");
  *target = *ms;
  return {};
}

Status AssignBool(const Setting& setting, const SettingValue& value, bool* target) {
  const auto* text = std::get_if<std::string>(&value);
  if (const auto* boolean = std::get_if<bool>(&value)) {
    *target = *boolean;
  } else if (text != nullptr && (*text == "true" || *text == "false")) {
    *target = *text == "true";
  } else {
    return Wrong(setting, value, "not a truth value");
  }
  return {};
}

Status AssignText(const Setting& setting, const SettingValue& value, std::string* target) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return Wrong(setting, value, "not a text in quotes");
  *target = *text;
  return {};
}

Status AssignChecked(const Setting& setting, const SettingValue& value, const CheckedText& text) {
  std::string given;
  if (Status status = AssignText(setting, value, &given); !status.ok()) return status;
  if (Status status = text.check(given); !status.ok()) return status;
  *text.value = std::move(given);
  return {};
}

Status AssignAddress(const Setting& setting, const SettingValue& value, const IpAddress& address) {
  const auto* text = std::get_if<std::string>(&value);
  boost::system::error_code error;
  if (text != nullptr) boost::asio::ip::make_address(*text, error);
  if (text == nullptr || error) return Wrong(setting, value, "not an address such as \"127.0.0.1\" or \"::1\"");
  *address.value = *text;
  return {};
}

Status AssignChoice(const Setting& setting, const SettingValue& value, const Choice& choice) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || std::ranges::find(choice.choices, *text) == choice.choices.end()) {
    return Wrong(setting, value, "not one of its values");
  }
  *choice.value = *text;
  return {};
}

void AddServer(Config& c, std::vector<Setting>& s) {
  s.push_back({"server.data_dir", &c.server.data_dir});
  s.push_back({"server.event_loops", &c.server.event_loops, 0, 256});
  s.push_back({"server.shutdown_timeout", DurationMs{&c.server.shutdown_timeout_ms}, 0, kHourMs});
  s.push_back({"log.level", Choice{&c.log.level, {"debug", "info", "warning", "error"}}});
  s.push_back({"log.format", Choice{&c.log.format, {"text", "json"}}});
}

void AddAws(Config& c, std::vector<Setting>& s) {
  s.push_back({"aws.enabled", &c.aws.enabled});
  s.push_back({"aws.address", IpAddress{&c.aws.address}});
  s.push_back({"aws.port", &c.aws.port, 0, 65'535});
  s.push_back({"aws.tls_enabled", &c.aws.tls.enabled});
  s.push_back({"aws.tls_port", &c.aws.tls.port, 0, 65'535});
  s.push_back({"aws.tls_certificate", &c.aws.tls.files.certificate});
  s.push_back({"aws.tls_key", &c.aws.tls.files.key});
  s.push_back({"aws.connections_max", &c.aws.connections_max, 1, 1'000'000});
  s.push_back({"aws.body_bytes_max", ByteSize{&c.aws.body_bytes_max}, 32 * kMiB, 64 * kGiB});
  s.push_back({"aws.request_timeout", DurationMs{&c.aws.request_timeout_ms}, 100, kHourMs});
  s.push_back({"aws.idle_timeout", DurationMs{&c.aws.idle_timeout_ms}, 1'000, 365 * kDayMs});
  s.push_back({"aws.account", &c.aws.auth.account});
  s.push_back({"aws.region", &c.aws.auth.region});
  s.push_back({"aws.accept_any_signature", &c.aws.auth.accept_any_signature});
  s.push_back({"aws.access_keys", TextMap{.value = &c.aws.auth.access_keys, .secret = true}});
  s.push_back({"aws.accounts", TextMap{&c.aws.auth.accounts}});
}

void AddKinesis(kinesis::KinesisOptions& k, std::vector<Setting>& s) {
  s.push_back({"kinesis.create_delay", DurationMs{&k.create_delay_ms}, 0, kHourMs});
  s.push_back({"kinesis.update_delay", DurationMs{&k.update_delay_ms}, 0, kHourMs});
  s.push_back({"kinesis.delete_delay", DurationMs{&k.delete_delay_ms}, 0, kHourMs});
  s.push_back({"kinesis.shards_max", &k.shards_max, 0, 1'000'000});
  s.push_back({"kinesis.call_limits", &k.call_limits});
  s.push_back({"kinesis.shard_limits", &k.shard_limits});
}

void AddFirehose(firehose::FirehoseOptions& f, std::vector<Setting>& s) {
  s.push_back({"firehose.create_delay", DurationMs{&f.create_delay_ms}, 0, kHourMs});
  s.push_back({"firehose.delete_delay", DurationMs{&f.delete_delay_ms}, 0, kHourMs});
}

void AddDoors(Config& c, std::vector<Setting>& s) {
  s.push_back({"native.address", IpAddress{&c.native.address}});
  s.push_back({"native.port", &c.native.port, 0, 65'535});
  s.push_back({"native.connections_max", &c.native.connections_max, 1, 1'000'000});
  s.push_back({"native.inflight_bytes_max", ByteSize{&c.native.inflight_bytes_max}, kMiB, kGiB});
  s.push_back({"native.output_bytes_max", ByteSize{&c.native.output_bytes_max}, kMiB, kGiB});
  s.push_back({"native.body_bytes_max", ByteSize{&c.native.body_bytes_max}, 16 * kMiB, 64 * kGiB});
  s.push_back({"native.hello_timeout", DurationMs{&c.native.hello_timeout_ms}, 100, kHourMs});
  s.push_back({"native.message_timeout", DurationMs{&c.native.message_timeout_ms}, 100, kHourMs});
  s.push_back({"native.idle_timeout", DurationMs{&c.native.idle_timeout_ms}, 1'000, 365 * kDayMs});
  AddAws(c, s);
  AddKinesis(c.kinesis, s);
  AddFirehose(c.firehose, s);
  s.push_back({"admin.address", IpAddress{&c.admin.address}});
  s.push_back({"admin.port", &c.admin.port, 0, 65'535});
  s.push_back({"admin.connections_max", &c.admin.connections_max, 1, 10'000});
  s.push_back({"admin.request_timeout", DurationMs{&c.admin.request_timeout_ms}, 100, kHourMs});
}

void AddRecords(Config& c, std::vector<Setting>& s) {
  s.push_back({"append.batch_bytes_max", ByteSize{&c.append.batch_bytes_max}, kKiB, protocol::kBatchBytesMax});
  s.push_back({"append.record_bytes_max", ByteSize{&c.append.record_bytes_max}, kKiB, protocol::kRecordBytesMax});
  s.push_back({"append.inflight_bytes_max", ByteSize{&c.append.inflight_bytes_max}, kMiB, 64 * kGiB});
  s.push_back({"read.bytes_max", ByteSize{&c.read.bytes_max}, kKiB, protocol::kBatchBytesMax});
  s.push_back({"read.wait_max", DurationMs{&c.read.wait_ms_max}, 0, kHourMs});
  s.push_back({"read.waiters_max", &c.read.waiters_max, 1, 10'000'000});
  s.push_back({"retention.interval", DurationMs{&c.retention.interval_ms}, 100, kDayMs});
  s.push_back({"growth.interval", DurationMs{&c.growth.interval_ms}, 1'000, kDayMs});
  s.push_back({"growth.shard_bytes_per_second", ByteSize{&c.growth.shard_bytes_per_second}, kKiB, kTiB});
  s.push_back({"growth.shard_records_per_second", &c.growth.shard_records_per_second, 1, 1'000'000'000});
  s.push_back({"growth.shards_max", &c.growth.shards_max, 0, StreamCatalog::kShardsMax});
}

void AddEncryption(EncryptionOptions& e, std::vector<Setting>& s) {
  s.push_back({"encryption.key_file", &e.key_file});
  s.push_back({"encryption.data_key_age", DurationMs{&e.data_key_age_ms}, 0, 3'650 * kDayMs});
}

void AddStorage(Config& c, std::vector<Setting>& s) {
  s.push_back({"storage.allow_volatile", &c.server.allow_volatile});
  s.push_back({"storage.journal_file_bytes", ByteSize{&c.storage.journal_file_bytes}, 32 * kMiB, 4 * kGiB});
  s.push_back({"storage.journal_bytes_max", ByteSize{&c.storage.journal_bytes_max}, 128 * kMiB, kTiB});
  s.push_back({"storage.segment_bytes", ByteSize{&c.storage.segment_bytes}, kMiB, 4 * kGiB});
  s.push_back({"storage.tail_bytes_max", ByteSize{&c.storage.tail_bytes_max}, 32 * kMiB, kTiB});
  s.push_back({"storage.write_behind_bytes", ByteSize{&c.storage.write_behind_bytes}, 4 * kKiB, 16 * kMiB});
  s.push_back({"storage.inline_commit_bytes", ByteSize{&c.storage.inline_commit_bytes}, 0, 16 * kMiB});
  s.push_back({"storage.flush_interval", DurationMs{&c.storage.flush_interval_ms}, 1, kMinuteMs});
  s.push_back({"storage.checkpoint_interval", DurationMs{&c.storage.checkpoint_interval_ms}, 100, kHourMs});
}

Status CheckLake(std::string_view text) {
  const auto root = delivery::ParseLakeRoot(text);
  return root ? Status() : root.error();
}

Status CheckBucketRoot(std::string_view text) {
  const auto root = delivery::ParseBucketRoot(text);
  return root ? Status() : root.error();
}

Status CheckSecretName(std::string_view text) {
  if (text.empty() || delivery::IsSecretArn(text)) return Status();
  return Status(Code::kInvalidArgument, fmt::format("\"{}\" is no secret's name, and no ARN of one", text));
}

/// What is wrong is not shown: a password may stand in it.
Status CheckClusterUrl(std::string_view text) {
  return delivery::IsHttpUrl(text) ? Status()
                                   : Status(Code::kInvalidArgument, "an address begins with https:// (or http://)");
}

Status CheckEndpoint(std::string_view text) {
  const auto endpoint = delivery::ParseEndpoint(text);
  return endpoint || text.empty() ? Status() : endpoint.error();
}

void AddStores(delivery::StoreSettings& stores, std::vector<Setting>& s) {
  delivery::S3Settings& s3 = stores.s3;
  s.push_back({"delivery.s3.endpoint_override", CheckedText{&s3.endpoint_override, CheckEndpoint}});
  s.push_back({"delivery.s3.region", &s3.region});
  s.push_back({"delivery.s3.path_style", &s3.path_style});
  s.push_back({"delivery.s3.access_key_id", &s3.access_key_id});
  s.push_back({"delivery.s3.secret_access_key", SecretText{&s3.secret_access_key}});
  s.push_back({"delivery.s3.session_token", SecretText{&s3.session_token}});
  s.push_back({"delivery.s3.connect_timeout", DurationMs{&s3.connect_timeout_ms}, 100, kHourMs});
  s.push_back({"delivery.s3.request_timeout", DurationMs{&s3.request_timeout_ms}, 1'000, kHourMs});
  s.push_back({"delivery.s3.upload_checksums", &s3.upload_checksums});
  s.push_back({"delivery.google.endpoint_override", CheckedText{&stores.google.endpoint_override, CheckEndpoint}});
  s.push_back({"delivery.google.anonymous", &stores.google.anonymous});
  s.push_back({"delivery.google.timeout", DurationMs{&stores.google.timeout_ms}, 1'000, kHourMs});
  s.push_back({"delivery.azure.account_key", SecretText{&stores.azure.account_key}});
  s.push_back({"delivery.azure.sas_token", SecretText{&stores.azure.sas_token}});
}

void AddDelivery(Config& c, std::vector<Setting>& s) {
  s.push_back({"delivery.lake_dir", CheckedText{&c.delivery.lake_dir, CheckLake}});
  s.push_back({"delivery.config_dir", &c.delivery.config_dir});
  s.push_back({"delivery.tables_dir", &c.delivery.tables_dir});
  s.push_back({"delivery.secrets_dir", &c.delivery.secrets_dir});
  s.push_back({"delivery.signing_secret", CheckedText{&c.delivery.signing_secret, CheckSecretName}});
  s.push_back({"delivery.threads", &c.delivery.threads, 1, 256});
  s.push_back({"delivery.lambda_endpoint", &c.delivery.lambda.endpoint});
  s.push_back({"delivery.lambda_timeout", DurationMs{&c.delivery.lambda.timeout_ms}, 100, kHourMs});
  s.push_back({"delivery.endpoint_timeout", DurationMs{&c.delivery.endpoint_timeout_ms}, 100, kHourMs});
  s.push_back({"delivery.load_timeout", DurationMs{&c.delivery.load_timeout_ms}, 1000, 24 * kHourMs});
  s.push_back({"delivery.allow_commands", &c.delivery.lambda.allow_commands});
  s.push_back({"delivery.jq_program", &c.delivery.jq_program});
  s.push_back({"delivery.ca_file", &c.delivery.stores.ca_file});
  s.push_back({"delivery.buckets", TextMap{.value = &c.delivery.buckets, .check = CheckBucketRoot}});
  s.push_back({"delivery.domains", TextMap{.value = &c.delivery.domains, .secret = true, .check = CheckClusterUrl}});
  AddStores(c.delivery.stores, s);
}

}  // namespace

std::vector<Setting> SettingsOf(Config& config) {
  std::vector<Setting> settings;
  AddServer(config, settings);
  AddDoors(config, settings);
  AddRecords(config, settings);
  AddEncryption(config.encryption, settings);
  AddStorage(config, settings);
  AddDelivery(config, settings);
  return settings;
}

Status Assign(const Setting& setting, const SettingValue& value) {
  return std::visit(Overloaded{
                        [&](std::string* target) { return AssignText(setting, value, target); },
                        [&](bool* target) { return AssignBool(setting, value, target); },
                        [&](const ByteSize& size) { return AssignBytes(setting, value, size.value); },
                        [&](const DurationMs& duration) { return AssignDuration(setting, value, duration.value); },
                        [&](const Choice& choice) { return AssignChoice(setting, value, choice); },
                        [&](const IpAddress& address) { return AssignAddress(setting, value, address); },
                        [&](const CheckedText& text) { return AssignChecked(setting, value, text); },
                        [&](const SecretText& text) { return AssignText(setting, value, text.value); },
                        [&](const TextMap&) { return Wrong(setting, value, "not a table"); },
                        [&](auto* number) { return AssignNumber(setting, value, number); },
                    },
                    setting.target);
}

std::string RangeOf(const Setting& setting) {
  return std::visit(Overloaded{
                        [](const std::string*) { return std::string("a text"); },
                        [](const bool*) { return std::string("true, false"); },
                        [&](const ByteSize&) {
                          return fmt::format("{} to {}", protocol::FormatBytes(setting.min),
                                             protocol::FormatBytes(setting.max));
                        },
                        [&](const DurationMs&) {
                          return fmt::format("{} to {}", protocol::FormatDurationMs(setting.min),
                                             protocol::FormatDurationMs(setting.max));
                        },
                        [](const Choice& choice) { return fmt::format("{}", fmt::join(choice.choices, ", ")); },
                        [](const IpAddress&) { return std::string("an IP address"); },
                        [](const CheckedText&) { return std::string("a text"); },
                        [](const SecretText&) { return std::string("a text"); },
                        [](const TextMap&) { return std::string("a table of texts"); },
                        [&](const auto*) { return fmt::format("{} to {}", setting.min, setting.max); },
                    },
                    setting.target);
}

std::string ValueOf(const Setting& setting) {
  return std::visit(Overloaded{
                        [](const std::string* text) { return Quoted(*text); },
                        [](const bool* value) { return std::string(*value ? "true" : "false"); },
                        [](const ByteSize& size) { return Quoted(protocol::FormatBytes(*size.value)); },
                        [](const DurationMs& duration) { return Quoted(protocol::FormatDurationMs(*duration.value)); },
                        [](const Choice& choice) { return Quoted(*choice.value); },
                        [](const IpAddress& address) { return Quoted(*address.value); },
                        [](const CheckedText& text) { return Quoted(*text.value); },
                        [](const SecretText& text) { return Quoted(text.value->empty() ? "" : "***"); },
                        [](const TextMap& map) {
                          std::string table = "{";
                          for (const auto& [key, text] : *map.value) {
                            table.append(table.size() > 1 ? ", " : " ")
                                .append(Quoted(key) + " = " + Quoted(map.secret ? "***" : text));
                          }
                          return table + (table.size() > 1 ? " }" : "}");
                        },
                        [](const auto* number) { return std::to_string(*number); },
                    },
                    setting.target);
}

}  // namespace sluice::broker
