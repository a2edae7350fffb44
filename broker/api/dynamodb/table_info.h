// What a table is, besides its items. Values only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/dynamodb/attribute_value.h"
#include "broker/api/dynamodb/errors.h"
#include "protocol/aws/document.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::dynamodb {

struct KeyAttribute {
  std::string name;
  Type type = Type::kString;  // kString, kNumber or kBinary
};

struct KeySchema {
  KeyAttribute hash;
  std::optional<KeyAttribute> range;

  bool Has(std::string_view name) const { return hash.name == name || (range && range->name == name); }
};

/// Told as it was asked for; nothing is throttled.
struct Throughput {
  std::int64_t read_units = 0;
  std::int64_t write_units = 0;
};

/// A global secondary index.
struct IndexInfo {
  std::string name;
  KeySchema keys;
  std::string projection = "ALL";  // or KEYS_ONLY, INCLUDE
  std::vector<std::string> also;   // INCLUDE: attributes besides the keys
  Throughput throughput;
};

struct TableInfo {
  std::string name;
  std::string id;  // a UUID
  std::int64_t created_ms = 0;
  KeySchema keys;
  std::map<std::string, Type> attributes;  // of AttributeDefinitions
  std::vector<IndexInfo> indexes;
  bool on_demand = false;
  Throughput throughput;
  bool deletion_protection = false;
  std::map<std::string, std::string> tags;
  std::string ttl_attribute;  // empty: there is none. Nothing expires
  bool recovery = false;      // point in time recovery was asked for; there is none

  const IndexInfo* FindIndex(std::string_view name) const;
};

/// "leases", out of that or of an ARN.
std::string_view TableNameOf(std::string_view name_or_arn);
/// "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME".
std::string TableArn(std::string_view name, std::string_view region, std::string_view account);

/// CreateTable's input, or what EncodeTable gives.
ApiResult<TableInfo> ReadTable(protocol::aws::Value input);
/// One index of it, or of UpdateTable's. `attributes` are the table's.
ApiResult<IndexInfo> ReadIndex(protocol::aws::Value json, const std::map<std::string, Type>& attributes);
/// AttributeDefinitions, added to `attributes`.
ApiResult<void> ReadAttributes(protocol::aws::Value input, std::map<std::string, Type>& attributes);
ApiResult<Throughput> ReadThroughput(protocol::aws::Value input);
/// A list of {"Key": .., "Value": ..}, added to `tags`.
ApiResult<void> ReadTags(protocol::aws::Value list, std::map<std::string, std::string>& tags);

/// KeySchema, AttributeDefinitions and Projection as answers have them.
void WriteKeys(protocol::aws::Writer& writer, const KeySchema& keys);
void WriteAttributes(protocol::aws::Writer& writer, const std::map<std::string, Type>& attributes);
void WriteProjection(protocol::aws::Writer& writer, const IndexInfo& index);

/// As it is kept.
std::string EncodeTable(const TableInfo& table);
/// kCorruption where `text` is not what EncodeTable gives, kUnimplemented where a newer version wrote it.
Result<TableInfo> DecodeTable(std::string_view text);

}  // namespace sluice::broker::dynamodb
