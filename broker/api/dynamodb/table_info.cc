// Reading and writing tables. What is kept looks as CreateTable's input does, with what the broker adds.
#include "broker/api/dynamodb/table_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/api/aws/write_tags.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kIndexesMax = 20;
constexpr std::size_t kTagsMax = 50;

std::string_view TextOf(api::Value map, std::string_view member) {
  const auto text = map.Find(member);
  return text && text->kind() == api::Kind::kText ? text->text() : std::string_view();
}

bool IsTrue(api::Value map, std::string_view member) {
  const auto value = map.Find(member);
  return value && value->kind() == api::Kind::kBoolean && value->boolean();
}

std::int64_t IntegerOf(api::Value map, std::string_view member) {
  const auto value = map.Find(member);
  const bool number = value && (value->kind() == api::Kind::kInteger || value->kind() == api::Kind::kReal);
  return number ? api::ToInteger(*value, INT64_MAX) : 0;
}

/// The maps of a list member; none where it is absent.
ApiResult<std::vector<api::Value>> MapsOf(api::Value input, std::string_view member) {
  std::vector<api::Value> maps;
  const auto list = input.Find(member);
  if (!list) return maps;
  if (list->kind() != api::Kind::kList) return std::unexpected(Serialization("Expected list or null"));
  for (const auto [unnamed, element] : list->children()) {
    if (element.kind() != api::Kind::kMap) return std::unexpected(Serialization("Expected null"));
    maps.push_back(element);
  }
  return maps;
}

ApiResult<KeySchema> ReadKeys(api::Value input, const std::map<std::string, Type>& attributes) {
  const auto elements = MapsOf(input, "KeySchema");
  if (!elements) return std::unexpected(elements.error());
  const auto refuse = [](std::string_view why) { return std::unexpected(InvalidParameter(why)); };
  if (elements->empty() || elements->size() > 2) return refuse("A KeySchema has one or two elements");
  KeySchema keys;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const std::string name(TextOf((*elements)[i], "AttributeName"));
    if (TextOf((*elements)[i], "KeyType") != (i == 0 ? "HASH" : "RANGE")) {
      return refuse("The first element of a KeySchema is of the KeyType HASH, the second of RANGE");
    }
    const auto defined = attributes.find(name);
    if (defined == attributes.end()) {
      return refuse(fmt::format(
          "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: []",
          name));
    }
    KeyAttribute attribute{.name = name, .type = defined->second};
    i == 0 ? void(keys.hash = std::move(attribute)) : void(keys.range = std::move(attribute));
  }
  if (keys.range && keys.range->name == keys.hash.name)
    return refuse("Both the Hash Key and the Range Key element in the KeySchema have the same name");
  return keys;
}

ApiResult<void> ReadIndexes(api::Value input, TableInfo& table) {
  const auto indexes = MapsOf(input, "GlobalSecondaryIndexes");
  if (!indexes) return std::unexpected(indexes.error());
  if (indexes->size() > kIndexesMax) return std::unexpected(LimitExceeded("A table has 20 indexes at most"));
  for (const api::Value json : *indexes) {
    auto index = ReadIndex(json, table.attributes);
    if (!index) return std::unexpected(std::move(index.error()));
    if (table.FindIndex(index->name) != nullptr) {
      return std::unexpected(InvalidParameter(fmt::format("Duplicate index name: {}", index->name)));
    }
    table.indexes.push_back(std::move(*index));
  }
  const auto local = MapsOf(input, "LocalSecondaryIndexes");
  if (!local) return std::unexpected(local.error());
  if (!local->empty()) return std::unexpected(Validation("Local secondary indexes are not served here"));
  return {};
}

void WriteThroughput(api::Writer& writer, const Throughput& throughput) {
  writer.Name("ProvisionedThroughput").BeginMap();
  writer.Name("ReadCapacityUnits").Integer(throughput.read_units);
  writer.Name("WriteCapacityUnits").Integer(throughput.write_units);
  writer.EndMap();
}

}  // namespace

const IndexInfo* TableInfo::FindIndex(std::string_view index) const {
  const auto found = std::ranges::find(indexes, index, &IndexInfo::name);
  return found == indexes.end() ? nullptr : &*found;
}

std::string_view TableNameOf(std::string_view name_or_arn) {
  constexpr std::string_view kBefore = ":table/";
  if (!name_or_arn.starts_with("arn:")) return name_or_arn;
  const std::size_t at = name_or_arn.find(kBefore);
  if (at == name_or_arn.npos) return name_or_arn;
  name_or_arn.remove_prefix(at + kBefore.size());
  return name_or_arn.substr(0, name_or_arn.find('/'));
}

std::string TableArn(std::string_view name, std::string_view region, std::string_view account) {
  return fmt::format("arn:aws:dynamodb:{}:{}:table/{}", region, account, name);
}

ApiResult<void> ReadAttributes(api::Value input, std::map<std::string, Type>& attributes) {
  const auto definitions = MapsOf(input, "AttributeDefinitions");
  if (!definitions) return std::unexpected(definitions.error());
  for (const api::Value definition : *definitions) {
    const std::string_view name = TextOf(definition, "AttributeName");
    const std::string_view type = TextOf(definition, "AttributeType");
    constexpr std::array kKeyTypes = {Type::kString, Type::kNumber, Type::kBinary};
    const auto* const found = std::ranges::find(kKeyTypes, type, TypeName);
    if (name.empty() || found == kKeyTypes.end()) {
      return std::unexpected(InvalidParameter("AttributeDefinitions have a name and one of the types S, N, B"));
    }
    attributes.insert_or_assign(std::string(name), *found);
  }
  return {};
}

ApiResult<Throughput> ReadThroughput(api::Value input) {
  const auto json = input.Find("ProvisionedThroughput");
  if (!json) return Throughput{};
  if (json->kind() != api::Kind::kMap) return std::unexpected(Serialization("Expected null"));
  return Throughput{IntegerOf(*json, "ReadCapacityUnits"), IntegerOf(*json, "WriteCapacityUnits")};
}

ApiResult<IndexInfo> ReadIndex(api::Value json, const std::map<std::string, Type>& attributes) {
  auto keys = ReadKeys(json, attributes);
  if (!keys) return std::unexpected(std::move(keys.error()));
  const auto throughput = ReadThroughput(json);
  if (!throughput) return std::unexpected(throughput.error());
  IndexInfo index{
      .name = std::string(TextOf(json, "IndexName")), .keys = std::move(*keys), .also = {}, .throughput = *throughput};
  if (index.name.empty()) return std::unexpected(InvalidParameter("An index has a name"));
  const auto projection = json.Find("Projection");
  if (!projection || projection->kind() != api::Kind::kMap) {
    return std::unexpected(InvalidParameter(fmt::format("Unknown ProjectionType for index: {}", index.name)));
  }
  index.projection = TextOf(*projection, "ProjectionType");
  if (index.projection != "ALL" && index.projection != "KEYS_ONLY" && index.projection != "INCLUDE") {
    return std::unexpected(InvalidParameter(fmt::format("Unknown ProjectionType: {}", index.projection)));
  }
  const auto also = projection->Find("NonKeyAttributes");
  if (also && also->kind() != api::Kind::kList) return std::unexpected(Serialization("Expected list or null"));
  if (!also) return index;
  for (const auto [unnamed, name] : also->children()) {
    if (name.kind() == api::Kind::kText) index.also.emplace_back(name.text());
  }
  return index;
}

ApiResult<void> ReadTags(api::Value list, std::map<std::string, std::string>& tags) {
  if (list.kind() != api::Kind::kList) return std::unexpected(Serialization("Expected list or null"));
  for (const auto [unnamed, tag] : list.children()) {
    if (tag.kind() != api::Kind::kMap) return std::unexpected(Serialization("Expected null"));
    const std::string_view key = TextOf(tag, "Key");
    if (key.empty()) return std::unexpected(InvalidParameter("A tag has a key"));
    tags.insert_or_assign(std::string(key), std::string(TextOf(tag, "Value")));
  }
  if (tags.size() <= kTagsMax) return {};
  return std::unexpected(LimitExceeded("A table has 50 tags at most"));
}

ApiResult<TableInfo> ReadTable(api::Value input) {
  TableInfo table;
  table.name = TextOf(input, "TableName");
  if (auto read = ReadAttributes(input, table.attributes); !read) return std::unexpected(std::move(read.error()));
  auto keys = ReadKeys(input, table.attributes);
  if (!keys) return std::unexpected(std::move(keys.error()));
  table.keys = std::move(*keys);
  if (auto read = ReadIndexes(input, table); !read) return std::unexpected(std::move(read.error()));
  const auto throughput = ReadThroughput(input);
  if (!throughput) return std::unexpected(throughput.error());
  table.throughput = *throughput;
  table.on_demand = TextOf(input, "BillingMode") == "PAY_PER_REQUEST";
  table.deletion_protection = IsTrue(input, "DeletionProtectionEnabled");
  if (const auto tags = input.Find("Tags")) {
    if (auto read = ReadTags(*tags, table.tags); !read) return std::unexpected(std::move(read.error()));
  }
  table.id = TextOf(input, "id");
  table.created_ms = IntegerOf(input, "created_ms");
  table.ttl_attribute = TextOf(input, "ttl_attribute");
  table.recovery = IsTrue(input, "recovery");
  return table;
}

void WriteKeys(api::Writer& writer, const KeySchema& keys) {
  const auto element = [&](const KeyAttribute& attribute, std::string_view type) {
    writer.BeginMap();
    writer.Name("AttributeName").Text(attribute.name);
    writer.Name("KeyType").Text(type);
    writer.EndMap();
  };
  writer.Name("KeySchema").BeginList();
  element(keys.hash, "HASH");
  if (keys.range) element(*keys.range, "RANGE");
  writer.EndList();
}

void WriteAttributes(api::Writer& writer, const std::map<std::string, Type>& attributes) {
  writer.Name("AttributeDefinitions").BeginList();
  for (const auto& [name, type] : attributes) {
    writer.BeginMap();
    writer.Name("AttributeName").Text(name);
    writer.Name("AttributeType").Text(TypeName(type));
    writer.EndMap();
  }
  writer.EndList();
}

void WriteProjection(api::Writer& writer, const IndexInfo& index) {
  writer.Name("Projection").BeginMap();
  writer.Name("ProjectionType").Text(index.projection);
  if (!index.also.empty()) {
    writer.Name("NonKeyAttributes").BeginList();
    for (const std::string& name : index.also) writer.Text(name);
    writer.EndList();
  }
  writer.EndMap();
}

std::string EncodeTable(const TableInfo& table) {
  const auto writer = api::Writer::New(api::Encoding::kJson);
  writer->BeginMap();
  writer->Name("format").Integer(kFormat);
  writer->Name("id").Text(table.id);
  writer->Name("created_ms").Integer(table.created_ms);
  writer->Name("ttl_attribute").Text(table.ttl_attribute);
  writer->Name("recovery").Boolean(table.recovery);
  writer->Name("TableName").Text(table.name);
  WriteAttributes(*writer, table.attributes);
  WriteKeys(*writer, table.keys);
  writer->Name("GlobalSecondaryIndexes").BeginList();
  for (const IndexInfo& index : table.indexes) {
    writer->BeginMap();
    writer->Name("IndexName").Text(index.name);
    WriteKeys(*writer, index.keys);
    WriteProjection(*writer, index);
    WriteThroughput(*writer, index.throughput);
    writer->EndMap();
  }
  writer->EndList();
  writer->Name("BillingMode").Text(table.on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
  WriteThroughput(*writer, table.throughput);
  writer->Name("DeletionProtectionEnabled").Boolean(table.deletion_protection);
  aws::WriteTags(*writer, table.tags);
  writer->EndMap();
  return writer->Take();
}

Result<TableInfo> DecodeTable(std::string_view text) {
  const std::string padded = std::string(text) + std::string(api::Document::kPaddingBytes, '\0');
  api::Document document;
  if (Status status = document.ReadJson(std::string_view(padded).substr(0, text.size())); !status.ok()) {
    return Error(Code::kCorruption, status.message());
  }
  if (IntegerOf(document.root(), "format") > kFormat) {
    return Error(Code::kUnimplemented, "a newer version has written it; start that one");
  }
  auto table = ReadTable(document.root());
  if (!table) return Error(Code::kCorruption, table.error().message);
  return std::move(*table);
}

}  // namespace sluice::broker::dynamodb
