// Writing and reading of the ledger document.
#include "broker/delivery/ledger_document.h"

#include "broker/delivery/config_document.h"
#include "broker/delivery/state_reader.h"

namespace sluice::delivery {

std::string LedgerDocumentToJson(const LedgerDocument& document) {
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(document.name).Key("uid").String(document.uid);
  json.Key("stream").String(document.stream);
  json.Key("stream_exists").Bool(document.stream_exists);
  json.Key("bucket").String(document.bucket).Key("directory").String(document.directory);
  json.Key("converted").Bool(document.converted);
  WriteShards(document.shards, json);
  json.Key("intent").Raw(document.intent ? IntentToJson(*document.intent) : "null");
  json.Key("entries").BeginList();
  for (const LedgerEntry& entry : document.entries) json.Raw(LedgerEntryToJson(entry));
  json.EndList().EndObject();
  return json.text();
}

Result<LedgerDocument> LedgerDocumentFromJson(std::string_view json) {
  const Result<ConfigNode> tree = ParseJsonTree(json, "the ledger");
  if (!tree) return Error(Code::kCorruption, tree.error().message());
  StateReader reader(*tree, "the ledger");
  LedgerDocument document;
  document.name = reader.String("name");
  document.stream = reader.String("stream");
  if (reader.Has("uid")) document.uid = reader.String("uid");                             // nor this
  document.stream_exists = !reader.Has("stream_exists") || reader.Bool("stream_exists");  // brokers before did not say
  document.bucket = reader.String("bucket");
  document.directory = reader.String("directory");
  document.converted = reader.Bool("converted");
  document.shards = ReadShards(reader);
  for (const ConfigNode& item : reader.List("entries")) {
    Result<LedgerEntry> entry = LedgerEntryFromTree(item);
    if (!entry) return Error(entry.error());
    document.entries.push_back(std::move(*entry));
  }
  if (const ConfigField* intent = tree->Find("intent");
      intent != nullptr && intent->value.kind == ConfigNode::Kind::kMap) {
    Result<Intent> read = IntentFromTree(intent->value);
    if (!read) return Error(read.error());
    document.intent = std::move(*read);
  }
  if (!reader.ok()) return Error(reader.status());
  return document;
}

}  // namespace sluice::delivery
