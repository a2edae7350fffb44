// The records, as JSON, from a few templates.
#include "tests/delivery/sample_records.h"

#include <fmt/format.h>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kColumns = R"json([
  {"Name": "id", "Type": "bigint"},
  {"Name": "time", "Type": "timestamp"},
  {"Name": "day", "Type": "date"},
  {"Name": "host", "Type": "string"},
  {"Name": "price", "Type": "decimal(12,3)"},
  {"Name": "load", "Type": "double"},
  {"Name": "up", "Type": "boolean"},
  {"Name": "connections", "Type": "struct<accepted:bigint,dropped:int,limits:struct<soft:smallint,hard:smallint>>"},
  {"Name": "peers", "Type": "array<struct<id:int,server:string,responses:map<string,bigint>>>"},
  {"Name": "tags", "Type": "array<string>"},
  {"Name": "note", "Type": "string"}
])json";

// Every record has another mix of null, empty and filled nested values.
std::string Peers(std::size_t i) {
  if (i % 7 == 3) return "null";
  std::string peers = "[";
  for (std::size_t peer = 0; peer < i % 4; ++peer) {
    if (peer > 0) peers += ',';
    peers += fmt::format(R"({{"id":{},"server":"10.0.0.{}:8080","responses":{{"2xx":{},"5xx":{}}}}})", peer, peer + 1,
                         i * 31 + peer, i % 5);
  }
  return peers + "]";
}

std::string Connections(std::size_t i) {
  if (i % 11 == 5) return "null";
  std::string limits =
      i % 3 == 0 ? "null" : fmt::format(R"({{"soft":{},"hard":{}}})", i % 1000, i % 2 == 0 ? "null" : "32767");
  return fmt::format(R"({{"accepted":{},"dropped":{},"limits":{}}})", 8'995'031 + i, i % 3, limits);
}

}  // namespace

SampleRecords MakeSampleRecords(std::size_t count, std::size_t padding_bytes) {
  SampleRecords records;
  for (std::size_t i = 0; i < count; ++i) {
    std::string note(padding_bytes, static_cast<char>('a' + i % 26));
    records.values.push_back(fmt::format(
        R"({{"id":{},"time":"2024-02-29T12:{:02}:{:02}.{:06}Z","day":"2024-02-{:02}","host":"web-{}.example.org",)"
        R"("price":{}.{:03},"load":{}.5,"up":{},"connections":{},"peers":{},"tags":{},"note":"{}{}"}})",
        i, i / 60 % 60, i % 60, i % 999'999 + 1, i % 29 + 1, i % 5, i % 100'000, i % 1000, i % 64, i % 2 == 0,
        Connections(i), Peers(i), i % 5 == 0 ? "[]" : R"(["edge","é"])", note, i));
  }
  records.refs = RefsTo(records.values);
  return records;
}

Schema SampleSchema() {
  Result<Schema> schema = SchemaFromColumns(kColumns);
  SLUICE_CHECK(schema.has_value());
  return *schema;
}

std::vector<RecordRef> RefsTo(const std::vector<std::string>& values) {
  std::vector<RecordRef> refs;
  for (const std::string& value : values) {
    RecordRef ref;
    ref.value = value;
    ref.shard = ShardIndex(3);
    ref.offset = Offset(refs.size());
    refs.push_back(ref);
  }
  return refs;
}

ObjectMetadata SampleMetadata(std::size_t count) {
  ObjectMetadata metadata;
  metadata.stream = "orders";
  metadata.delivery_stream = "orders-to-lake";
  metadata.uid = "0123456789abcdef";
  metadata.ranges = {{ShardIndex(3), Offset(0), Offset(count - 1)}};
  metadata.schema_version = 1;
  metadata.extra = {{"note", "quote \" and \\"}};
  return metadata;
}

}  // namespace sluice::delivery
