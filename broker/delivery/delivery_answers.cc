// Writing of the answers.
#include "broker/delivery/delivery_answers.h"

#include <algorithm>

#include "broker/delivery/iso_time.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {
namespace {

void WriteTime(std::string_view key, std::int64_t time_ms, protocol::JsonWriter& json) {
  json.Key(key);
  if (time_ms > 0) {
    json.String(IsoTimeText(time_ms));
  } else {
    json.Raw("null");
  }
}

void WriteSource(const DeliveryStream& stream, protocol::JsonWriter& json) {
  const std::shared_ptr<const DeliveryConfig> config = stream.config();
  json.Key("source").BeginObject().Key("stream").String(config->source_stream);
  json.Key("direct_put").Bool(config->direct_put).EndObject();
}

void WriteChanges(const std::optional<std::vector<std::string>>& changes, protocol::JsonWriter& json) {
  if (!changes) return;
  json.Key("changes").BeginList();
  for (const std::string& key : *changes) json.String(key);
  json.EndList();
}

void WriteState(const DeliveryStatus& status, std::int64_t now_ms, protocol::JsonWriter& json) {
  json.Key("mode").String(DeliveryModeName(status.mode));
  json.Key("lag_records").Number(status.lag_records);
  json.Key("freshness_ms").Number(status.FreshnessMs(now_ms));
  WriteTime("delivered_at", status.checkpoint.delivered_ms, json);
  json.Key("last_error").String(status.last_error);
  WriteTime("retry_at", status.retry_ms, json);
}

void WriteTrial(const TrialOutcome& trial, protocol::JsonWriter& json) {
  json.Key("sample").BeginObject();
  WriteTotals(trial.totals, json);
  if (trial.schema) {
    json.Key("columns").BeginList();
    for (const Field& column : trial.schema->columns) {
      json.BeginObject().Key("name").String(column.name).Key("type").String(ToHiveType(column.type)).EndObject();
    }
    json.EndList();
  }
  json.Key("objects").BeginList();
  for (const TrialObject& object : trial.objects) {
    json.BeginObject().Key("key").String(object.key).Key("error").Bool(object.error);
    json.Key("content").Base64(object.bytes).EndObject();
  }
  json.EndList().EndObject();
}

/// There may be thousands of keys, and of records that an endpoint refused.
Intent Told(Intent intent) {
  intent.other_keys.clear();
  intent.backup_keys.clear();
  intent.refused.reset();
  return intent;
}

}  // namespace

std::string DescribeJson(const DeliveryStream& stream, std::int64_t now_ms, const ActionOutcome& outcome) {
  const DeliveryStatus status = stream.status();
  const DeliveryIdentity identity = stream.identity();
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(stream.name());
  WriteSource(stream, json);
  json.Key("bucket").String(stream.config()->bucket);
  WriteTime("created_at", identity.created_ms, json);
  json.Key("version").Number(identity.version);
  WriteState(status, now_ms, json);
  json.Key("failures").Number(status.failures);
  json.Key("last_object").String(status.last_object);
  json.Key("pending").BeginObject().Key("records").Number(status.pending_records);
  json.Key("bytes").Number(status.pending_bytes).EndObject();
  json.Key("schema_version").Number(status.schema_version);
  WriteShards(status.checkpoint.shards, json);
  WriteTotals(status.checkpoint.totals, json);
  json.Key("intent").Raw(status.intent ? IntentToJson(Told(*status.intent)) : "null");
  if (outcome.flush) {
    json.Key("flush").BeginObject().Key("number").Number(*outcome.flush);
    json.Key("done").Bool(stream.flushed(*outcome.flush)).EndObject();
  }
  WriteChanges(outcome.changes, json);
  json.Key("config").Raw(DeliveryConfigToJson(*stream.config(), Secrets::kHidden)).EndObject();
  return json.text();
}

std::string ListJson(const std::vector<const DeliveryStream*>& streams, std::int64_t now_ms) {
  protocol::JsonWriter json;
  json.BeginObject().Key("delivery_streams").BeginList();
  for (const DeliveryStream* stream : streams) {
    json.BeginObject().Key("name").String(stream->name());
    WriteSource(*stream, json);
    json.Key("bucket").String(stream->config()->bucket);
    const DeliveryStatus status = stream->status();
    WriteState(status, now_ms, json);
    json.Key("records").Number(status.checkpoint.totals.records).Key("errors").Number(status.checkpoint.totals.errors);
    json.EndObject();
  }
  json.EndList().EndObject();
  return json.text();
}

std::string CheckJson(const DeliveryConfig& config, const std::string& example_key, const std::string& copy,
                      const std::optional<std::vector<std::string>>& changes,
                      const std::optional<TrialOutcome>& trial) {
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(config.name).Key("valid").Bool(true);
  json.Key("example_key").String(example_key);
  if (!copy.empty()) json.Key("copy").String(copy);
  WriteChanges(changes, json);
  if (trial) WriteTrial(*trial, json);
  json.Key("config").Raw(DeliveryConfigToJson(config, Secrets::kHidden)).EndObject();
  return json.text();
}

}  // namespace sluice::delivery
