// Reading and writing of trees.
#include "broker/api/firehose/json_tree.h"

#include <algorithm>
#include <charconv>

#include "protocol/check.h"
#include "protocol/json_writer.h"

namespace sluice::broker::firehose {

using Kind = Json::Kind;

namespace {

void Append(const Json& value, protocol::JsonWriter& json) {
  switch (value.kind) {
    case Kind::kNull:
      json.Raw("null");
      return;
    case Kind::kBool:
    case Kind::kNumber:
      json.Raw(value.text);
      return;
    case Kind::kString:
      json.String(value.text);
      return;
    case Kind::kList:
      json.BeginList();
      for (const Json& item : value.items) Append(item, json);
      json.EndList();
      return;
    case Kind::kMap:
      json.BeginObject();
      for (const delivery::ConfigField& field : value.fields) {
        json.Key(field.key);
        Append(field.value, json);
      }
      json.EndObject();
      return;
  }
}

void WriteNumber(const std::string& text, protocol::aws::Writer& writer) {
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc() && stop == end) {
    return writer.Integer(whole);
  }
  double real = 0;
  std::from_chars(text.data(), end, real);
  writer.Real(real);
}

Json Node(Kind kind, std::string_view text) {
  Json node;
  node.kind = kind;
  node.text = text;
  return node;
}

}  // namespace

Json FromValue(protocol::aws::Value value, const protocol::aws::Shape& shape) {
  return FromKept(protocol::aws::KnownJson(value, shape));
}

std::optional<protocol::aws::ApiError> CheckConstraints(const Json& value, const protocol::aws::Shape& shape) {
  std::string text = ToJson(value);
  const std::size_t bytes = text.size();
  text.append(protocol::aws::Document::kPaddingBytes, '\0');
  protocol::aws::Document document;
  const Status read = document.ReadJson(std::string_view(text).substr(0, bytes));
  SLUICE_CHECK(read.ok());  // our own text
  return protocol::aws::CheckConstraints(document.root(), shape);
}

Json FromKept(std::string_view text) {
  Result<Json> tree = delivery::ParseJsonTree(text, "a document of our own");
  SLUICE_CHECK(tree.has_value());
  return std::move(*tree);
}

std::string ToJson(const Json& value) {
  protocol::JsonWriter json;
  Append(value, json);
  return json.text();
}

void Write(const Json& value, protocol::aws::Writer& writer) {
  switch (value.kind) {
    case Kind::kNull:
      SLUICE_CHECK(false);  // what is null was left out
      return;
    case Kind::kBool:
      return writer.Boolean(value.text == "true");
    case Kind::kNumber:
      return WriteNumber(value.text, writer);
    case Kind::kString:
      return writer.Text(value.text);
    case Kind::kList:
      writer.BeginList();
      for (const Json& item : value.items) Write(item, writer);
      return writer.EndList();
    case Kind::kMap:
      writer.BeginMap();
      for (const delivery::ConfigField& field : value.fields) Write(field.value, writer.Name(field.key));
      return writer.EndMap();
  }
}

Json TextNode(std::string_view text) { return Node(Kind::kString, text); }
Json NumberNode(std::int64_t number) { return Node(Kind::kNumber, std::to_string(number)); }
Json BooleanNode(bool value) { return Node(Kind::kBool, value ? "true" : "false"); }
Json MapNode() { return Node(Kind::kMap, ""); }
Json ListNode() { return Node(Kind::kList, ""); }

const Json* Find(const Json& map, std::string_view name) {
  const delivery::ConfigField* const field = map.Find(name);
  return field == nullptr ? nullptr : &field->value;
}

const Json* Find(const Json* map, std::string_view name) { return map == nullptr ? nullptr : Find(*map, name); }

std::string_view TextOf(const Json* map, std::string_view name) {
  const Json* const value = Find(map, name);
  return value == nullptr ? std::string_view() : std::string_view(value->text);
}

std::int64_t NumberOf(const Json* map, std::string_view name) {
  const std::string_view text = TextOf(map, name);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool BooleanOf(const Json* map, std::string_view name, bool otherwise) {
  const Json* const value = Find(map, name);
  return value == nullptr ? otherwise : value->text == "true";
}

void Set(Json& map, std::string_view name, Json value) {
  const auto found = std::ranges::find(map.fields, name, &delivery::ConfigField::key);
  if (found != map.fields.end()) {
    found->value = std::move(value);
  } else {
    map.fields.push_back({std::string(name), 0, std::move(value)});
  }
}

void SetDefault(Json& map, std::string_view name, Json value) {
  if (Find(map, name) == nullptr) Set(map, name, std::move(value));
}

void SetMembers(Json& map, std::string_view name, const Json& members) {
  SetDefault(map, name, MapNode());
  Json& changed = std::ranges::find(map.fields, name, &delivery::ConfigField::key)->value;
  for (const delivery::ConfigField& member : members.fields) Set(changed, member.key, member.value);
}

void Remove(Json& map, std::string_view name) {
  std::erase_if(map.fields, [&](const delivery::ConfigField& field) { return field.key == name; });
}

bool Same(const Json& a, const Json& b) {
  if (a.kind != b.kind || a.text != b.text) return false;
  if (!std::ranges::equal(a.items, b.items, Same)) return false;
  return a.fields.size() == b.fields.size() && std::ranges::all_of(a.fields, [&](const delivery::ConfigField& field) {
           const Json* const other = Find(b, field.key);
           return other != nullptr && Same(field.value, *other);
         });
}

}  // namespace sluice::broker::firehose
