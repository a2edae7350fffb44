// Reads the keys that are used, and knows those that are not.
#include "tools/agent/agent_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parser.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "protocol/suggest.h"
#include "tools/agent/option_reader.h"

namespace sluice::tools {
namespace {

struct UnusedKey {
  std::string_view key;
  std::string_view why;
};

constexpr std::string_view kOfAws = "there is no AWS behind it; --broker says where records go";
constexpr std::string_view kNoCloudwatch = "the broker has metrics of its own";
constexpr std::string_view kNoPool = "each flow has one thread and one connection";
constexpr std::string_view kOwnLog = "what there is to say goes to stderr";
constexpr std::string_view kNoQueue = "a flow reads on when what it has read is stored";

constexpr std::array<UnusedKey, 35> kUnusedKeys{{
    {"kinesis.endpoint", kOfAws},
    {"kinesis.region", kOfAws},
    {"firehose.endpoint", kOfAws},
    {"firehose.region", kOfAws},
    {"sts.endpoint", kOfAws},
    {"awsAccessKeyId", kOfAws},
    {"awsSecretAccessKey", kOfAws},
    {"assumeRoleARN", kOfAws},
    {"assumeRoleExternalId", kOfAws},
    {"userDefinedCredentialsProvider.classname", kOfAws},
    {"userDefinedCredentialsProvider.location", kOfAws},
    {"cloudwatch.endpoint", kNoCloudwatch},
    {"cloudwatch.emitMetrics", kNoCloudwatch},
    {"cloudwatch.tagInstance", kNoCloudwatch},
    {"cloudwatch.namespace", kNoCloudwatch},
    {"cloudwatch.metricsBufferTimeMillis", kNoCloudwatch},
    {"cloudwatch.metricsQueueSize", kNoCloudwatch},
    {"checkpointFile", "checkpoints are in the directory of --state, which survives a reboot"},
    {"maxSendingThreads", kNoPool},
    {"maxSendingThreadsPerCore", kNoPool},
    {"maxConnections", kNoPool},
    {"maxConnectionsPerHost", kNoPool},
    {"sendingThreadsKeepAliveMillis", kNoPool},
    {"sendingThreadsMaxQueueSize", kNoPool},
    {"connectionTimeoutMillis", kNoPool},
    {"connectionTTLMillis", kNoPool},
    {"socketTimeoutMillis", kNoPool},
    {"useTcpKeepAlive", kNoPool},
    {"useHttpGzip", kNoPool},
    {"log.level", kOwnLog},
    {"log.file", kOwnLog},
    {"log.maxBackupIndex", kOwnLog},
    {"log.maxFileSize", kOwnLog},
    {"log.emitMetrics", kOwnLog},
    {"log.statusReportingPeriodSeconds", kOwnLog},
}};
constexpr std::array<UnusedKey, 4> kUnusedFlowKeys{{
    {"publishQueueCapacity", kNoQueue},
    {"waitOnFullPublishQueueMillis", kNoQueue},
    {"waitOnEmptyPublishQueueMillis", kNoQueue},
    {"waitOnFullRetryQueueMillis", kNoQueue},
}};
constexpr std::array<std::string_view, 3> kUsedKeys{"flows", "checkpointTimeToLiveDays", "shutdownTimeoutMillis"};
constexpr std::array<std::string_view, 18> kUsedFlowKeys{"filePattern",
                                                         "kinesisStream",
                                                         "deliveryStream",
                                                         "partitionKeyOption",
                                                         "initialPosition",
                                                         "maxBufferAgeMillis",
                                                         "maxBufferSizeBytes",
                                                         "maxBufferSizeRecords",
                                                         "minTimeBetweenFilePollsMillis",
                                                         "maxTimeBetweenFileTrackerRefreshMillis",
                                                         "retryInitialBackoffMillis",
                                                         "retryMaxBackoffMillis",
                                                         "skipHeaderLines",
                                                         "multiLineStartPattern",
                                                         "truncatedRecordTerminator",
                                                         "aggregatedRecordSizeBytes",
                                                         "dataProcessingOptions",
                                                         "log.emitInternalMetrics"};

/// One warning for each key that is in the file and not used.
void WarnOfUnused(const OptionReader& reader, std::span<const UnusedKey> unused, std::span<const std::string_view> used,
                  std::vector<std::string>& warnings) {
  std::vector<std::string> known(used.begin(), used.end());
  for (const UnusedKey& key : unused) known.emplace_back(key.key);
  for (const std::string& key : reader.Unread()) {
    const auto found = std::ranges::find(unused, std::string_view(key), &UnusedKey::key);
    if (found != unused.end()) {
      warnings.push_back(fmt::format("{} is not used: {}", reader.PlaceOf(key), found->why));
    } else {
      warnings.push_back(
          fmt::format("{} is not known, and not used{}", reader.PlaceOf(key), protocol::DidYouMean(key, known)));
    }
  }
}

void ReadDestination(OptionReader& reader, FlowConfig& flow) {
  flow.stream = reader.Text("kinesisStream").value_or("");
  flow.delivery = reader.Text("deliveryStream").value_or("");
  if (flow.stream.empty() == flow.delivery.empty()) {
    reader.Mistake("kinesisStream", "exactly one of kinesisStream and deliveryStream must be there");
  }
}

void ReadBuffering(OptionReader& reader, FlowConfig& flow) {
  const std::uint64_t bytes_max = flow.delivery.empty() ? 5u << 20 : 4u << 20;
  flow.buffer_age_ms = reader.Number("maxBufferAgeMillis", 1'000, 1, 900'000);
  flow.buffer_bytes = reader.Number("maxBufferSizeBytes", bytes_max, 1, bytes_max);
  flow.buffer_records = reader.Number("maxBufferSizeRecords", 50'000, 1, 50'000);
  flow.poll_ms = reader.Number("minTimeBetweenFilePollsMillis", 100, 1, 3'600'000);
  flow.refresh_ms = reader.Number("maxTimeBetweenFileTrackerRefreshMillis", 10'000, 1, 3'600'000);
  flow.retry_min_ms = reader.Number("retryInitialBackoffMillis", 100, 1, 3'600'000);
  flow.retry_max_ms = reader.Number("retryMaxBackoffMillis", 10'000, 1, 3'600'000);
  flow.aggregated_bytes = reader.Number("aggregatedRecordSizeBytes", 0, 0, kAgentFirehoseRecordBytesMax);
  if (flow.aggregated_bytes > 0 && flow.delivery.empty()) {
    reader.Mistake("aggregatedRecordSizeBytes", "only flows with a deliveryStream have it");
  }
}

void ReadRecords(OptionReader& reader, FlowConfig& flow, std::vector<std::string>& warnings) {
  flow.deterministic_keys = reader.Word("partitionKeyOption", {"RANDOM", "DETERMINISTIC"}) == "DETERMINISTIC";
  flow.from_start = reader.Word("initialPosition", {"END_OF_FILE", "START_OF_FILE"}) == "START_OF_FILE";
  flow.skip_header_lines = reader.Number("skipHeaderLines", 0, 0, 1'000'000);
  flow.terminator = reader.Text("truncatedRecordTerminator").value_or("\n");
  if (flow.terminator.size() >= flow.record_bytes_max()) reader.Mistake("truncatedRecordTerminator", "it is too long");
  auto splitter = RecordSplitter::New(reader.Text("multiLineStartPattern").value_or(""));
  if (splitter) {
    flow.splitter = std::make_shared<const RecordSplitter>(std::move(*splitter));
  } else {
    reader.Mistake("multiLineStartPattern", splitter.error().message());
  }
  const boost::json::value* const options = reader.Find("dataProcessingOptions");
  if (options != nullptr && !options->is_array()) return reader.Mistake("dataProcessingOptions", "it is not a list");
  if (!reader.error().ok()) return;
  auto chain = ProcessingChain::Parse(options == nullptr ? boost::json::array() : options->get_array(), reader.where(),
                                      warnings);
  if (chain) flow.processing = std::move(*chain);
  if (!chain) reader.Fail(chain.error());
}

Result<FlowConfig> ParseFlow(const boost::json::value& value, const std::string& where,
                             std::vector<std::string>& warnings) {
  const boost::json::object* const object = value.if_object();
  if (object == nullptr) return Error(Code::kInvalidArgument, where + ": it is not an object");
  OptionReader reader(*object, where);
  FlowConfig flow;
  flow.file_pattern = reader.Text("filePattern").value_or("");
  if (flow.file_pattern.starts_with("file://")) flow.file_pattern.erase(0, 7);
  const std::filesystem::path path(flow.file_pattern);
  if (flow.file_pattern.empty()) reader.Mistake("filePattern", "it is missing");
  if (path.filename().empty()) reader.Mistake("filePattern", "it names a directory; name its files, such as DIR/*.log");
  if (path.parent_path().string().find_first_of("*?[{") != std::string::npos) {
    reader.Mistake("filePattern", "only the last part of a path can be a pattern");
  }
  ReadDestination(reader, flow);
  ReadBuffering(reader, flow);
  ReadRecords(reader, flow, warnings);
  static_cast<void>(reader.Find("log.emitInternalMetrics"));
  if (!reader.error().ok()) return Error(reader.error());
  WarnOfUnused(reader, kUnusedFlowKeys, kUsedFlowKeys, warnings);
  return flow;
}

/// With comments, which the Kinesis Agent takes.
Result<boost::json::value> ParseJson(std::string_view text, std::string_view name) {
  boost::json::parse_options options;
  options.allow_comments = true;
  boost::json::parser parser({}, options);
  boost::system::error_code error;
  const std::size_t at = parser.write_some(text.data(), text.size(), error);
  const std::string_view rest = text.substr(std::min(at, text.size()));
  if (!error && rest.find_first_not_of(" \t\r\n") != std::string_view::npos) error = boost::json::error::extra_data;
  if (!error) return parser.release();
  const std::string_view before = text.substr(0, at);
  return Error(Code::kInvalidArgument,
               fmt::format("{}:{}:{}: this is not JSON: {}", name, std::ranges::count(before, '\n') + 1,
                           at - (before.rfind('\n') + 1) + 1, error.message()));
}

Result<std::string> ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return Error(Code::kNotFound, fmt::format("cannot read {}", file));
  return text;
}

/// Two flows of the same files into the same stream would put every line twice.
Status CheckFlows(const AgentConfig& config, const std::string& file) {
  if (config.flows.empty()) return {Code::kInvalidArgument, fmt::format("{}: there are no flows", file)};
  std::set<std::pair<std::string, std::string>> seen;
  for (const FlowConfig& flow : config.flows) {
    if (!seen.emplace(flow.file_pattern, flow.destination()).second) {
      return {Code::kInvalidArgument,
              fmt::format("{}: two flows read {} into {}", file, flow.file_pattern, flow.destination())};
    }
  }
  return {};
}

Result<std::vector<std::string>> JsonFilesOf(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  if (error) return Error(Code::kNotFound, fmt::format("cannot read {}: {}", directory, error.message()));
  std::ranges::sort(files);
  return files;
}

}  // namespace

Result<AgentConfig> ParseAgentConfig(std::string_view text, std::string_view name) {
  const auto document = ParseJson(text, name);
  if (!document) return std::unexpected(document.error());
  if (!document->is_object()) return Error(Code::kInvalidArgument, fmt::format("{}: it is not an object", name));
  AgentConfig config;
  OptionReader reader(document->get_object(), fmt::format("{}: ", name));
  config.checkpoint_days = reader.Number("checkpointTimeToLiveDays", 7, 1, 36'500);
  config.shutdown_timeout_ms = reader.Number("shutdownTimeoutMillis", 10'000, 1, 3'600'000);
  const boost::json::value* const flows = reader.Find("flows");
  if (flows != nullptr && !flows->is_array()) reader.Mistake("flows", "it is not a list");
  if (!reader.error().ok()) return Error(reader.error());
  WarnOfUnused(reader, kUnusedKeys, kUsedKeys, config.warnings);
  for (std::size_t i = 0; flows != nullptr && i < flows->get_array().size(); ++i) {
    auto flow = ParseFlow(flows->get_array()[i], fmt::format("{}: flows[{}]", name, i), config.warnings);
    if (!flow) return std::unexpected(flow.error());
    config.flows.push_back(std::move(*flow));
  }
  return config;
}

Result<AgentConfig> ReadAgentConfig(const std::string& file, const std::string& directory) {
  const auto text = ReadFile(file);
  if (!text) return std::unexpected(text.error());
  auto config = ParseAgentConfig(*text, file);
  if (!config) return config;
  auto more = directory.empty() ? Result<std::vector<std::string>>() : JsonFilesOf(directory);
  if (!more) return std::unexpected(more.error());
  for (const std::string& other : *more) {
    const auto other_text = ReadFile(other);
    if (!other_text) return std::unexpected(other_text.error());
    auto parsed = ParseAgentConfig(*other_text, other);
    if (!parsed) return parsed;
    std::ranges::move(parsed->flows, std::back_inserter(config->flows));
    std::ranges::move(parsed->warnings, std::back_inserter(config->warnings));
  }
  if (Status checked = CheckFlows(*config, file); !checked.ok()) return Error(std::move(checked));
  return config;
}

std::vector<std::string> AgentConfigKeys() {
  std::vector<std::string> keys(kUsedKeys.begin(), kUsedKeys.end());
  for (const UnusedKey& key : kUnusedKeys) keys.emplace_back(key.key);
  for (const std::string_view key : kUsedFlowKeys) keys.push_back(fmt::format("flows[].{}", key));
  for (const UnusedKey& key : kUnusedFlowKeys) keys.push_back(fmt::format("flows[].{}", key.key));
  return keys;
}

}  // namespace sluice::tools
